#!/usr/bin/env bash
# Builds the wheel of the Python module sts, and tests it as a user gets it: installed in an environment
# of its own, with pandas and Polars.
#
#   bash sts-python/run.sh [FOLDER]           into FOLDER, target/wheels where none is given
#   bash sts-python/run.sh --spark [FOLDER]   and runs the example on a Spark of two workers; needs Java
#   bash sts-python/run.sh --speed [FOLDER]   and compares `verify` with the Rust function
#
# Needs Rust, Python from 3.11 on, and a package index. STS_TOOL is the tool to compare with; where it
# is not set, it is built.

set -euo pipefail
spark='' speed='' wheels=''
for argument; do
  case $argument in
    --spark) spark=1 ;;
    --speed) speed=1 ;;
    -*) sed -n '2,/^$/ s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) wheels=$(realpath -m "$argument") ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../.ci/install.sh
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
wheels=${wheels:-$CARGO_TARGET_DIR/wheels}

tools=$CARGO_TARGET_DIR/python-tools
python3 -m venv "$tools"
retry "$tools/bin/pip" install -q 'maturin>=1.13,<2'
rm -f "$wheels"/sts_python-*.whl
"$tools/bin/maturin" build -q --out "$wheels"
wheel=$(realpath "$wheels"/sts_python-*.whl)
if [ -z "${STS_TOOL:-}" ]; then
  (cd .. && cargo build -q --profile engine -p sts-cli)
  STS_TOOL=$CARGO_TARGET_DIR/engine/sts
fi
export STS_TOOL

# Fresh: nothing of an earlier run may help.
venv=$CARGO_TARGET_DIR/python-test
python3 -m venv --clear "$venv"
retry "$venv/bin/pip" install -q "$wheel[test]"
"$venv/bin/python" -m pytest -q
"$venv/bin/python" -m mypy
"$venv/bin/python" -m mypy.stubtest --mypy-config-file pyproject.toml --ignore-missing-stub sts
(cd .. && "$venv/bin/python" sts-python/examples/pandas_incident.py)

if [ -n "$spark" ]; then
  command -v java >/dev/null || apt_install openjdk-17-jre-headless
  retry "$venv/bin/pip" install -q "${PYSPARK:-$wheel[spark]}"
  case=$(realpath ../examples/mangaung-2024)
  out=$CARGO_TARGET_DIR/python-spark
  # Workers are on this machine, and find each other without a name service.
  PATH=$venv/bin:$PATH PYSPARK_PYTHON=$venv/bin/python SPARK_LOCAL_IP=127.0.0.1 \
    "$venv/bin/spark-submit" --master 'local-cluster[2,1,1024]' --conf spark.log.level=WARN \
    examples/spark_verify.py "$case" "$case/keys.toml" "$out"
  STS_SPARK=$out "$venv/bin/python" -m pytest -q tests/test_spark.py
fi
if [ -n "$speed" ]; then
  (cd ../sts-query && cargo build -q --profile engine --example verify_speed)
  "$venv/bin/python" speed.py "$STS_TOOL" "$CARGO_TARGET_DIR/engine/examples/verify_speed"
fi
