#!/usr/bin/env bash
# Runs fuzz targets and records what came of it in docs/evidence/fuzz.json.
#
#   fuzz/run.sh N [TARGET...]         N executions of each target, or of all
#   fuzz/run.sh --sanitizer address N [TARGET...]
#
# Without a sanitizer any stable compiler will do; `address` takes a nightly one and finds what
# unsafe code does wrong. What is found to reach new code is kept, minimised, in STS_FUZZ_SCRATCH
# (target/fuzz-run where it is not set), so that the next run goes on from there.
#
# docs/evidence/fuzz.json, one object:
#
#   schema       1
#   targets      one object for each target that was ever run, by its name:
#     executions   in all runs recorded here
#     seconds      wall time of them
#     edges        control-flow edges reached by the corpus in the last run (libFuzzer's `cov`)
#     features     edges with how often they were taken, and compared values (`ft`)
#     inputs       files of the scratch corpus that reach them, as minimised
#     findings     runs that ended with a fault, in all
#     last         the last run: date (UTC), commit (with -dirty where the tree had changes),
#                  compiler, sanitizer, executions, seconds, findings (names of the files)
#
# The exit status is 1 where something was found; the files lie in the scratch folder's artifacts/
# and are to be given a name in corpus/ once the fault is mended.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

sanitizer=none
if [ "${1:-}" = --sanitizer ]; then
  sanitizer=$2
  shift 2
fi
executions=${1:-}
case $executions in
  '' | *[!0-9]*) sed -n '2,/^$/ s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
shift
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(cd fuzz_targets && ls | sed 's/\.rs$//')

command -v cargo-fuzz >/dev/null || { echo "cargo install --locked cargo-fuzz" >&2; exit 2; }
toolchain=()
[ "$sanitizer" = none ] || toolchain=(+nightly)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
scratch=${STS_FUZZ_SCRATCH:-$CARGO_TARGET_DIR/fuzz-run}
evidence=${STS_FUZZ_EVIDENCE:-../docs/evidence/fuzz.json}
host=$(rustc -vV | sed -n 's/^host: //p')
# Files that targets write are written over at once: memory will do.
TMPDIR=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" fuzz-XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# Sanitized builds go elsewhere, so that neither throws the other's work away.
[ "$sanitizer" = none ] || export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/$sanitizer
for target in "${targets[@]}"; do
  # --release: the manifest says what is asserted.
  cargo "${toolchain[@]}" fuzz build --fuzz-dir . --release --sanitizer "$sanitizer" \
    --features libfuzzer "$target" || exit 2
done

commit=$(git rev-parse --short=12 HEAD)
# What was recorded before is no change of what runs.
[ -z "$(git status --porcelain --untracked-files=no -- .. ':!../docs')" ] || commit+=-dirty

failed=0
for target in "${targets[@]}"; do
  program=$CARGO_TARGET_DIR/$host/release/$target
  kept=$scratch/corpus/$target
  artifacts=$scratch/artifacts/$target
  log=$scratch/$target.log
  mkdir -p "$kept" "$artifacts"
  before=$(ls "$artifacts")
  # What is keyed is short.
  case $target in digits | open_any) longest=128 ;; *) longest=8192 ;; esac
  start=$(date +%s)
  # One after the other on one core: what is counted here was executed.
  "$program" "$kept" "corpus/$target" -runs="$executions" -artifact_prefix="$artifacts/" \
    -print_final_stats=1 -timeout=20 -rss_limit_mb=4096 -max_len=$longest \
    >"$log" 2>&1 && status=0 || status=$?
  seconds=$(($(date +%s) - start))
  # Ended by hand: what was executed counts.
  [ "$status" != 72 ] || status=0
  found=$(comm -13 <(sort <<<"$before") <(ls "$artifacts" | sort) | tr '\n' ' ')
  if [ "$status" != 0 ]; then
    failed=1
    echo "$target: ended with $status; see $log" >&2
  fi
  # The fewest files that reach as much.
  smaller=$scratch/smaller
  rm -rf "$smaller" && mkdir -p "$smaller"
  if "$program" -merge=1 "$smaller" "$kept" "corpus/$target" -timeout=20 \
    -rss_limit_mb=4096 >"$scratch/$target.merge.log" 2>&1; then
    rm -rf "$kept" && mv "$smaller" "$kept"
  fi
  python3 - "$evidence" "$target" "$log" "$sanitizer" "$commit" "$seconds" "$status" \
    "$(ls "$kept" | wc -l)" "$(rustc "${toolchain[@]}" --version)" $found <<'PYTHON'
import datetime, json, os, re, sys

path, target, log, sanitizer, commit, seconds, status, inputs, compiler, *found = sys.argv[1:]
text = open(log, errors="replace").read()
stat = lambda name: int((re.findall(rf"stat::{name}:\s*(\d+)", text) or [0])[-1])
reached = re.findall(r"cov: (\d+) ft: (\d+)", text)
edges, features = map(int, reached[-1]) if reached else (0, 0)
executions = stat("number_of_executed_units")
if not executions:
    executions = int((re.findall(r"^#(\d+)", text, re.M) or [0])[-1])
try:
    evidence = json.load(open(path))
except FileNotFoundError:
    evidence = {"schema": 1, "targets": {}}
entry = evidence["targets"].setdefault(target, {"executions": 0, "seconds": 0, "findings": 0})
entry["executions"] += executions
entry["seconds"] += int(seconds)
entry.update(edges=edges, features=features, inputs=int(inputs))
entry["findings"] += int(int(status) != 0)
entry["last"] = {
    "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "commit": commit,
    "compiler": compiler,
    "sanitizer": sanitizer,
    "executions": executions,
    "seconds": int(seconds),
    "findings": found,
}
evidence["targets"] = dict(sorted(evidence["targets"].items()))
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as out:
    json.dump(evidence, out, indent=2)
    out.write("\n")
print(f"{target}: {executions} executions, {seconds} s, {edges} edges, {features} features, {inputs} inputs, findings: {' '.join(found) or 'none'}")
PYTHON
done
exit $failed
