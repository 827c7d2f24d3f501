#!/usr/bin/env python3
"""Plants faults, one at a time, and sees that at least two kinds of test find each.

    python3 fuzz/planted.py           all of them; writes docs/evidence/planted.json
    python3 fuzz/planted.py N...      these, by number, written nowhere

Works in a clone of HEAD in a folder for temporary files: the tree is left alone. Exits with 1 where a
fault was found by fewer than two kinds, or where a test fails without one.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

CORE = "cargo test -q -p sts-core --all-features "
# What shares neither code nor author's eye with the others: the tokens that others have published, a
# second implementation written for the tests, laws that hold of any input, cases by hand, entries that
# the fuzzer kept, another language, and what the tool prints.
KINDS = {
    "vectors": CORE + "--test vectors",
    "naive forms": CORE + "--test ciphers",
    "laws": CORE + "--test laws",
    "meter by hand": CORE + "--test meter",
    "unit tests of the core": CORE + "--lib",
    "every value": CORE + "--test exhaustive",
    "fuzz corpus": "cargo test -q --manifest-path fuzz/Cargo.toml",
    "core against batches": "cargo test -q -p sts-batch --test scalar",
    "vectors in batches": "cargo test -q -p sts-batch --test vectors",
    "causes": "cargo test -q -p sts-harness --test causes",
    "simulated causes": "cargo test -q -p sts-harness --test simulate",
    "unit tests of the harness": "cargo test -q -p sts-harness --lib",
    "vectors by the tool": "cargo test -q -p sts-cli --test vectors",
    "example by the tool": "cargo test -q -p sts-cli --test example",
    "explanations by the tool": "cargo test -q -p sts-cli --test explain",
    "conformance suites": "cargo test -q -p sts-cli --test conform",
    "C ABI from Rust": "cargo test -q -p sts-capi --all-features",
    "C ABI from C": "bash sts-capi/test.sh",
}

# What is wrong, in which file, from what to what, and the kinds of test that are to find it.
FAULTS = [
    (
        "the checksum divides by another polynomial",
        "sts-core/src/crc.rs", "parity & 0xc001", "parity & 0xa001",
        ["vectors", "unit tests of the core", "core against batches"],
    ),
    (
        "two nibbles of a substitution change places",
        "sts-core/src/cipher/sta.rs", "[12, 8, 2, 13, 7, 6,", "[8, 12, 2, 13, 7, 6,",
        ["vectors", "naive forms", "example by the tool"],
    ),
    (
        "a used token that is the lowest remembered is called old",
        "sts-core/src/meter.rs", "old: id < oldest_kept", "old: id <= oldest_kept",
        ["meter by hand", "fuzz corpus", "conformance suites"],
    ),
    (
        "a register is full one unit early",
        "sts-core/src/meter.rs", "Some(total) if added <= headroom", "Some(total) if added < headroom",
        ["meter by hand", "laws", "fuzz corpus"],
    ),
    (
        "amounts are rounded down, against the customer",
        "sts-core/src/amount.rs",
        "units.saturating_sub(offset).div_ceil(step)", "(units.saturating_sub(offset) / step)",
        ["every value", "laws", "unit tests of the core"],
    ),
    (
        "a key expires with the month that it is still good for",
        "sts-core/src/key.rs", "tid.high_byte() > self.get()", "tid.high_byte() >= self.get()",
        ["meter by hand", "fuzz corpus", "laws"],
    ),
    (
        "batches put a digit of the tariff index in another place",
        "sts-batch/src/dkga04.rs", "| units << 24", "| units << 16",
        ["core against batches", "vectors in batches", "causes"],
    ),
    (
        "batches judge currency tokens by the other checksum",
        "sts-batch/src/crc.rs",
        "currency.choose(wrong_currency, wrong)", "currency.choose(wrong, wrong_currency)",
        ["core against batches", "vectors by the tool", "unit tests of the harness"],
    ),
    (
        "a later key is taken for an earlier one",
        "sts-harness/src/diagnose/search.rs", "(1..=4).contains(", "(5..=8).contains(",
        ["causes", "simulated causes", "explanations by the tool"],
    ),
    (
        "the C answer swaps what a credit names: register and balance",
        "sts-capi/src/answer.rs",
        "(StsOutcome::Credited, u32::from(register), balance)",
        "(StsOutcome::Credited, balance as u32, u64::from(register))",
        ["C ABI from Rust", "C ABI from C"],
    ),
]  # fmt: skip


def run(kind, tree):
    result = subprocess.run(
        KINDS[kind], shell=True, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return result.returncode == 0, result.stdout + result.stderr


def main():
    wanted = [int(word) - 1 for word in sys.argv[1:]] or range(len(FAULTS))
    git = ["git", "-C", ROOT]
    commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
    os.environ.setdefault("CARGO_TARGET_DIR", os.path.join(ROOT, "target", "planted"))
    start = datetime.datetime.now(datetime.timezone.utc)
    found, bad = [], False
    with tempfile.TemporaryDirectory() as tree:
        subprocess.check_call(["git", "clone", "-q", ROOT, tree])
        for kind in sorted({kind for at in wanted for kind in FAULTS[at][4]}):
            good, said = run(kind, tree)
            if not good:
                sys.exit(f"{kind}: fails without a fault\n{said[-3000:]}")
        for at in wanted:
            what, file, of, to, kinds = FAULTS[at]
            path = os.path.join(tree, file)
            with open(path) as source:
                text = source.read()
            if text.count(of) != 1:
                sys.exit(f"{file}: {text.count(of)} places read {of!r}, expected one")
            with open(path, "w") as source:
                source.write(text.replace(of, to))
            caught = []
            for kind in kinds:
                good, said = run(kind, tree)
                if "error: could not compile" in said:
                    sys.exit(f"{what}: does not compile\n{said[-3000:]}")
                if not good:
                    caught.append(kind)
            with open(path, "w") as source:
                source.write(text)
            bad |= len(caught) < 2
            missed = [kind for kind in kinds if kind not in caught]
            found.append({"what": what, "file": file, "caught": caught, "missed": missed})
            print(f"{at + 1:2} {what}: caught by {caught}, not by {missed}", flush=True)
    if len(found) == len(FAULTS):
        with open(os.path.join(ROOT, "docs", "evidence", "planted.json"), "w") as out:
            stamp = {"schema": 1, "date": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": commit}
            json.dump({**stamp, "faults": found}, out, indent=2)
            out.write("\n")
    return bad


if __name__ == "__main__":
    sys.exit(main())
