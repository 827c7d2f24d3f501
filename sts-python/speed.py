"""How fast `verify` is from Python, against the Rust function that it calls.

    python speed.py STS VERIFY_SPEED

STS is the tool that makes the tokens, VERIFY_SPEED the example of that name of `sts-query`. A million
rows, each of a meter and thus a key of its own, as Arrow data in memory; CPU time of one thread, the
least of several passes, the two taking turns. One line of JSON comes out.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import sts

ROWS = 1_000_000
ROUNDS = 5
KEYS = Path(__file__).parents[1] / "examples/mangaung-2024/keys.toml"
KEY = {"ea": "07", "sgc": "600457", "krn": "2", "ti": "01", "kt": "2"}


def drn(number: int) -> str:
    """A meter's 11 digits: the last is a check digit."""
    digits = f"{number:010}"
    doubled = "".join(str(2 * int(digit)) for digit in digits[::-2])
    return digits + str(-(sum(map(int, doubled)) + sum(map(int, digits[-2::-2]))) % 10)


def issued(tool: str, folder: Path) -> pa.Table:
    """A token for each of so many meters."""
    meters = [drn(1_000_000_000 + place) for place in range(ROWS)]
    order = folder / "issue.csv"
    with order.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "drn", *KEY, "kind", "subclass", "issued_at", "units_raw"])
        for place, meter in enumerate(meters):
            what = ["credit", 0, "2024-11-02T10:10:00Z", 1 + place % 10_000]
            rows.writerow([place, meter, *KEY.values(), *what])
    command = [tool, "issue", "--keys", str(KEYS), "--input", str(order), "--format", "ndjson"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as issue:
        assert issue.stdout is not None
        tokens = [json.loads(line)["tokens"][0] for line in issue.stdout]
    columns = {"token": tokens, "meter": meters} | {name: [said] * ROWS for name, said in KEY.items()}
    return pa.Table.from_batches(pa.table(columns).to_batches(max_chunksize=65_536))


def main(tool: str, program: str) -> None:
    functions = sts.Functions(KEYS)
    rust, python = [], []
    with tempfile.TemporaryDirectory() as folder:
        rows = issued(tool, Path(folder))
        file = Path(folder) / "rows.arrow"
        with pa.ipc.new_file(file, rows.schema) as out:
            out.write_table(rows)
        assert set(functions.verify(rows).unique().to_pylist()) == {"Authentic"}
        for _ in range(ROUNDS):
            rust.append(float(subprocess.check_output([program, KEYS, file])))
            for _ in range(3):
                start = time.thread_time()
                functions.verify(rows)
                python.append(time.thread_time() - start)
    figures = {
        "rows": rows.num_rows,
        "rust_rows_per_second": round(rows.num_rows / min(rust)),
        "python_rows_per_second": round(rows.num_rows / min(python)),
        "ratio": round(min(rust) / min(python), 3),
    }
    print(json.dumps(figures))


main(*sys.argv[1:])
