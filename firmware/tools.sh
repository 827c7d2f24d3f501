# Sourced by the scripts of this folder: compilers for the boards, and what must not be in an image.

. "$(dirname "${BASH_SOURCE[0]}")/../.ci/install.sh"

sysroot=$(rustc --print sysroot)
tools=$sysroot/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin

# toolchain TARGET: sets `cargo` to what builds for it, and `compiler` to its name.
#
# rustup's target where it can be had, else Debian's rustc-web and the library source of the same
# version; RUN_TOOLCHAIN=debian takes the second at once.
toolchain() {
  if [ "${RUN_TOOLCHAIN:-}" != debian ] && retry rustup target add "$1" 2>/dev/null; then
    cargo=(cargo)
    compiler=$(rustc --version | cut -d' ' -f1-2)
    return
  fi
  dpkg -s rustc-web cargo-web rust-web-src >/dev/null 2>&1 ||
    apt_install rustc-web cargo-web rust-web-src
  # The compiler builds `core` only from source of its own version.
  [ "$(dpkg-query -W -f='${Version}\n' rustc-web rust-web-src | sort -u | wc -l)" = 1 ] ||
    { echo "rustc-web and rust-web-src differ in version" >&2; exit 1; }
  # Debian's compiler brings no linker for these targets; rustup's does.
  local linker
  linker=CARGO_TARGET_$(echo "$1" | tr 'a-z-' 'A-Z_')_LINKER
  cargo=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 "$linker=$tools/rust-lld"
    CARGO_UNSTABLE_BUILD_STD=core /usr/bin/cargo)
  compiler=$(/usr/bin/rustc --version | cut -d' ' -f1-2)
}

# LLVM's only: GNU nm skips members of Rust archives, and a check that sees nothing passes.
find_tool() {
  local found
  for found in "$tools/$1" $(compgen -c "$1" | grep -E "^$1(-[0-9]+)?\$" | sort -uV | tail -1); do
    command -v "$found" && return 0
  done
  return 1
}

# symbol_tools: sets `nm` and `size`.
symbol_tools() {
  find_tool llvm-nm >/dev/null || retry rustup component add llvm-tools || apt_install llvm
  nm=$(find_tool llvm-nm)
  size=$(find_tool llvm-size)
}

forbidden='__rust_|__rg_|__rdl_|alloc::|\bstd::|core::panicking|core::fmt|rust_begin_unwind'
forbidden+='|rust_eh_personality|core::(option|result|slice|str)::.*(unwrap|expect|fail)'
forbidden+='|panic_is_reachable|a_panic'
# Division of 64 bits and more, under its names on both processors.
forbidden+='|__aeabi_u?ldivmod|__u?(div|mod|divmod)[dt]i|specialized_div_rem::u(64|128)'

# symbols IMAGE NAME ENTRY: what must not be linked is not, and nothing is undefined.
symbols() {
  local all bad undefined
  all=$("$nm" --demangle "$1")
  # A check of the check: the image has symbols, and they can be read.
  grep -qw "$3" <<<"$all" || { echo "$2: no symbols in the image" >&2; exit 1; }
  bad=$(grep -E "$forbidden" <<<"$all" || true)
  undefined=$("$nm" --undefined-only "$1")
  if [ -n "$bad$undefined" ]; then
    printf '%s: not allowed in the image:\n%s\n%s\n' "$2" "$bad" "$undefined" >&2
    exit 1
  fi
}

# planted_panic_fails NAME COMMAND...: a build with a panic on purpose must not link, or the symbols
# prove nothing.
planted_panic_fails() {
  local name=$1 log
  shift
  if log=$("$@" 2>&1); then
    echo "$name: a planted panic linked" >&2
    exit 1
  fi
  grep -q 'undefined symbol: a_panic_is_reachable' <<<"$log" ||
    { printf '%s\n%s: the planted panic failed otherwise\n' "$log" "$name" >&2; exit 1; }
}

# sections IMAGE: flash and static RAM, in bytes.
sections() {
  "$size" -A "$1" | awk '
    $1 ~ /^\.(vectors|text|rodata)$/ { flash += $2 }
    $1 ~ /^\.(data|bss)$/ { ram += $2 }
    END { print flash + 0, ram + 0 }'
}
