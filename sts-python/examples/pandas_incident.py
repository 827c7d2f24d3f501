"""Why did these meters show 017? The verdicts on the refusals of a case, with pandas."""

import pandas as pd
import sts

CASE = "examples/mangaung-2024/"
entries, meters = (pd.read_csv(CASE + name, dtype=str) for name in ["entries.csv", "meters.csv"])
verdicts = sts.Functions(CASE + "keys.toml").replay(entries, meters).to_pandas()
refused = entries[["id", "entered_at", "drn", "displayed"]].merge(
    verdicts[["id", "cause", "confidence", "action"]], on="id"
)
print(refused[refused["displayed"] == "017"].to_string(index=False))
