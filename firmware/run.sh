#!/usr/bin/env bash
# Builds a keypad meter for three instruction sets, runs every vector and the example case on emulated
# boards, and measures flash, stack, state and instructions of its images, and what each feature of the
# core costs.
#
#   bash firmware/run.sh                 compares with firmware/budget.txt: more than 2 % growth fails
#   bash firmware/run.sh --write         writes firmware/budget.txt and the tables of docs/firmware.md
#   bash firmware/run.sh TARGET...       these targets alone
#   ENTRIES=100000 bash firmware/run.sh  more random entries
#
# The meter on a board also passes every suite of `sts conform`, and answers ENTRIES random entries (2000)
# as the one on this machine does.
#
# Instructions are counted by the emulator (qemu -icount). They are no cycles of a real processor.
# Growth is judged only under the compiler that budget.txt names; limits.txt holds under any.
#
# Which compiler is used, and RUN_TOOLCHAIN: see tools.sh. As root on Debian it installs qemu.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./tools.sh

write=
targets=()
for argument in "$@"; do
  case $argument in
    --write) write=1 ;;
    *) targets+=("$argument") ;;
  esac
done
all=(thumbv6m-none-eabi thumbv7m-none-eabi riscv32imc-unknown-none-elf)
[ ${#targets[@]} = 0 ] || [ -z "$write" ] || { echo "--write is of all targets" >&2; exit 2; }
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
symbol_tools
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm
command -v qemu-system-riscv32 >/dev/null || apt_install qemu-system-misc

# The hash and its small form: the choice of whoever builds the image, as a library cannot make it.
soft='--cfg sha2_backend="soft"'
small=$soft' --cfg sha2_backend_soft="compact"'
# What an image has unless it is measured with something else.
features=compact,ea09,ea11

# build TARGET FEATURES [RUSTFLAGS]
build() {
  RUSTFLAGS=${3:-$small} "${cargo[@]}" build -q -p meter --profile size --target "$1" --features "$2"
}

# board TARGET: the machine that has such a processor.
board() {
  case $1 in
    thumbv6m-*) echo qemu-system-arm -M microbit ;;
    thumbv7m-*) echo qemu-system-arm -M lm3s6965evb ;;
    riscv32*) echo qemu-system-riscv32 -M virt -bios none ;;
  esac
}

# run TARGET IMAGE: on its board; passes the image's status on.
run() {
  local shift=7
  case $1 in riscv32*) shift=0 ;; esac
  # shellcheck disable=SC2046 # words of a command
  timeout 300 $(board "$1") -icount shift=$shift -nographic \
    -semihosting-config enable=on,target=native -kernel "$2" </dev/null 2>&1 |
    grep -v 'Timer with period zero'
}

# instructions TARGET TICKS: what the boards' timers count for an instruction is known.
instructions() {
  case $1 in
    thumbv6m-*) echo $(($2 * 1000 / 2048)) ;;
    thumbv7m-*) echo $(($2 * 10 / 16)) ;;
    riscv32*) echo "$2" ;;
  esac
}

log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT

# measured TARGET NAME: adds what the image that was built needs to the table.
measured() {
  local row="$1 $2" flash ram what ticks stack
  read -r flash ram < <(sections "$image")
  echo "$row flash $flash" >>"$table"
  run "$1" "$image" >"$log" || { cat "$log"; echo "$row: failed" >&2; exit 1; }
  while read -r what ticks stack; do
    case $what in
      state*) echo "$row $what $((16#$ticks))" ;;
      *)
        echo "$row $what-instructions $(instructions "$1" $((16#$ticks)))"
        echo "$row $what-stack $((16#$stack))"
        ;;
    esac
  done <"$log" >>"$table"
}

# --- the images ----------------------------------------------------------------------------------

for target in "${targets[@]}"; do
  toolchain "$target"
  image=$CARGO_TARGET_DIR/$target/size/meter

  for name in ea07 derive whole saved; do
    rm -f "$image"
    # The library's own panic handler, in `saved`, is another.
    [ "$name" = saved ] ||
      planted_panic_fails "$target $name" build "$target" "$name,$features,planted-panic"
    build "$target" "$name,$features"
    symbols "$image" "$target $name" begin
    measured "$target" "$name"
  done

  build "$target" "vectors,$features"
  run "$target" "$image" >"$log" || { cat "$log"; echo "$target vectors: failed" >&2; exit 1; }
  while read -r what count _; do
    printf '%s: %d %s right\n' "$target" $((16#$count)) "$what"
  done <"$log"
done

# --- what each feature costs ---------------------------------------------------------------------

# On the smallest processor. The name says what is other than in the image before the slash.
for target in "${targets[@]}"; do
  case $target in thumbv6m-*) ;; *) continue ;; esac
  toolchain "$target"
  image=$CARGO_TARGET_DIR/$target/size/meter
  # variant NAME FEATURES [RUSTFLAGS]
  variant() {
    build "$target" "$2" "${3:-$small}"
    measured "$target" "$1"
  }
  variant ea07/fast ea07
  variant derive/fast derive
  variant derive/fast-hash derive,compact "$soft"
  variant derive/fast,fast-hash derive "$soft"
  variant whole/fast whole,ea09,ea11
  variant whole/no-ea09 whole,compact,ea11
  variant whole/no-ea11 whole,compact,ea09
  variant whole/no-ea09,no-ea11 whole,compact
  variant whole/zeroize "whole,$features,zeroize"
  variant whole/seal "whole,$features,seal"
done

# --- the same answers as on this machine ---------------------------------------------------------

cargo build -q --release --manifest-path ../Cargo.toml -p sts-cli
for target in "${targets[@]}"; do
  toolchain "$target"
  build "$target" "device,$features"
  device="$(board "$target") -display none -monitor none -serial stdio \
    -semihosting-config enable=on,target=native -kernel '$CARGO_TARGET_DIR/$target/size/meter'"
  "$CARGO_TARGET_DIR/release/sts" conform --command "$device" >"$log" 2>/dev/null ||
    { cat "$log"; echo "$target: a suite of conform failed" >&2; exit 1; }
  echo "$target: passes $(awk '/^[a-z_]+ +[0-9]/ { n += $2 } END { print n }' "$log") cases of sts conform"
  "$CARGO_TARGET_DIR/release/sts" conform --differential "${ENTRIES:-2000}" --command "$device" \
    >"$log" 2>/dev/null ||
    { cat "$log"; echo "$target: the boards disagree" >&2; exit 1; }
  printf '%s: ' "$target"
  head -1 "$log"
done

# --- limits and growth ---------------------------------------------------------------------------

# limits IMAGE WHAT MOST: the most of an image's entries counts.
over=
while read -r image what most; do
  found=$(awk -v i="$image" -v w="(^|-)$what\$" \
    '/^thumbv6m/ && $2 == i && $3 ~ w && $4 > m { m = $4 } END { print m + 0 }' "$table")
  [ "$found" -gt 0 ] || continue
  if [ "$found" -le "$most" ]; then
    echo "limit $image $what: $found of $most"
  else
    echo "limit $image $what: $found of $most, EXCEEDED"
    over=1
  fi
done < <(grep -v '^#' limits.txt)
[ -z "$over" ] || exit 1

if [ -n "$write" ]; then
  {
    echo "# What firmware/run.sh measured: target, image, what, bytes or instructions (emulated)."
    echo "# compiler: $compiler"
    cat "$table"
  } >budget.txt
  bash table.sh --write
  echo "budget.txt and the tables are written"
  exit 0
fi
bash table.sh

# Another compiler makes other code: the limits hold for it too, but growth cannot be told.
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
