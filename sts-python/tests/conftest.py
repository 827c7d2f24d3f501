import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import sts

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT / "examples/mangaung-2024"


@pytest.fixture(scope="session")
def functions() -> sts.Functions:
    return sts.Functions(CASE / "keys.toml")


@pytest.fixture
def entries() -> pd.DataFrame:
    return pd.read_csv(CASE / "entries.csv", dtype=str)


@pytest.fixture
def meters() -> pd.DataFrame:
    return pd.read_csv(CASE / "meters.csv", dtype=str)


@pytest.fixture
def rows(entries: pd.DataFrame) -> pd.DataFrame:
    """Tokens as a table for `verify`: the keyed ones of the example, under the keys of both sides."""
    keyed = entries[entries["entered"].notna()].reset_index(drop=True)
    rows = keyed[["id", "drn", "krn"]].assign(token=keyed["entered"])
    return rows.assign(ea="07", sgc="600457", ti="01", kt="2")


@pytest.fixture(scope="session")
def tool() -> Callable[..., str]:
    """The tool `sts`, whose answers are to be the same: the environment names it."""
    program = os.environ.get("STS_TOOL")
    if program is None:
        pytest.skip("STS_TOOL names no tool to compare with")

    def run(*arguments: object) -> str:
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
        assert done.stdout or done.returncode in (0, 1), done.stderr
        return done.stdout

    return run
