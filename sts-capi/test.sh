#!/usr/bin/env bash
# Builds the library for this machine, and the test and the example in C99 and C++ against it, with
# every warning an error; runs them plainly, under AddressSanitizer with UBSan, and under valgrind.
#
#   bash sts-capi/test.sh
#
# As root on Debian it installs valgrind or a compiler where it is missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../.ci/install.sh

command -v gcc >/dev/null || apt_install gcc libc6-dev
command -v g++ >/dev/null || apt_install g++
command -v valgrind >/dev/null || apt_install valgrind ||
  { [ -z "${CI:-}" ] && echo "no valgrind: that part is left out"; }

target_dir=${CARGO_TARGET_DIR:-$PWD/../target}
export CARGO_TARGET_DIR=$target_dir
out=$target_dir/capi-test
mkdir -p "$out"

cargo build -q --release -p sts-capi
cargo run -q -p sts-capi --example vectors_header >"$out/vectors_data.h"
library=$target_dir/release/libsts_capi.a

warnings=(-Wall -Wextra -Werror -pedantic -Wconversion -Wshadow -O1 -g)
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)
c99=(gcc -std=c99)
cpp=(g++ -std=c++11 -x c++)

# build NAME SOURCE COMPILER...
build() {
  local name=$1 source=$2
  shift 2
  "$@" "${warnings[@]}" -Iinclude -Ic "-I$out" "c/$source" -x none "$library" -o "$out/$name"
}

for source in example test; do
  build "$source-c99" "$source.c" "${c99[@]}"
  build "$source-cpp" "$source.c" "${cpp[@]}"
  build "$source-c99-san" "$source.c" "${c99[@]}" "${sanitizers[@]}"
  build "$source-cpp-san" "$source.c" "${cpp[@]}" "${sanitizers[@]}"
done

for kind in c99 cpp c99-san cpp-san; do
  echo "-- $kind"
  "$out/example-$kind"
  "$out/test-$kind"
done
if command -v valgrind >/dev/null; then
  echo "-- valgrind"
  valgrind -q --error-exitcode=99 --leak-check=full "$out/example-c99"
  valgrind -q --error-exitcode=99 --leak-check=full "$out/test-c99"
fi
