#!/usr/bin/env bash
# The steps of docs/firmware.md for C: builds the library for a Cortex-M0, links meter.c with it, and
# runs the image on an emulated board.
#
#   bash firmware/c/run.sh
#
# Uses rustup's target where it can be had, else Debian's rustc-web and the library source of the same
# version (RUN_TOOLCHAIN=debian takes the second at once). As root on Debian it installs the C compiler
# and the emulator where they are missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

apt_install() {
  [ "$(id -u)" = 0 ] || { echo "please install: $*" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update -qq
  apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y -qq \
    --no-install-recommends "$@"
}
command -v arm-none-eabi-gcc >/dev/null || apt_install gcc-arm-none-eabi
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm

target=thumbv6m-none-eabi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo=(cargo)
if [ "${RUN_TOOLCHAIN:-}" = debian ] || ! rustup target add "$target"; then
  dpkg -s rustc-web cargo-web rust-web-src >/dev/null 2>&1 ||
    apt_install rustc-web cargo-web rust-web-src
  cargo=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=core /usr/bin/cargo)
fi

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
