#!/usr/bin/env bash
# Runs the test of the C interface, sts-capi/c/test.c, on an emulated Cortex-M0: every vector, and the edges
# of each function. Undefined behaviour in it traps (UBSan), which ends the emulator with a failure.
#
#   bash firmware/ctest/run.sh
#
# Which compiler is used, and RUN_TOOLCHAIN: see ../tools.sh. As root on Debian it installs what is missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. firmware/tools.sh
command -v arm-none-eabi-gcc >/dev/null || apt_install gcc-arm-none-eabi
[ -f "$(arm-none-eabi-gcc -print-file-name=nano.specs)" ] || apt_install libnewlib-arm-none-eabi
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm

target=thumbv6m-none-eabi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
toolchain "$target"
out=$CARGO_TARGET_DIR/ctest
mkdir -p "$out"

cargo run -q -p sts-capi --example vectors_header >"$out/vectors_data.h"
RUSTFLAGS='--cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"' \
  "${cargo[@]}" rustc -q --release -p sts-capi --lib --crate-type staticlib --features compact \
  --target "$target" --config firmware/first/size.toml

arm-none-eabi-gcc -std=c99 -Wall -Wextra -Werror -mcpu=cortex-m0 -mthumb -Os -ffunction-sections \
  -fsanitize=undefined -fsanitize-undefined-trap-on-error --specs=nano.specs --specs=rdimon.specs \
  -nostartfiles -Wl,--gc-sections -Wl,-z,noexecstack -T firmware/ctest/board.ld \
  -Ists-capi/include -Ists-capi/c "-I$out" \
  firmware/ctest/board.c sts-capi/c/test.c "$CARGO_TARGET_DIR/$target/release/libsts_capi.a" \
  -o "$out/test.elf"
timeout 300 qemu-system-arm -M microbit -nographic -semihosting-config enable=on,target=native \
  -kernel "$out/test.elf" </dev/null
