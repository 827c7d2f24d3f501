#!/usr/bin/env bash
# Makes include/sts.h and compares it with the one in the tree.
#
#   bash sts-capi/header.sh          fails where they differ
#   bash sts-capi/header.sh --write  puts the new one in place
#
# Where cbindgen of this version is missing, it is built into the target folder.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Another version may lay out or word the header otherwise.
version=0.29.4
cbindgen=cbindgen
if [ "$(cbindgen --version 2>/dev/null)" != "cbindgen $version" ]; then
  root=${CARGO_TARGET_DIR:-$PWD/../target}/cbindgen-$version
  cbindgen=$root/bin/cbindgen
  if [ ! -x "$cbindgen" ]; then
    # It runs for a second: not worth the minutes that optimising it takes.
    CARGO_TARGET_DIR=$root/build cargo install --quiet --debug --locked --no-track --root "$root" \
      "cbindgen@$version" </dev/null
    rm -rf "$root/build"
  fi
fi

made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$cbindgen" --quiet --config cbindgen.toml --crate sts-capi --output "$made" .
# Rust's heading for what a caller must hold to; the sentence under it stays.
sed -i '/^ # Safety$/,+1d' "$made"

if [ "${1:-}" = --write ]; then
  cp "$made" include/sts.h
elif ! diff -u include/sts.h "$made"; then
  echo "include/sts.h is not what the source says: bash sts-capi/header.sh --write" >&2
  exit 1
else
  echo "include/sts.h is what the source says (cbindgen $version)"
fi
