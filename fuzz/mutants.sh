#!/usr/bin/env bash
# Changes the code, one place at a time, sees whether a test of the crate fails, and records what came
# of it in docs/evidence/mutants.json.
#
#   fuzz/mutants.sh CRATE FILE... [-- ARGUMENT...]
#
# The arguments are for cargo mutants, and behind another -- for cargo test. The core takes an hour or two;
# a file at a time adds to what is recorded. Of the harness, the tests that see the ranking are enough:
#
#   fuzz/mutants.sh sts-core sts-core/src/crc.rs -- --jobs 2
#   fuzz/mutants.sh sts-harness sts-harness/src/diagnose/rank.rs -- -- --lib --test causes --test simulate
#
# Needs cargo-mutants (cargo install --locked cargo-mutants); .cargo/mutants.toml says what is left out.
#
# docs/evidence/mutants.json, one object:
#
#   schema       1
#   files        one object for each file that was ever tried, by its path:
#     date       UTC
#     commit     with -dirty where the tree had changes
#     seconds    wall time of the run that tried it (of all its files)
#     caught     changes that made a test fail
#     timeout    changes that made a test run without end: noticed too
#     unviable   changes that do not compile
#     missed     changes that no test noticed, as cargo-mutants names them

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -lt 2 ]; then
  sed -n '2,/^$/ s/^# \{0,1\}//p' fuzz/mutants.sh >&2
  exit 2
fi
crate=$1
shift
files=()
named=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  files+=(--file "$1")
  named+=("$1")
  shift
done
[ $# = 0 ] || shift
# A few cases of a law find what many find, and each mutant waits for them.
export PROPTEST_CASES=${PROPTEST_CASES:-64}
command -v cargo-mutants >/dev/null || { echo "cargo install --locked cargo-mutants" >&2; exit 2; }

commit=$(git rev-parse --short=12 HEAD)
[ -z "$(git status --porcelain --untracked-files=no)" ] || commit+=-dirty
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
start=$(date +%s)
# 2 and 3: missed and timed out, which is what is to be recorded.
mutate() {
  cargo mutants --package "$crate" "$@" || [ $? = 2 ] || [ $? = 3 ]
}
mutate "${files[@]}" --all-features --output "$out" "$@"
# `compact` takes other code in place of some: what is not built with it, is without.
mapfile -t again < <(python3 -c '
import sys
for name in sys.stdin.read().splitlines():
    print("--re=^" + "".join(c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in name) + "$")
' <"$out/mutants.out/missed.txt")
if [ "$crate" = sts-core ] && [ ${#again[@]} -gt 0 ]; then
  mutate "${again[@]}" --features zeroize --output "$out/fast" "$@"
fi
python3 - "$out" "$commit" $(($(date +%s) - start)) "${named[@]}" <<'PYTHON'
import datetime, json, os, re, sys

folder, commit, seconds, *files = sys.argv[1:]
path = "docs/evidence/mutants.json"
try:
    evidence = json.load(open(path))
except FileNotFoundError:
    evidence = {"schema": 1, "files": {}}
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
reasons = {file: evidence["files"].get(file, {}).get("equivalent", {}) for file in files}
for file in files:
    evidence["files"][file] = {
        "date": now, "commit": commit, "seconds": int(seconds),
        "caught": 0, "timeout": 0, "unviable": 0, "missed": [],
    }
outcomes = {}
for run in [f"{folder}/mutants.out/outcomes.json", f"{folder}/fast/mutants.out/outcomes.json"]:
    if os.path.exists(run):
        for outcome in json.load(open(run))["outcomes"]:
            if outcome["scenario"] != "Baseline":
                mutant = outcome["scenario"]["Mutant"]
                outcomes[mutant["name"]] = mutant["file"], outcome["summary"]
for name, (file, summary) in outcomes.items():
    entry = evidence["files"][file]
    kind = {"CaughtMutant": "caught", "Timeout": "timeout", "Unviable": "unviable"}.get(summary)
    if kind:
        entry[kind] += 1
    else:
        entry["missed"].append(name)
# The line numbers in names move with the code; the reasons stay with what is changed.
place = re.compile(r":\d+:\d+:")
for file in files:
    entry = evidence["files"][file]
    known = {place.sub(":", name): why for name, why in reasons[file].items()}
    again = {name: known[place.sub(":", name)] for name in entry["missed"] if place.sub(":", name) in known}
    if again:
        entry["equivalent"] = again
evidence["files"] = dict(sorted(evidence["files"].items()))
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as out:
    json.dump(evidence, out, indent=2)
    out.write("\n")
for file in files:
    entry = evidence["files"][file]
    print(f"{file}: {entry['caught']} caught, {entry['timeout']} timed out, {entry['unviable']} unviable, {len(entry['missed'])} missed")
PYTHON
