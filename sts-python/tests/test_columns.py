"""What columns may come as, and what is said of those that cannot be used."""

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sts

from conftest import CASE


@pytest.fixture
def table(rows: pd.DataFrame) -> pa.Table:
    return pa.table(rows)


@pytest.fixture
def expected(functions: sts.Functions, table: pa.Table) -> list[str]:
    results: list[str] = functions.verify(table).to_pylist()
    assert set(results) == {"Authentic", "LengthError", "CRCError", "KeyMissing"} & set(results)
    assert results.count("Authentic") > 10
    return results


def test_same_answers_from_each_library(
    functions: sts.Functions, rows: pd.DataFrame, table: pa.Table, expected: list[str]
) -> None:
    for form in [rows, pl.DataFrame(rows), pl.DataFrame(rows).to_arrow(), table.to_batches()[0]]:
        assert functions.verify(form).to_pylist() == expected, type(form)


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_same_answers_from_each_form_of_text(
    functions: sts.Functions, table: pa.Table, expected: list[str], kind: pa.DataType
) -> None:
    table = table.cast(pa.schema([(name, kind) for name in table.column_names]))
    assert functions.verify(table).to_pylist() == expected


def test_whole_numbers_where_no_zeros_are_lost(
    functions: sts.Functions, table: pa.Table, expected: list[str]
) -> None:
    for name in ["ea", "krn", "ti", "kt"]:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(pa.int8()))
    assert functions.verify(table).to_pylist() == expected


def test_meter_by_each_of_its_columns(
    functions: sts.Functions, table: pa.Table, expected: list[str]
) -> None:
    pans = sts.meter(table["drn"])
    for name, meters in [("meter", pans), ("meter", table["drn"]), ("pan", pans)]:
        named = table.drop_columns("drn").append_column(name, meters)
        assert functions.verify(named).to_pylist() == expected
    both = table.append_column("pan", pans).append_column("iin", pa.nulls(len(table), pa.string()))
    assert functions.verify(both).to_pylist() == expected


def test_chunks_stay_chunks(
    functions: sts.Functions, table: pa.Table, expected: list[str]
) -> None:
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=7))
    results = functions.verify(chunked)
    assert results.num_chunks == 5
    assert results.to_pylist() == expected
    assert functions.decode(chunked)["result"].to_pylist() == expected


def test_slices_start_where_they_start(
    functions: sts.Functions, table: pa.Table, expected: list[str]
) -> None:
    assert functions.verify(table.slice(3, 9)).to_pylist() == expected[3:12]
    assert functions.verify(table.to_batches()[0].slice(5)).to_pylist() == expected[5:]


def test_readers_are_read_chunk_by_chunk(
    functions: sts.Functions, table: pa.Table, expected: list[str]
) -> None:
    reader = pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=9)))
    assert functions.verify(reader).to_pylist() == expected


