"""What the example on Spark wrote is what one process says."""

import os

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sts

OUT = os.environ.get("STS_SPARK")
pytestmark = pytest.mark.skipif(OUT is None, reason="STS_SPARK names no output of the example")


def test_results_are_those_of_one_process(functions: sts.Functions, rows: pd.DataFrame) -> None:
    results = pq.read_table(f"{OUT}/results").to_pandas()
    expected = functions.verify(rows[["token", "drn"]]).to_pylist()
    assert dict(results.to_numpy()) == dict(zip(rows["id"], expected, strict=True))


def test_verdicts_are_those_of_one_process(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    verdicts = pq.read_table(f"{OUT}/verdicts")
    expected = functions.replay(entries, meters).select(verdicts.column_names)
    assert verdicts.sort_by("id").to_pylist() == expected.sort_by("id").to_pylist()
