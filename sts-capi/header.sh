#!/usr/bin/env bash
# Makes include/sts.h and compares it with the one in the tree.
#
#   bash sts-capi/header.sh          fails where they differ
#   bash sts-capi/header.sh --write  puts the new one in place
#
# Installs cbindgen where it is missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v cbindgen >/dev/null; then
  # The build of a tool does not belong into the project's target folder.
  build=$(mktemp -d)
  CARGO_TARGET_DIR=$build cargo install --locked cbindgen
  rm -rf "$build"
fi

made=$(mktemp)
trap 'rm -f "$made"' EXIT
cbindgen --quiet --config cbindgen.toml --crate sts-capi --output "$made" .
# Rust's heading for what a caller must hold to; the sentence under it stays.
sed -i '/^ # Safety$/,+1d' "$made"

if [ "${1:-}" = --write ]; then
  cp "$made" include/sts.h
elif ! diff -u include/sts.h "$made"; then
  echo "include/sts.h is not what the source says: bash sts-capi/header.sh --write" >&2
  exit 1
else
  echo "include/sts.h is what the source says ($(cbindgen --version))"
fi
