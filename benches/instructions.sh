#!/usr/bin/env bash
# How many instructions the scalar and parsing paths of the core take on this kind of machine, as
# valgrind counts them: what shared machines do to clocks, they do not do to this.
#
#   bash benches/instructions.sh           compares with benches/instructions.txt
#   bash benches/instructions.sh --write   writes it anew
#
# More than 3 % over what stands there fails. Compilers differ, and valgrind hides the widest vectors
# and the instructions for SHA-256: under another compiler or architecture nothing is compared.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../.ci/install.sh
command -v valgrind >/dev/null || apt_install valgrind

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --quiet --release -p sts-counted
program=$CARGO_TARGET_DIR/release/sts-counted
kind="$(rustc --version), $(uname -m)"

# instructions NAME TIMES
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
    sed -n 's/.*Collected : *//p'
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
{
  echo "# Instructions of one call, by benches/instructions.sh --write"
  echo "# $kind"
  # The same without the start of the program, which both runs have.
  for name in $("$program"); do
    echo "$name $((($(instructions "$name" 1100) - $(instructions "$name" 100)) / 1000))"
  done
} >"$found"

if [ "${1:-}" = --write ]; then
  cp "$found" instructions.txt
  cat "$found"
  exit 0
fi
cat "$found"
if ! grep -qxF "# $kind" instructions.txt; then
  echo "instructions.txt is of another kind than $kind: nothing is compared"
  exit 0
fi
# A name that is not in both files fails too.
awk '
  /^#/ { next }
  NR == FNR { stated[$1] = $2; next }
  !($1 in stated) { print $1 " is not in instructions.txt"; bad = 1; next }
  $2 > stated[$1] * 1.03 { print $1 ": " $2 " instructions, more than 3 % over " stated[$1]; bad = 1 }
  { delete stated[$1] }
  END { for (name in stated) { print name " is only in instructions.txt"; bad = 1 }; exit bad }
' instructions.txt "$found" >&2