def test_no_rows_give_no_rows_of_the_same_type(
    functions: sts.Functions, table: pa.Table, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    for none in [table.slice(0, 0), table.schema.empty_table(), pl.DataFrame(table).clear()]:
        assert functions.verify(none).type == pa.string()
        assert functions.decode(none).schema == functions.decode(table).schema
    assert functions.replay(entries.head(0), meters).num_rows == 0
    assert set(functions.replay(entries, meters.head(0))["cause"].to_pylist()) == {None}


def test_null_token_has_null_result(functions: sts.Functions) -> None:
    rows = pa.table({"token": [None, "", "1"], "krn": [None, "1", "x"]})
    assert functions.verify(rows).to_pylist() == [None, "LengthError", "FieldError"]
    decoded = functions.decode(rows)
    assert decoded["result"].to_pylist() == [None, "LengthError", "FieldError"]
    assert decoded["error"].is_null().to_pylist() == [True, False, False]


def test_result_is_a_column_of_each_library(
    functions: sts.Functions, rows: pd.DataFrame, expected: list[str]
) -> None:
    rows["result"] = functions.verify(rows)
    assert rows["result"].tolist() == expected
    frame = pl.DataFrame(rows).with_columns(again=pl.Series(functions.verify(rows)))
    assert frame["again"].to_list() == expected


def test_chunked_entries_are_one_table(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    chunked = pa.Table.from_batches(pa.table(entries).to_batches(max_chunksize=4))
    assert functions.replay(chunked, pl.DataFrame(meters)) == functions.replay(entries, meters)


def test_times_of_columns(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    expected = functions.replay(entries, meters)
    local = sts.time(pa.array(entries["entered_at"])).cast(pa.timestamp("us", "Africa/Johannesburg"))
    timed = entries.assign(entered_at=local.to_pandas())
    assert functions.replay(timed, meters) == expected
    naive = entries.assign(entered_at=local.cast(pa.timestamp("us")).to_pandas())
    with pytest.raises(ValueError, match="column entered_at: .* without a zone"):
        functions.replay(naive, meters)


def test_numbers_that_lost_their_zeros_are_refused(functions: sts.Functions) -> None:
    rows = pd.read_csv(CASE / "entries.csv").rename(columns={"entered": "token"})
    with pytest.raises(ValueError, match="column drn: is Int64, expected text.*lost its zeros"):
        functions.verify(rows)
    with pytest.raises(ValueError, match="column krn: is Float64, expected text or whole numbers"):
        functions.verify(rows.drop(columns="drn"))


def test_missing_columns_are_named(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    with pytest.raises(ValueError, match="column token: is missing from the rows"):
        functions.verify(entries)
    with pytest.raises(ValueError, match="column entered_at: is missing from the entries"):
        functions.replay(entries.drop(columns="entered_at"), meters)
    with pytest.raises(ValueError, match="column pan or drn: is missing from the meters"):
        functions.diagnose(entries, meters.drop(columns="drn"))


def test_columns_of_other_types_are_refused(functions: sts.Functions) -> None:
    lists = pa.table({"token": [["1"]]})
    with pytest.raises(ValueError, match="column token: is List.*expected text"):
        functions.verify(lists)
    # What nobody asks for may be anything.
    assert len(functions.verify(pa.table({"token": ["1"], "other": [["1"]]}))) == 1


def test_what_is_no_table_is_a_type_error(functions: sts.Functions) -> None:
    things: list[Any] = [["1"], "1", None, pa.array([1]), pl.Series(["1"])]
    for thing in things:
        with pytest.raises(TypeError, match=f"expected a table .*found {type(thing).__name__}"):
            functions.verify(thing)
    with pytest.raises(TypeError, match="expected an array"):
        sts.meter(things[1])


def test_error_of_a_reader_is_told(functions: sts.Functions) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        raise RuntimeError("the line is down")
        yield

    reader = pa.RecordBatchReader.from_batches(pa.schema([("token", pa.string())]), batches())
    with pytest.raises(ValueError, match="the line is down"):
        functions.verify(reader)


def test_rows_that_cannot_be_read_say_why(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    entries.loc[0, "entered_at"] = "yesterday"
    entries.loc[1, "drn"] = "1202401012"
    errors = functions.replay(entries, meters)["error"].to_pylist()
    assert errors[0].startswith("entered_at: ") and errors[1].startswith("drn: ")
    assert errors[2:] == [None] * (len(errors) - 2)


def test_numbers_without_a_key() -> None:
    numbers = pa.array(["01202401012", "600727012024010120", "01202401011", None])
    assert sts.meter(numbers).to_pylist() == ["600727012024010120"] * 2 + [None] * 2
    problems = sts.meter_problem(numbers).to_pylist()
    assert problems[2] is not None and problems[:2] + problems[3:] == [None] * 3
    minute = datetime(1993, 1, 1, 0, 1, tzinfo=timezone.utc)
    tids = pa.chunked_array([[1], [1, 2**24, None]])
    assert sts.tid_time(tids, 1993).to_pylist() == [minute, minute, None, None]
    years = sts.tid_time(tids, pa.array([1993, 2014, 1993, 1993])).to_pylist()
    assert years[1] == minute.replace(year=2014)
    with pytest.raises(ValueError, match="base_date: has 1 rows, expected 4"):
        sts.tid_time(tids, pa.array([1993]))
    with pytest.raises(ValueError, match="tid: is Utf8, expected whole numbers"):
        sts.tid_time(pa.array(["1"]), 1993)
    times = sts.time(pa.array(["2024-11-01T09:20:00+02:00", "2024-11-01T09:20:00"])).to_pylist()
    assert times == [datetime(2024, 11, 1, 7, 20, tzinfo=timezone.utc), None]


def test_files_that_cannot_be_used() -> None:
    keys = CASE / "keys.toml"
    none = "none.toml"
    missing: list[Callable[[], sts.Functions]] = [
        lambda: sts.Functions(none),
        lambda: sts.Functions(keys, kek_file=none),
        lambda: sts.Functions(keys, passphrase_file=keys, model=none),
        lambda: sts.Functions(keys, profiles=[none]),
    ]
    for opened in missing:
        with pytest.raises(FileNotFoundError) as error:
            opened()
        assert error.value.filename == none
    with pytest.raises(ValueError, match="case.toml:3: unknown field `notes`"):
        sts.Functions(CASE / "case.toml")
    with pytest.raises(ValueError):
        sts.Functions(keys, profiles=[CASE / "case.toml"])


def test_fingerprint_is_that_of_keys_and_profiles(functions: sts.Functions) -> None:
    again = sts.Functions(str(CASE / "keys.toml"))
    assert len(again.fingerprint) == 16 and again.fingerprint == functions.fingerprint
    other = sts.Functions(CASE.parent / "refusals/keys.toml")
    assert other.fingerprint != functions.fingerprint
