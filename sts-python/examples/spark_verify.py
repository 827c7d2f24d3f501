"""Tokens verified and meters replayed on a Spark cluster.

    spark-submit sts-python/examples/spark_verify.py CASE KEYS OUT

CASE is a folder with `entries.csv` and `meters.csv`. KEYS is where each worker has its own key file:
keys are in nothing that Spark sends. Parquet comes out, in OUT.
"""

import sys
from collections.abc import Iterator

import pyarrow as pa
import sts
from pyspark.sql import SparkSession

CASE, KEYS, OUT = sys.argv[1:]
opened: list[sts.Functions] = []


def functions() -> sts.Functions:
    """Opened where it is first used: in a task of a worker."""
    if not opened:
        opened.append(sts.Functions(KEYS))
    return opened[0]


def verified(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield from pa.table({"id": batch["id"], "result": functions().verify(batch)}).to_batches()


def replayed(entries: pa.Table, meters: pa.Table) -> pa.Table:
    verdicts = functions().replay(entries.sort_by("entered_at"), meters)
    return verdicts.select(["id", "result", "cause", "confidence"])


spark = SparkSession.builder.appName("sts").getOrCreate()
entries = spark.read.csv(f"{CASE}/entries.csv", header=True)
meters = spark.read.csv(f"{CASE}/meters.csv", header=True)

# What an entry says of the key is what its vendor believed: here every key is tried.
tokens = entries.selectExpr("id", "drn", "entered AS token").dropna(subset="token")
results = tokens.repartition(4).mapInArrow(verified, "id string, result string")
results.write.parquet(f"{OUT}/results", mode="overwrite")

verdicts = (
    entries.groupBy("drn")
    .cogroup(meters.groupBy("drn"))
    .applyInArrow(replayed, "id string, result string, cause string, confidence double")
)
verdicts.write.parquet(f"{OUT}/verdicts", mode="overwrite")
spark.stop()
