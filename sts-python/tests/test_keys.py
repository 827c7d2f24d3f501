"""Sealed key files open by their secret, and by nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sts

KEY = "--sgc 600457 --krn 1 --kt 2 --dkga 02 --base-date 1993 --ken 255".split()


@pytest.mark.parametrize("secret", ["kek_file", "passphrase_file"])
def test_sealed_key_file_opens_by_its_secret(
    secret: str, tool: Callable[..., str], tmp_path: Path
) -> None:
    keys, key, right, wrong = (tmp_path / name for name in ["keys.toml", "key", "right", "wrong"])
    key.write_text("8f1c3bc4917f62b5\n")
    for file in [right, wrong]:
        if secret == "kek_file":
            tool("keys", "new", "--kek", file)
        else:
            file.write_text(f"the {file.name} passphrase\n")
    for file in [key, right, wrong]:
        file.chmod(0o600)
    tool("keys", "new", keys)
    option = f"--{secret.replace('_', '-')}"
    tool("keys", "import", keys, "--id", "town", *KEY, "--key-file", key, option, right)

    by: dict[str, Any] = {secret: right}
    fingerprint = sts.Functions(keys, **by).fingerprint
    without: list[dict[str, Any]] = [{}, {secret: wrong}]
    for arguments in without:
        with pytest.raises(ValueError) as error:
            sts.Functions(keys, **arguments)
        assert keys.name in str(error.value) and "8f1c" not in str(error.value)
    keys.chmod(0o644)
    with pytest.warns(UserWarning, match="keys.toml: others can read this file"):
        assert sts.Functions(keys, **by).fingerprint == fingerprint
