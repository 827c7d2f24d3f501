#!/usr/bin/env python3
"""The evidence page, docs/evidence.md: what was tried to break this, and what came of it.

    python3 .ci/evidence.py               runs the tests and laws anew, then makes the page
    python3 .ci/evidence.py STEP...       tests, coverage, ratios, peers, page; as named
    python3 .ci/evidence.py check         fails where the page is not what the result files say

Each step writes docs/evidence/STEP.json with its date (UTC), commit (with -dirty where the tree had
changes), compiler and processor; fuzz/run.sh, fuzz/mutants.sh and fuzz/planted.py write theirs. The page, its
chart and the table in README.md are made of these files alone.

Wants cargo-llvm-cov for `coverage`; node, and pycryptodome in this Python, for `peers`.
"""

import csv
import datetime
import glob
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = "docs/evidence"
PAGE = "docs/evidence.md"
CRATES = ["sts-core", "sts-batch", "sts-harness", "sts-query", "sts-cli", "sts-capi"]
# All but those that are a query engine.
FEATURES = "sts-core/zeroize,sts-harness/parquet,sts-cli/parquet"
# Cases of each law in the step `tests`.
CASES = 1024
# Rows that the scripts of users verify.
ROWS = 50_000


def output(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


# --- result files --------------------------------------------------------------------------------


def processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def write(name, found):
    commit = output("git", "rev-parse", "--short=12", "HEAD").strip()
    # Result files and the page may be there already.
    changed = output("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    stamp = {
        "schema": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit + ("-dirty" if changed.strip() else ""),
        "compiler": output("rustc", "--version").strip(),
        "processor": processor(),
    }
    with open(f"{FOLDER}/{name}.json", "w") as out:
        json.dump({**stamp, **found}, out, indent=1)
        out.write("\n")


def read(name):
    try:
        with open(f"{FOLDER}/{name}.json") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


# --- steps ---------------------------------------------------------------------------------------


def laws_in(crate):
    """The functions inside `proptest! { }` of a crate's sources."""
    names = set()
    for path in glob.glob(f"{crate}/src/**/*.rs", recursive=True) + glob.glob(f"{crate}/tests/**/*.rs", recursive=True):
        with open(path) as source:
            # rustfmt puts the closing brace under the first letter.
            for block in re.findall(r"^( *)(?:proptest::)?proptest! \{\n(.*?)^\1\}", source.read(), re.M | re.S):
                names.update(re.findall(r"#\[test\]\s*fn (\w+)", block[1]))
    return names


def tests():
    crates = {}
    for crate in CRATES:
        result = subprocess.run(
            ["cargo", "test", "-p", crate, *(["--all-features"] if crate not in ["sts-cli", "sts-query"] else [])],
            env={**os.environ, "PROPTEST_CASES": str(CASES)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if result.returncode:
            sys.exit(f"{crate}: tests fail\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
        outcomes = re.findall(r"^test (.+?) \.\.\. (ok|ignored)", result.stdout, re.M)
        passed = {name.split("::")[-1] for name, outcome in outcomes if outcome == "ok"}
        crates[crate] = {
            "passed": sum(outcome == "ok" for _, outcome in outcomes),
            "ignored": sum(outcome == "ignored" for _, outcome in outcomes),
            "examples": sum(" - " in name and outcome == "ok" for name, outcome in outcomes),
            "laws": sorted(laws_in(crate) & passed),
        }
        print(f"{crate}: {crates[crate]['passed']} passed", flush=True)
    write("tests", {"cases_of_a_law": CASES, "crates": crates})


def coverage():
    with tempfile.NamedTemporaryFile() as found:
        # Some tests kill the tool, which then leaves half a profile.
        mode = ["--json", "--summary-only", "--failure-mode", "all"]
        command = ["cargo", "llvm-cov", "--workspace", "--features", FEATURES, *mode]
        subprocess.run([*command, "--output-path", found.name], check=True)
        files = json.load(found)["data"][0]["files"]
    crates = {crate: {"lines": [0, 0], "regions": [0, 0]} for crate in CRATES}
    for file in files:
        crate = os.path.relpath(file["filename"], ROOT).split(os.sep)[0]
        if crate not in crates:
            continue
        for what in ["lines", "regions"]:
            counts = file["summary"][what]
            crates[crate][what][0] += counts["covered"]
            crates[crate][what][1] += counts["count"]
    write("coverage", {"crates": crates})


def ratios():
    command = ["cargo", "run", "--release", "--quiet", "--bin", "ratios", "--", "--json"]
    result = subprocess.run(command, cwd="benches", stdout=subprocess.PIPE, text=True)
    # 1: some fell under half of what is stated, which the page shall say.
    if result.returncode not in (0, 1):
        sys.exit(result.returncode)
    write("ratios", {"figures": json.loads(result.stdout)})
    return result.returncode


def peers():
    """CPU time of whole processes, files in and files out; all must say the same."""
    run = ["cargo", "run", "--release", "--quiet", "--manifest-path"]
    columns = ["id", "token", "result", "subclass", "rnd", "tid", "tid_time", "units_raw"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*run, "benches/Cargo.toml", "--bin", "table", "--", folder, str(ROWS)], check=True)
        keys, tokens = f"{folder}/keys.toml", f"{folder}/tokens.csv"
        metadata = json.loads(output("cargo", "metadata", "--format-version=1", "--no-deps"))
        subprocess.run(["cargo", "build", "--release", "--quiet"], check=True)
        scripts = {
            "Python": [sys.executable, "benches/peers/verify.py", keys, tokens],
            "Node": ["node", "--openssl-legacy-provider", "benches/peers/verify.mjs", keys, tokens],
            "sts verify": [
                f"{metadata['target_directory']}/release/sts", "verify", "--keys", keys, "--input", tokens,
                "--out", f"{folder}/sts.csv", "--threads", "1",
            ],
        }  # fmt: skip
        versions = {"Python": platform.python_version(), "Node": output("node", "--version").strip()}
        seconds, said = {}, {}
        for name, command in scripts.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            # sts verify ends with 1 where a token is refused.
            ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if ended.returncode not in (0, 1):
                sys.exit(f"{name} ended with {ended.returncode}")
            text = ended.stdout
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if name == "sts verify":
                with open(f"{folder}/sts.csv") as file:
                    text = file.read()
            said[name] = [[row[it] for it in columns] for row in csv.DictReader(text.splitlines())]
        if len({json.dumps(rows) for rows in said.values()}) != 1 or len(said["Node"]) != ROWS:
            sys.exit("the verdicts differ")
    found = [{"name": name, "version": versions.get(name), "seconds": round(seconds[name], 3)} for name in scripts]
    write("peers", {"rows": ROWS, "tools": found})


# --- the page ------------------------------------------------------------------------------------


def stamp(of):
    compiler = of.get("compiler", "").split(" (")[0]
    machine = of.get("processor")
    more = [part for part in [compiler, machine] if part]
    return f"*{', '.join([of['date'][:10], 'commit ' + of['commit'], *more])}*\n\n"


def table(header, rows):
    # Columns of numbers stand to the right.
    numbers = [all(re.match(r"[\d,. ]*( %|$)", str(cell)) for cell in column) for column in zip(*rows)]
    align = ["---:" if number else "---" for number in numbers]
    lines = [header, align, *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines) + "\n"


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else ""


def vector_files():
    for path in sorted(glob.glob("vectors/*.json")):
        with open(path) as file:
            vectors = json.load(file)
        if "cases" in vectors:
            yield os.path.basename(path), vectors


def of_tests(found):
    crates = found["crates"]
    text = "## Tests and laws\n\n" + stamp(found)
    text += table(
        ["crate", "tests passed", "of them examples in the documentation", "laws", "ignored"],
        [[name, it["passed"], it["examples"], len(it["laws"]), it["ignored"]] for name, it in crates.items()],
    )
    laws = sum(len(it["laws"]) for it in crates.values())
    text += f"A law is a sentence that holds of any input; each of the {laws} was tried on {found['cases_of_a_law']:,} "
    text += "random ones in this run:\n\n"
    for name, it in crates.items():
        text += "".join(f"- {name}: {law.replace('_', ' ')}\n" for law in it["laws"])
    return text + "\n"


def of_vectors():
    text = "## Vectors\n\nEach case goes through the core, and through the command line as far as it can be said there, in\n"
    text += "the tests above.\n\n"
    rows = [[f"[{name}](../vectors/{name})", it["origin"], len(it["cases"])] for name, it in vector_files()]
    return text + table(["file", "where it is from", "cases"], rows)


def of_fuzz(found):
    targets = found["targets"]
    text = "## Fuzzing\n\nCoverage-guided, by `fuzz/run.sh`; what was found has been mended, and its input is kept in the\ncorpus, "
    text += "which the tests replay. Edges are those that the kept inputs reach.\n\n"
    rows = [
        [name, f"{it['executions']:,}", f"{it['edges']:,}", len(it["last"]["findings"]), it["last"]["date"][:10], it["last"]["commit"]]
        for name, it in targets.items()
    ]
    text += table(["target", "executions", "edges", "open findings", "last run", "commit"], rows)
    return text + f"{sum(it['executions'] for it in targets.values()):,} executions in all.\n\n"


def score(files):
    noticed = sum(it["caught"] + it["timeout"] for it in files)
    missed = sum(len(it["missed"]) - len(it.get("equivalent", {})) for it in files)
    return noticed, missed


def of_mutants(found):
    text = "## Mutants\n\ncargo-mutants changes the code in one place and asks whether a test notices (`fuzz/mutants.sh`). What no\n"
    text += "test could notice, since it changes nothing that can be seen, is listed with the reason.\n\n"
    rows = []
    for name, it in found["files"].items():
        noticed, missed = score([it])
        rows.append([name, noticed, missed, len(it.get("equivalent", {})), it["unviable"], percent(noticed, noticed + missed), it["date"][:10], it["commit"]])
    text += table(["file", "noticed", "missed", "equivalent", "do not compile", "score", "date", "commit"], rows)
    for name, it in found["files"].items():
        for mutant in it["missed"]:
            why = it.get("equivalent", {}).get(mutant)
            text += f"- `{mutant}`: {'equivalent, ' + why if why else 'missed'}\n"
    return text + "\n"


def of_coverage(found):
    text = "## Coverage\n\n" + stamp(found)
    text += "By `cargo-llvm-cov`, all features. Unit tests stand in the files that they test and count as covered.\n\n"
    rows = [
        [name, percent(*it["lines"]), percent(*it["regions"]), f"{it['lines'][1]:,}"] for name, it in found["crates"].items()
    ]
    return text + table(["crate", "lines", "regions", "lines in all"], rows)


def of_planted(found):
    text = "## Planted faults\n\n" + stamp(found)
    text += "Each fault was put into the code by `fuzz/planted.py`, one at a time.\n\n"
    rows = [[it["what"], f"`{it['file']}`", "; ".join(it["caught"])] for it in found["faults"]]
    return text + table(["fault", "in", "found by"], rows)


def of_ratios(found):
    text = "## Against the straightforward form\n\n" + stamp(found)
    text += "Both in one process, rounds in turn, CPU time of the thread, tenth percentile: `cargo run --release --bin ratios`\n"
    text += "in `benches/`. Less than half of what is stated fails.\n\n![How many times as fast](evidence/ratios.svg)\n\n"
    rows = [
        [it["title"], it["form"], "" if it["ns"] is None else f"{it['ns']:,.1f}", f"{it['ratio']:.1f}", it["stated"] or ""]
        for it in found["figures"]
    ]
    return text + table(["what", "form", "ns", "times", "stated"], rows)


def of_peers(found):
    text = "## Against scripts\n\n" + stamp(found)
    text += f"The same {found['rows']:,} rows from file to file, every row its own key, CPU time of the whole process. The scripts\n"
    text += "(`benches/peers`) are written for this with pycryptodome and Node's `crypto`; all three say the same.\n\n"
    best = found["tools"][-1]["seconds"]
    rows = [
        [f"{it['name']} {it['version'] or ''}".strip(), it["seconds"], f"{1e6 * it['seconds'] / found['rows']:.2f}", f"{it['seconds'] / best:,.0f}"]
        for it in found["tools"]
    ]
    return text + table(["tool", "seconds", "µs a row", "times as long"], rows)


SECTIONS = [
    ("tests", of_tests), ("fuzz", of_fuzz), ("mutants", of_mutants), ("coverage", of_coverage),
    ("planted", of_planted), ("ratios", of_ratios), ("peers", of_peers),
]  # fmt: skip


def page():
    text = "# Evidence\n\nWhat was tried to break this, and what came of it. Made by `python3 .ci/evidence.py` of the result\n"
    text += "files in [evidence](evidence); nothing here is written by hand.\n\n"
    for name, section in SECTIONS:
        if found := read(name):
            text += section(found)
        if name == "tests":
            text += of_vectors()
    return text.rstrip("\n") + "\n"


def short():
    """The table of README.md."""
    rows = []

    def row(what, figure, of):
        rows.append([what, figure, f"{of['date'][:10]}, {of['commit']}"])

    if found := read("tests"):
        crates = found["crates"].values()
        row("tests", f"{sum(it['passed'] for it in crates):,} passed", found)
        row("laws, random cases of each", f"{sum(len(it['laws']) for it in crates)} × {found['cases_of_a_law']:,}", found)
        cases = {own: sum(len(it["cases"]) for _, it in vector_files() if (it["origin"] == "This project.") == own) for own in (True, False)}
        row("vectors, published + own", f"{cases[False]} + {cases[True]}", found)
    if found := read("fuzz"):
        last = max((it["last"] for it in found["targets"].values()), key=lambda it: it["date"])
        total = sum(it["executions"] for it in found["targets"].values())
        findings = sum(len(it["last"]["findings"]) for it in found["targets"].values())
        row("fuzzer executions, open findings", f"{total:,}, {findings}", last)
    if found := read("mutants"):
        core = [it for name, it in found["files"].items() if name.startswith("sts-core/")]
        ranking = [it for name, it in found["files"].items() if name.startswith("sts-harness/")]
        for name, files in [("core", core), ("ranking", ranking)]:
            if files:
                noticed, missed = score(files)
                row(f"mutants noticed, {len(files)} files of the {name}", percent(noticed, noticed + missed), max(files, key=lambda it: it["date"]))
    if found := read("coverage"):
        core = found["crates"]["sts-core"]
        row("lines and regions of the core under test", f"{percent(*core['lines'])}, {percent(*core['regions'])}", found)
    if found := read("planted"):
        caught = sum(len(it["caught"]) >= 2 for it in found["faults"])
        row("planted faults found by two kinds of test", f"{caught} of {len(found['faults'])}", found)
    if found := read("ratios"):
        best = {it["title"]: it["ratio"] for it in found["figures"]}
        for title, what in [
            ("sts verify, CSV to CSV, own key each, a row", "`sts verify` against the straightforward form"),
            ("search, DKGA02 and Sta, 600 groups, a candidate", "search against the straightforward form"),
        ]:
            row(what, f"{best[title]:.0f} times", found)
    if found := read("peers"):
        *scripts, own = found["tools"]
        row("`sts verify` against " + " and ".join(it["name"] for it in scripts),
            ", ".join(f"{it['seconds'] / own['seconds']:,.0f} times" for it in scripts), found)  # fmt: skip
    return table(["what", "figure", "date, commit"], rows).rstrip("\n")


def chart():
    """The ratios as bars of a logarithmic scale."""
    found = read("ratios")
    if not found:
        return None
    bars, slowest = [], None
    for it in found["figures"]:
        # The widest lanes of a comparison are the last of it, and stand for it.
        if it["ns"] is not None and it["ratio"] > 1.05 and "mixed" not in it["form"] and " 5 groups" not in it["title"]:
            title = it["title"].replace(", 600 groups, a candidate", "").replace(", own key each, a row", "").replace(", key ready", "")
            title += ", keys kept" if "derived" in it["form"] else ""
            title = title.replace(", words", " against word loops")
            bars = [bar for bar in bars if bar[0] != title] + [(title, it["ratio"])]
    left, width, height = 300, 380, 24
    right = math.log10(max(ratio for _, ratio in bars))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height * len(bars) + 40}" role="img" aria-label="How many times as fast as the straightforward form">',
        "<style>text{font:13px system-ui,sans-serif;fill:#24292f}rect{fill:#0a7ea4}line{stroke:#8888}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#4cc2e6}}</style>",
    ]
    for power in range(math.ceil(right) + 1):
        if power <= right:
            x = left + width * power / right
            lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="4" y2="{height * len(bars) + 6}"/>')
            lines.append(f'<text x="{x:.0f}" y="{height * len(bars) + 24}" text-anchor="middle">{10**power} ×</text>')
    for at, (title, ratio) in enumerate(bars):
        y, length = height * at + 6, width * math.log10(ratio) / right
        lines.append(f'<text x="{left - 10}" y="{y + 14}" text-anchor="end">{title}</text>')
        lines.append(f'<rect x="{left}" y="{y + 2}" width="{length:.0f}" height="{height - 8}" rx="2"/>')
        lines.append(f'<text x="{left + length + 8:.0f}" y="{y + 14}">{ratio:.{0 if ratio >= 10 else 1}f}</text>')
    return "\n".join([*lines, "</svg>", ""])


def made():
    """Each file that is made, and its text."""
    with open("README.md") as file:
        readme = file.read()
    begin, end = "<!-- evidence: made by .ci/evidence.py -->\n\n", "\n\n<!-- /evidence -->"
    before, rest = readme.split(begin)
    files = {PAGE: page(), "README.md": before + begin + short() + end + rest.split(end)[1]}
    if drawn := chart():
        files[f"{FOLDER}/ratios.svg"] = drawn
    return files


def make_page():
    for path, text in made().items():
        with open(path, "w") as out:
            out.write(text)


def check():
    stale = []
    for path, text in made().items():
        with open(path) as file:
            if file.read() != text:
                stale.append(path)
    if stale:
        print(f"not as the result files say: {', '.join(stale)}; python3 .ci/evidence.py page", file=sys.stderr)
    return bool(stale)


STEPS = {"tests": tests, "coverage": coverage, "ratios": ratios, "peers": peers, "page": make_page, "check": check}


def main():
    os.chdir(ROOT)
    os.makedirs(FOLDER, exist_ok=True)
    words = sys.argv[1:] or ["tests", "page"]
    if any(word not in STEPS for word in words):
        sys.exit(__doc__)
    return any([STEPS[word]() for word in words])


if __name__ == "__main__":
    sys.exit(main())
