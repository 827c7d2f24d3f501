#!/usr/bin/env bash
# Asks a running `sts serve` what schemathesis makes of its OpenAPI file, right and wrong: answers must be as
# the file says, and none may be an internal error. Installs schemathesis in a folder of its own.
#
#   STS=target/release/sts bash sts-cli/tests/serve/schemathesis.sh [SCHEMATHESIS OPTION...]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

sts=${STS:-target/release/sts}
tools=${SCHEMATHESIS_VENV:-${CARGO_TARGET_DIR:-target}/schemathesis}
[ -x "$tools/bin/schemathesis" ] || { python3 -m venv "$tools" && "$tools/bin/pip" install -q schemathesis; }

folder=$(mktemp -d)
"$sts" serve examples/mangaung-2024 --token-file "$folder/token" >"$folder/out" &
server=$!
trap 'kill $server; wait $server; rm -rf "$folder"' EXIT
for _ in $(seq 100); do [ -s "$folder/out" ] && break; sleep 0.1; done
address=$(sed -n '1 s#/?t=.*##p' "$folder/out")

# Left out is only what a schema cannot say: a text that is a string may still be no time, no meter of the
# case, and no table; which is a 400 that names the field.
"$tools/bin/schemathesis" run "$address/api/openapi.json" \
  --header "Authorization: Bearer $(cat "$folder/token")" \
  --checks all --exclude-checks positive_data_acceptance \
  --max-examples "${EXAMPLES:-50}" --rate-limit 300/s "$@"
