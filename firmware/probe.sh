#!/usr/bin/env bash
# Builds the probe for a Cortex-M0 and shows that the linked image holds no std, no allocator and no
# panic, and how many bytes it takes. A planted panic must keep it from linking.
#
#   bash firmware/probe.sh
#
# Which compiler is used, and RUN_TOOLCHAIN: see tools.sh.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./tools.sh

target=thumbv6m-none-eabi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
image=$CARGO_TARGET_DIR/$target/release/probe
toolchain "$target"
symbol_tools
echo "compiler: $compiler"

# probe NAME FEATURES
probe() {
  local build=("${cargo[@]}" build -q -p probe --release --target "$target" --features)
  rm -f "$image"
  planted_panic_fails "$1" "${build[@]}" "$2,planted-panic"
  "${build[@]}" "$2"
  symbols "$image" "$1" reset
  local flash ram
  read -r flash ram < <(sections "$image")
  echo "$1: no std, allocator, panicking, formatting or 64-bit division, and a planted panic does" \
    "not link; flash $flash bytes, static RAM $ram bytes (stack not counted)"
}

probe "EA07 token" ""
probe "whole meter" meter
