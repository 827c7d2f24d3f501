#!/usr/bin/env bash
# Changes the code, one place at a time, sees whether a test of the crate fails, and records what came
# of it in docs/evidence/mutants.json.
#
#   fuzz/mutants.sh CRATE FILE... [-- ARGUMENT...]
#   fuzz/mutants.sh --again CRATE FILE... [-- ARGUMENT...]     those that are recorded as missed
#
# --again is for code that is as it was: it adds to what is recorded, and does not count anew.
# The arguments are for cargo mutants, and behind another -- for cargo test. The core takes an hour or two;
# a file at a time adds to what is recorded. Of the harness, the tests that see the ranking are enough:
#
#   fuzz/mutants.sh sts-core sts-core/src/crc.rs -- --jobs 2
#   fuzz/mutants.sh sts-harness sts-harness/src/diagnose/rank.rs -- --cargo-arg=--lib --cargo-arg=--test=causes
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
#     equivalent of the missed ones, those that change nothing which can be seen, each with the reason;
#                written by hand, and kept while it is missed

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -lt 2 ]; then
  sed -n '2,/^$/ s/^# \{0,1\}//p' fuzz/mutants.sh >&2
  exit 2
fi
again=
if [ "$1" = --again ]; then
  again=1
  shift
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
# A few cases of a law find what many find, and each mutant waits for them. What one mutant fails on is
# not kept for the next.
export PROPTEST_CASES=${PROPTEST_CASES:-64} PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
command -v cargo-mutants >/dev/null || { echo "cargo install --locked cargo-mutants" >&2; exit 2; }

commit=$(git rev-parse --short=12 HEAD)
# What was recorded before is no change of what is tried.
[ -z "$(git status --porcelain --untracked-files=no -- . ':!docs')" ] || commit+=-dirty
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
start=$(date +%s)
# 2 and 3: missed and timed out, which is what is to be recorded.
mutate() {
  local code=0
  cargo mutants --package "$crate" "$@" || code=$?
  case $code in 0 | 2 | 3) ;; *) return "$code" ;; esac
}
# Names of mutants, a line each, as arguments that choose them: where they stand, or by what they change.
chosen() {
  python3 -c '
import re, sys
exact = lambda text: "".join(c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in text)
for name in sys.stdin.read().splitlines():
    file, place, what = re.fullmatch(r"(.*?):(\d+:\d+):(.*)", name).groups()
    place = exact(place) if sys.argv[1] == "there" else "[0-9]+:[0-9]+"
    print(f"--re=^{exact(file)}:{place}:{exact(what)}$")
' "$1"
}
missed=()
if [ -n "$again" ]; then
  mapfile -t missed < <(python3 -c '
import json, sys
files = json.load(open("docs/evidence/mutants.json"))["files"]
for file in map(files.get, sys.argv[1:]):
    print(*[name for name in file["missed"] if name not in file.get("equivalent", {})], sep="\n")
' "${named[@]}" | grep . | chosen anywhere)
  [ ${#missed[@]} -gt 0 ] || { echo "none is recorded as missed"; exit 0; }
fi
# The core has code for its features alone; what features of others bring is nothing that ranks.
features=()
[ "$crate" != sts-core ] || features=(--all-features)
mutate "${files[@]}" "${missed[@]}" "${features[@]}" --output "$out" "$@"
# `compact` takes other code in place of some: what is not built with it, is without.
mapfile -t missed < <(chosen there <"$out/mutants.out/missed.txt")
if [ "$crate" = sts-core ] && [ ${#missed[@]} -gt 0 ]; then
  mutate "${files[@]}" "${missed[@]}" --features zeroize --output "$out/fast" "$@"
fi
python3 - "$out" "$commit" "$again" $(($(date +%s) - start)) "${named[@]}" <<'PYTHON'
import collections, datetime, json, os, re, sys

folder, commit, again, seconds, *files = sys.argv[1:]
path = "docs/evidence/mutants.json"
try:
    evidence = json.load(open(path))
except FileNotFoundError:
    evidence = {"schema": 1, "files": {}}
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
outcomes = {}
for run in [f"{folder}/mutants.out/outcomes.json", f"{folder}/fast/mutants.out/outcomes.json"]:
    if os.path.exists(run):
        for outcome in json.load(open(run))["outcomes"]:
            if outcome["scenario"] != "Baseline":
                mutant = outcome["scenario"]["Mutant"]
                outcomes[mutant["name"]] = mutant["file"], outcome["summary"]
# The line numbers in names move with the code; the reasons stay with what is changed.
what = lambda name: re.sub(r":\d+:\d+:", ":", name)
if again:
    files = sorted({file for file, _ in outcomes.values()})
for file in files:
    before = evidence["files"].get(file, {})
    reasons = before.get("equivalent", {})
    found = collections.Counter(summary for of, summary in outcomes.values() if of == file)
    entry = evidence["files"][file] = {
        "date": now, "commit": commit, "seconds": int(seconds),
        "caught": found["CaughtMutant"], "timeout": found["Timeout"], "unviable": found["Unviable"],
        "missed": [name for name, (of, summary) in outcomes.items() if (of, summary) == (file, "MissedMutant")],
    }
    if again:
        # What was noticed before stays noticed, and what has a reason was not tried.
        entry["missed"] += [name for name in reasons if name not in entry["missed"]]
        noticed = before["caught"] + len(before["missed"]) - len(entry["missed"])
        entry.update(caught=noticed, timeout=before["timeout"], unviable=before["unviable"])
    # Two of the same words in one function: a reason for one is none for both.
    missed = collections.Counter(map(what, entry["missed"]))
    reasoned = collections.Counter(map(what, reasons))
    why = {what(name): reason for name, reason in reasons.items() if missed[what(name)] == reasoned[what(name)]}
    if known := {name: why[what(name)] for name in entry["missed"] if what(name) in why}:
        entry["equivalent"] = known
evidence["files"] = dict(sorted(evidence["files"].items()))
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as out:
    json.dump(evidence, out, indent=2)
    out.write("\n")
for file in files:
    entry = evidence["files"][file]
    print(f"{file}: {entry['caught']} caught, {entry['timeout']} timed out, {entry['unviable']} unviable, {len(entry['missed'])} missed")
PYTHON
