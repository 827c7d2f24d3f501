#!/usr/bin/env bash
# One page, to be put on any web server or opened as a file: target/sts.html.
#
#   bash web/build.sh           builds it
#   bash web/build.sh --test    and compares what it says with the vectors, in Node

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../.ci/install.sh
retry rustup target add wasm32-unknown-unknown
command -v python3 >/dev/null || apt_install python3
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --target wasm32-unknown-unknown
wasm=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/sts_web.wasm
page=$CARGO_TARGET_DIR/sts.html

python3 - "$wasm" "$page" <<'PYTHON'
import base64, hashlib, re, sys

wasm, page = sys.argv[1:]
text = open("page.html", encoding="utf-8").read()
text = text.replace("@WASM@", base64.b64encode(open(wasm, "rb").read()).decode())
# The policy lets in what stands in the page, by its hash, and nothing else.
for name in ["style", "script"]:
    inside = re.search(f"<{name}>(.*?)</{name}>", text, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    text = text.replace(f"@{name.upper()}@", f"sha256-{digest}")
open(page, "w", encoding="utf-8").write(text)
PYTHON
size=$(wc -c <"$page")
echo "$page: $size bytes"
[ "$size" -le 200000 ] || { echo "over 200,000 bytes" >&2; exit 1; }
if [ "${1:-}" = --test ]; then
  cargo test
  if command -v node >/dev/null; then node test.mjs "$wasm"; else echo "no node: the vectors were not compared"; fi
fi
