#!/usr/bin/env bash
# Builds a keypad meter for three instruction sets, runs every vector and the example case on emulated
# boards, and measures flash, stack, state and instructions of five images.
#
#   bash firmware/run.sh                 compares with firmware/budget.txt: more than 2 % growth fails
#   bash firmware/run.sh --write         writes firmware/budget.txt anew
#   bash firmware/run.sh TARGET...       these targets alone
#   ENTRIES=100000 bash firmware/run.sh  more random entries
#
# The meter on a board and the one on this machine also answer ENTRIES random entries alike (2000).
#
# Instructions are counted by the emulator (qemu -icount). They are no cycles of a real processor.
# Growth is judged only under the compiler that budget.txt names; the budgets hold under any.
#
# Uses rustup's targets where they can be had, else Debian's rustc-web and the library source of the
# same version (RUN_TOOLCHAIN=debian takes the second at once). As root on Debian it installs qemu.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

write=
targets=()
for argument in "$@"; do
  case $argument in
    --write) write=1 ;;
    *) targets+=("$argument") ;;
  esac
done
[ ${#targets[@]} -gt 0 ] ||
  targets=(thumbv6m-none-eabi thumbv7m-none-eabi riscv32imc-unknown-none-elf)

target_dir=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$target_dir
# The hash in its small form: the choice of whoever builds the image, as a library cannot make it.
export RUSTFLAGS='--cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"'

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
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm
command -v qemu-system-riscv32 >/dev/null || apt_install qemu-system-misc

# --- building ------------------------------------------------------------------------------------

# toolchain TARGET: sets `cargo` to what builds for it, and `compiler` to its name.
toolchain() {
  if [ "${RUN_TOOLCHAIN:-}" != debian ] && retry rustup target add "$1" 2>/dev/null; then
    cargo=(cargo)
    compiler=$(rustc --version | cut -d' ' -f1-2)
    return
  fi
  dpkg -s rustc-web cargo-web rust-web-src >/dev/null 2>&1 ||
    apt_install rustc-web cargo-web rust-web-src
  [ "$(dpkg-query -W -f='${Version}\n' rustc-web rust-web-src | sort -u | wc -l)" = 1 ] ||
    { echo "rustc-web and rust-web-src differ in version" >&2; exit 1; }
  local linker
  linker=CARGO_TARGET_$(echo "$1" | tr 'a-z-' 'A-Z_')_LINKER
  cargo=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 "$linker=$tools/rust-lld"
    CARGO_UNSTABLE_BUILD_STD=core /usr/bin/cargo)
  compiler=$(/usr/bin/rustc --version | cut -d' ' -f1-2)
}

# build TARGET FEATURES
build() {
  "${cargo[@]}" build -q -p meter --profile size --target "$1" --features "$2"
}

# run TARGET IMAGE: on a board of that processor; passes the image's status on.
run() {
  local board
  case $1 in
    thumbv6m-*) board=(qemu-system-arm -M microbit -icount shift=7) ;;
    thumbv7m-*) board=(qemu-system-arm -M lm3s6965evb -icount shift=7) ;;
    riscv32*) board=(qemu-system-riscv32 -M virt -bios none -icount shift=0) ;;
  esac
  timeout 300 "${board[@]}" -nographic -semihosting-config enable=on,target=native \
    -kernel "$2" </dev/null 2>&1 | grep -v 'Timer with period zero'
}

# instructions TARGET TICKS: what the boards' timers count for an instruction is known.
instructions() {
  case $1 in
    thumbv6m-*) echo $(($2 * 1000 / 2048)) ;;
    thumbv7m-*) echo $(($2 * 10 / 16)) ;;
    riscv32*) echo "$2" ;;
  esac
}

# --- what must not be in an image ----------------------------------------------------------------

forbidden='__rust_|__rg_|__rdl_|alloc::|\bstd::|core::panicking|core::fmt|rust_begin_unwind'
forbidden+='|rust_eh_personality|core::(option|result|slice|str)::.*(unwrap|expect|fail)'
forbidden+='|panic_is_reachable|a_panic'
# Division of 64 bits and more, under its names on both processors.
forbidden+='|__aeabi_u?ldivmod|__u?(div|mod|divmod)[dt]i|specialized_div_rem::u(64|128)'

# symbols IMAGE NAME
symbols() {
  local all bad undefined
  all=$("$nm" --demangle "$1")
  # A check of the check: the image has symbols, and they can be read.
  grep -qw begin <<<"$all" || { echo "$2: no symbols in the image" >&2; exit 1; }
  bad=$(grep -E "$forbidden" <<<"$all" || true)
  undefined=$("$nm" --undefined-only "$1")
  if [ -n "$bad$undefined" ]; then
    printf '%s: not allowed in the image:\n%s\n%s\n' "$2" "$bad" "$undefined" >&2
    exit 1
  fi
}

# --- the images ----------------------------------------------------------------------------------

log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT

