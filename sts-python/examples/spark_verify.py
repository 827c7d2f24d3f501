"""Tokens verified and meters replayed on a Spark cluster.

    spark-submit sts-python/examples/spark_verify.py CASE KEYS

CASE is a folder with `entries.csv` and `meters.csv`, and KEYS the path that every worker has its own
key file at: keys are in nothing that Spark sends.
"""

import sys
from collections.abc import Iterator

import pyarrow as pa
import sts
from pyspark.sql import SparkSession

CASE, KEYS = sys.argv[1:]
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

tokens = entries.withColumnRenamed("entered", "token").dropna(subset="token")
# What an entry says of the key is what its vendor believed: every key is tried.
tokens = tokens.select("id", "drn", "token").repartition(4)
tokens.mapInArrow(verified, "id string, result string").groupBy("result").count().show()

verdicts = entries.groupBy("drn").cogroup(meters.groupBy("drn"))
verdicts = verdicts.applyInArrow(replayed, "id string, result string, cause string, confidence double")
verdicts.dropna(subset="cause").orderBy("id").show(100, truncate=False)
spark.stop()
