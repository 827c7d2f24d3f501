#!/usr/bin/env bash
# The public interface of the libraries as text, so that a change of it is seen in review.
#
#   bash api/check.sh           compares each text here
#   bash api/check.sh --write   writes them anew, for a change that is meant
#
# Needs `cargo install cargo-public-api` and a nightly of the time, of which it takes rustdoc's JSON alone.
# All features are on; impls of traits that the compiler derives or gives are left out.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
found=$(mktemp)
trap 'rm -f "$found"' EXIT
status=0
for text in api/*.txt; do
  cargo +nightly public-api -p "$(basename "$text" .txt)" --all-features -sss >"$found"
  if [ "${1:-}" = --write ]; then
    cp "$found" "$text"
  else
    diff -u "$text" "$found" || { status=1; echo "$text differs" >&2; }
  fi
done
exit $status
