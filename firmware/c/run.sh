#!/usr/bin/env bash
# The steps of docs/firmware.md for C: builds the library for a Cortex-M0, links meter.c with it, and
# runs the image on an emulated board.
#
#   bash firmware/c/run.sh
#
# Which compiler is used, and RUN_TOOLCHAIN: see ../tools.sh. As root on Debian it installs the C compiler
# and the emulator where they are missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. firmware/tools.sh

command -v arm-none-eabi-gcc >/dev/null || apt_install gcc-arm-none-eabi
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm

target=thumbv6m-none-eabi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
toolchain "$target"

RUSTFLAGS='--cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"' \
  "${cargo[@]}" rustc -q --release -p sts-capi --lib --crate-type staticlib --features compact \
  --target "$target" --config firmware/c/size.toml

image=$CARGO_TARGET_DIR/$target/c-meter.elf
arm-none-eabi-gcc -std=c99 -Wall -Wextra -Werror -pedantic -mcpu=cortex-m0 -mthumb -Os \
  -ffreestanding -nostdlib -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -T firmware/probe/link.ld \
  -Ists-capi/include firmware/c/meter.c \
  "$CARGO_TARGET_DIR/$target/release/libsts_capi.a" -o "$image"

if [ -n "$(arm-none-eabi-nm -u "$image")" ]; then
  echo "something is undefined" >&2
  exit 1
fi
arm-none-eabi-size "$image"
qemu-system-arm -M microbit -nographic -semihosting-config enable=on,target=native \
  -kernel "$image" </dev/null
