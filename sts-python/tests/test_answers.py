"""The answers are those of the tool `sts`, and those of the vectors."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sts

from conftest import CASE, ROOT

Case = dict[str, Any]
BASE_DATES = {"93": "1993", "14": "2014", "35": "2035"}


def test_verdicts_of_a_replay_are_those_of_the_tool(
    functions: sts.Functions,
    entries: pd.DataFrame,
    meters: pd.DataFrame,
    tool: Callable[..., str],
    tmp_path: Path,
) -> None:
    out = tmp_path / "verdicts.csv"
    tool("replay", CASE, "--alone", "--out", out)
    told = pd.read_csv(out, dtype=str).set_index("id")
    verdicts = functions.replay(entries, meters).to_pandas()
    assert verdicts["id"].tolist() == entries["id"].tolist()
    said = verdicts.set_index("id").loc[told.index]
    for name in said.columns:
        if pd.api.types.is_numeric_dtype(said[name]):
            told[name] = told[name].astype(float)
        pd.testing.assert_series_equal(said[name], told[name], check_dtype=False)


def test_decoded_tokens_are_those_of_the_tool(
    functions: sts.Functions, rows: pd.DataFrame, tool: Callable[..., str], tmp_path: Path
) -> None:
    table = tmp_path / "rows.csv"
    rows.to_csv(table, index=False)
    told = json.loads(
        tool("verify", "--keys", CASE / "keys.toml", "--input", table, "--format", "json")
    )
    decoded = functions.decode(rows).to_pylist()
    assert functions.verify(rows).to_pylist() == [answer["result"] for answer in told]
    for said, answer in zip(decoded, told, strict=True):
        for name in ["result", "error", "token_class", "subclass", "rnd", "tid", "trials", "key_id"]:
            assert said[name] == answer.get(name), (name, said, answer)


def test_entry_judged_by_itself_is_in_the_state_of_its_row(
    functions: sts.Functions, entries: pd.DataFrame, meters: pd.DataFrame
) -> None:
    causes = functions.diagnose(entries, meters).to_pandas().set_index("id")["cause"]
    assert causes["2"] == "krn.ahead"
    # Nothing was accepted before it, so the token is not a used one.
    assert causes["8"] == "krn.ahead"


def test_readme_has_the_example_and_what_it_says() -> None:
    readme = (ROOT / "sts-python/README.md").read_text()
    example = ROOT / "sts-python/examples/pandas_incident.py"
    code, rest = readme.partition("```python\n")[2].split("```\n", 1)
    assert example.read_text().endswith(code)
    said = subprocess.check_output([sys.executable, example], cwd=ROOT, text=True)
    shown = rest.partition("```text\n")[2].partition("…")[0]
    assert shown and said.startswith(shown)


def vectors(*names: str) -> list[Any]:
    files = (json.loads((ROOT / f"vectors/{name}.json").read_text()) for name in names)
    return [pytest.param(case, id=case["id"]) for file in files for case in file["cases"]]


def key_file(folder: Path, keys: Case) -> Path:
    path = folder / "keys.toml"
    path.write_text(
        f"""schema = 1
[[vending_key]]
id = "key"
purpose = "test"
sgc = "{keys["sgc"]}"
krn = {keys["krn"]}
kt = {keys["kt"]}
dkga = "{keys["dkga"]}"
base_date = {BASE_DATES[keys["bdt"]]}
ken = 255
key = "{keys["vk"]}"
"""
    )
    return path


@pytest.mark.parametrize(
    "case",
    vectors(
        "class1",
        "ea07-531-1-07",
        "ea11-531-1-11",
        "generated-class1",
        "generated-credit",
        "generated-key-change",
        "generated-management",
    ),
)
def test_token_of_a_vector(case: Case, tmp_path: Path) -> None:
    tokens = case.get("expected_tokens", [case.get("expected_token")])
    if tokens == [None]:
        pytest.skip("a case without a token")
    # Tokens of class 1 are under no key.
    keys: Case = case.get("key_params", {})
    functions = sts.Functions(key_file(tmp_path, keys) if keys else CASE / "keys.toml")
    rows = pa.table({"token": tokens})
    for name in keys.keys() & {"pan", "ea", "sgc", "krn", "ti", "kt"}:
        rows = rows.append_column(name, pa.array([str(keys[name])] * len(tokens)))
    assert functions.verify(rows).to_pylist() == [case["result"]] * len(tokens)
    for said in functions.decode(rows).to_pylist():
        assert said["result"] == case["result"]
        for name in ["subclass", "rnd", "tid"]:
            assert said[name] == case.get(name, said[name]), name
        if "issue" in case:
            assert f"{said['tid_time']:%Y-%m-%d %H:%M}" == case["issue"]
        if case["kind"] == "credit-token":
            # Above 14 bits a token holds the next amount that can be written.
            most = case["units"] >> 10 if case["units"] >> 14 else 0
            assert 0 <= said["units_raw"] - case["units"] <= most
            assert said["quantity"] == Decimal(said["units_raw"]) / 10
        if case["kind"] == "currency-token":
            amount = Decimal(case["amount"])
            assert 0 <= said["amount"] - amount <= abs(amount) / 2**10


@pytest.mark.parametrize("case", vectors("refusals"))
def test_refusal_of_a_vector(case: Case, tmp_path: Path) -> None:
    keys, meter = case["key_params"], case["meter"]
    if {"mfr_code", "resources"} & meter.keys():
        pytest.skip("a meter that meters.csv does not describe")
    state = {name: str(keys[name]) for name in ["pan", "ea", "sgc", "ti"]}
    state |= {name: str(meter[name]) for name in ["krn", "kt", "ken", "tid_floor"]}
    state |= {"base_date": BASE_DATES[keys["bdt"]]}
    state |= {"tids": ";".join(map(str, meter.get("tids", [])))}
    state |= {f"credit_{register}": held for register, held in meter.get("credit", {}).items()}
    keyed = [*(before["token"] for before in case.get("before", [])), case["token"]]
    entries = pa.table(
        {
            "id": [str(place) for place in range(len(keyed))],
            "entered_at": ["2024-11-01T12:00:00Z"] * len(keyed),
            "pan": [keys["pan"]] * len(keyed),
            "entered": keyed,
        }
    )
    meters = pa.table({name: [value] for name, value in state.items()})
    functions = sts.Functions(key_file(tmp_path, keys))
    verdicts = functions.replay(entries, meters)
    assert verdicts["error"].null_count == len(keyed)
    assert verdicts["result"].to_pylist()[-1] == case["result"]