for target in "${targets[@]}"; do
  cargo=()
  toolchain "$target"
  image=$target_dir/$target/size/meter

  for name in ea07 derive whole saved; do
    rm -f "$image"
    if [ "$name" != saved ]; then
      # A planted panic must keep it from linking, or the symbols prove nothing.
      if build "$target" "$name,planted-panic" >"$log" 2>&1; then
        echo "$target $name: a planted panic linked" >&2
        exit 1
      fi
      grep -q 'undefined symbol: a_panic_is_reachable' "$log" ||
        { cat "$log"; echo "$target $name: the planted panic failed otherwise" >&2; exit 1; }
    fi
    build "$target" "$name"
    symbols "$image" "$target $name"
    "$size" -A "$image" | awk -v row="$target $name" '
      $1 ~ /^\.(vectors|text|rodata)$/ { flash += $2 }
      $1 ~ /^\.(data|bss)$/ { ram += $2 }
      END { print row, "flash", flash; if (row !~ /saved/) print row, "static-ram", ram }
    ' >>"$table"
    run "$target" "$image" >"$log" || { cat "$log"; echo "$target $name: failed" >&2; exit 1; }
    while read -r what ticks stack; do
      if [ "$what" = state ]; then
        echo "$target $name state $((16#$ticks))"
      else
        echo "$target $name $what-instructions $(instructions "$target" $((16#$ticks)))"
        echo "$target $name $what-stack $((16#$stack))"
      fi
    done <"$log" >>"$table"
  done

  build "$target" vectors
  run "$target" "$image" >"$log" || { cat "$log"; echo "$target vectors: failed" >&2; exit 1; }
  while read -r what count _; do
    printf '%s: %d %s right\n' "$target" $((16#$count)) "$what"
  done <"$log"
done

# --- the same answers as on this machine ---------------------------------------------------------

# The micro:bit's own kind of serial port is left out.
for target in "${targets[@]}"; do
  case $target in
    thumbv7m-*) board='qemu-system-arm -M lm3s6965evb' ;;
    riscv32*) board='qemu-system-riscv32 -M virt -bios none' ;;
    *) continue ;;
  esac
  toolchain "$target"
  build "$target" device
  env -u RUSTFLAGS cargo build -q --release --manifest-path ../Cargo.toml -p sts-cli
  "$target_dir/release/sts" conform --differential "${ENTRIES:-2000}" --command "$board -display none \
    -monitor none -serial stdio -semihosting-config enable=on,target=native \
    -kernel '$target_dir/$target/size/meter'" >"$log" ||
    { cat "$log"; echo "$target: the boards disagree" >&2; exit 1; }
  printf '%s: ' "$target"
  head -1 "$log"
done

# --- budgets and growth --------------------------------------------------------------------------

# The larger stack of an image's entries is the one to plan with.
largest() {
  awk -v t="$1" -v i="$2" -v w="$3" '$1 == t && $2 == i && $3 ~ w && $4 > m { m = $4 } END { print m + 0 }' "$table"
}

over=
# budget IMAGE WHAT BYTES NAME [open]: an open one is not reached yet, and fails nothing.
budget() {
  local found
  found=$(largest thumbv6m-none-eabi "$1" "$2")
  [ "$found" -gt 0 ] || return 0
  if [ "$found" -le "$3" ]; then
    echo "budget $1 $4: $found of $3 bytes"
  else
    echo "budget $1 $4: $found of $3 bytes, NOT REACHED"
    [ "${5:-}" = open ] || over=1
  fi
}
budget ea07 '^flash$' 1024 flash
budget ea07 'stack$' 192 stack
budget derive '^flash$' 5120 flash open
budget derive 'stack$' 900 stack
budget whole '^flash$' 12288 flash
budget whole 'stack$' 1200 stack
budget whole '^state$' 512 state

if [ -n "$write" ]; then
  {
    echo "# What firmware/run.sh measured: target, image, what, bytes or instructions (emulated)."
    echo "# compiler: $compiler"
    cat "$table"
  } >budget.txt
  echo "budget.txt is written"
  exit 0
fi

[ -z "$over" ] || exit 1

# Another compiler makes other code: the budgets hold for it too, but growth cannot be told.
if ! grep -qx "# compiler: $compiler" budget.txt; then
  echo "budget.txt is of another compiler than $compiler: growth is not looked at"
  exit 0
fi

awk '
  NR == FNR { if ($1 !~ /^#/) old[$1 " " $2 " " $3] = $4; next }
  {
    key = $1 " " $2 " " $3
    if (!(key in old)) { print "not in budget.txt: " key " " $4; bad = 1; next }
    if ($4 > old[key] * 1.02) { print "grown: " key " from " old[key] " to " $4; bad = 1 }
    if ($4 < old[key] * 0.98) print "smaller: " key " from " old[key] " to " $4
  }
  END { exit bad }
' budget.txt "$table" || { echo "bash firmware/run.sh --write, where that is meant" >&2; exit 1; }
echo "nothing has grown by more than 2 % over budget.txt"
