#!/usr/bin/env python3
"""Rows a second of `sts sql` and `sts verify` on one Parquet file, each row with its own key.

    speed.py STS [ROWS]

Both run on one thread and write Parquet's or CSV's answers to a file, in turns; the best of each
counts, in CPU time and by the clock. Fails where `sts sql` is under half as fast.
"""

import csv
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
QUERY = """SELECT id, token, sts_verify(token, pan, ea, sgc, krn, ti, kt) AS result FROM sales"""


def main():
    sts, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sts-speed-"))
    keys = make(sts, folder, rows)
    sql = [sts, "sql", "--keys", keys, "--threads", "1", QUERY, folder / "sales.parquet", "--out"]
    forms = {
        "sts verify, CSV out": [sts, "verify", "--keys", keys, "--threads", "1", "--input",
                                folder / "sales.parquet", "--out", folder / "verify.csv"],
        "sts sql, CSV out": [*sql, folder / "sql.csv"],
        "sts sql, Parquet out": [*sql, folder / "sql.parquet"],
    }
    best = dict.fromkeys(forms, (float("inf"), float("inf")))
    for _ in range(ROUNDS):
        for name, command in forms.items():
            best[name] = tuple(map(min, best[name], timed(command)))
    for name, (cpu, clock) in best.items():
        print(f"{name}: {rows / cpu:,.0f} rows a CPU second, {rows / clock:,.0f} by the clock")
    same(folder, rows)
    for place, what in enumerate(["CPU time", "the clock"]):
        verify, in_sql = best["sts verify, CSV out"][place], best["sts sql, CSV out"][place]
        ratio = verify / in_sql
        print(f"sts sql is {ratio:.2f} times as fast as sts verify, by {what}")
        if ratio < 0.5:
            sys.exit("under half as fast")


def timed(command):
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    status = subprocess.run([str(it) for it in command], stdout=subprocess.DEVNULL).returncode
    # 1: some tokens are none.
    assert status in (0, 1), command
    clock, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return cpu, clock


def make(sts, folder, rows):
    """Sales of as many meters, their tokens under a test key, one in a hundred of them spoilt."""
    random.seed(20241101)
    keys = folder / "keys.toml"
    keys.write_text(
        '[[vending_key]]\nid = "test"\npurpose = "test"\nsgc = "123456"\nkrn = 1\nkt = 2\n'
        'dkga = "02"\nbase_date = 2014\nkey = "0123456789abcdef"\n'
    )
    wanted = folder / "wanted.csv"
    with open(wanted, "w") as to:
        to.write("id,pan,ea,sgc,krn,ti,kt,kind,subclass,tid,units_raw\n")
        for row in range(rows):
            pan = meter(row)
            to.write(f"{row},{pan},07,123456,1,01,2,credit,0,{random.randrange(1 << 24)},"
                     f"{random.randrange(1, 5000)}\n")
    issued = subprocess.run(
        [sts, "issue", "--keys", keys, "--input", wanted, "--format", "ndjson"],
        check=True, capture_output=True, text=True,
    ).stdout

    sales = folder / "sales.csv"
    with open(sales, "w") as to:
        to.write("id,pan,ea,sgc,krn,ti,kt,token\n")
        for row, line in enumerate(issued.splitlines()):
            issue = json.loads(line)
            token = issue["token"] if "token" in issue else issue["tokens"][0]
            if row % 100 == 99:
                token = f"{(int(token) + 1) % 10**19:020}"
            to.write(f"{row},{meter(row)},07,123456,1,01,2,{token}\n")
    subprocess.run(
        [sts, "sql", f"COPY sales TO '{folder}/sales.parquet' STORED AS PARQUET", sales],
        check=True, stdout=subprocess.DEVNULL,
    )
    return keys


def meter(row):
    """The 18 digits of a meter of its own."""
    drn = f"{row * 7919 % 10**10:010}"
    drn += luhn(drn)
    return "600727" + drn + luhn("600727" + drn)


def luhn(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def same(folder, rows):
    """Both say the same of every row."""
    with open(folder / "verify.csv") as one, open(folder / "sql.csv") as other:
        said = {row["id"]: row["result"] for row in csv.DictReader(other)}
        for row in csv.DictReader(one):
            assert said[row["id"]] == row["result"], row
    assert len(said) == rows, len(said)
    print(f"the same of all {rows:,} rows")


if __name__ == "__main__":
    main()
