#!/usr/bin/env bash
# Builds the probe for a Cortex-M0 and shows that the linked image holds no std, no allocator and no
# panic, and how many bytes it takes. A planted panic must keep it from linking.
#
#   bash firmware/probe.sh
#
# Uses rustup's target where it can be had, else Debian's rustc-web and the library source of the
# same version, from which it builds `core`. PROBE_TOOLCHAIN=debian takes the second at once.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=thumbv6m-none-eabi
target_dir=${CARGO_TARGET_DIR:-$PWD/target}
image=$target_dir/$target/release/probe

retry() {
  local n
  for n in 1 2 3; do
    "$@" </dev/null && return 0
    [ "$n" = 3 ] || sleep $((n * 5))
  done
  return 1
}

apt_install() {
  [ "$(id -u)" = 0 ] || { echo "please install: $*" >&2; return 1; }
  export DEBIAN_FRONTEND=noninteractive
  retry apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    retry apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"
}

sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
tools=$sysroot/lib/rustlib/$host/bin

# --- compiler ------------------------------------------------------------------------------------

build=()
if [ "${PROBE_TOOLCHAIN:-}" != debian ] && retry rustup target add "$target"; then
  echo "toolchain: $(rustc --version), target from rustup"
  build=(cargo build --release --target "$target")
else
  dpkg -s rustc-web cargo-web rust-web-src >/dev/null 2>&1 ||
    apt_install rustc-web cargo-web rust-web-src
  # The compiler builds `core` only from source of its own version.
  [ "$(dpkg-query -W -f='${Version}\n' rustc-web rust-web-src | sort -u | wc -l)" = 1 ] ||
    { echo "rustc-web and rust-web-src differ in version" >&2; exit 1; }
  # Debian's compiler brings no linker for this target; rustup's does.
  linker_variable=CARGO_TARGET_$(echo "$target" | tr 'a-z-' 'A-Z_')_LINKER
  echo "toolchain: $(/usr/bin/rustc --version), core from source"
  build=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 "$linker_variable=$tools/rust-lld"
    /usr/bin/cargo build --release -Zbuild-std=core --target "$target")
fi

# --- symbol tools --------------------------------------------------------------------------------

# LLVM's only: GNU nm skips members of Rust archives, and a check that sees nothing passes.
find_tool() {
  local found
  for found in "$tools/$1" $(compgen -c "$1" | grep -E "^$1(-[0-9]+)?\$" | sort -uV | tail -1); do
    command -v "$found" && return 0
  done
  return 1
}
find_tool llvm-nm >/dev/null || retry rustup component add llvm-tools || apt_install llvm
nm=$(find_tool llvm-nm)
size=$(find_tool llvm-size)

# --- the builds, each with the proof that it can fail --------------------------------------------

export CARGO_TARGET_DIR=$target_dir

log=$(mktemp)
trap 'rm -f "$log"' EXIT

forbidden='__rust_|__rg_|__rdl_|alloc::|\bstd::|core::panicking|core::fmt|rust_begin_unwind'
forbidden+='|rust_eh_personality|core::(option|result|slice|str)::.*(unwrap|expect|fail)'

# probe NAME FEATURES
probe() {
  rm -f "$image"
  if "${build[@]}" --features "$2,planted-panic" >"$log" 2>&1; then
    echo "$1: a planted panic linked: the probe would prove nothing" >&2
    exit 1
  fi
  grep -q 'undefined symbol: a_panic_is_reachable' "$log" ||
    { cat "$log"; echo "$1: the planted panic failed for another reason" >&2; exit 1; }

  "${build[@]}" --features "$2"

  local symbols bad undefined
  symbols=$("$nm" --demangle "$image")
  # A check of the check: the image has symbols, and they can be read.
  grep -qw 'reset' <<<"$symbols" || { echo "$1: no symbols in the image" >&2; exit 1; }
  bad=$(grep -E "$forbidden" <<<"$symbols" || true)
  undefined=$("$nm" --undefined-only "$image")
  if [ -n "$bad$undefined" ]; then
    printf '%s: not allowed in the image:\n%s\n%s\n' "$1" "$bad" "$undefined" >&2
    exit 1
  fi
  echo "$1: a planted panic does not link; $(wc -l <<<"$symbols") symbols, none undefined," \
    "none of std, an allocator, panicking or formatting"

  "$size" -A "$image" | awk -v name="$1" '
    $1 ~ /^\.(vectors|text|rodata)$/ { flash += $2 }
    $1 ~ /^\.(data|bss)$/ { ram += $2 }
    END {
      printf "%s: flash %d bytes, static RAM %d bytes (stack not counted)\n", name, flash, ram
    }'
}

probe "EA07 token" ""
probe "whole meter" meter
