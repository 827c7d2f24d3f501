"""Python goes on while tokens are opened, and keys stay where they are."""

import copy
import pickle
import threading
import time

import pyarrow as pa
import pytest
import sts


def test_python_goes_on_meanwhile(functions: sts.Functions) -> None:
    # Under every key, one after the other, since nothing is said of it.
    rows = pa.table({"token": ["04434137679179024103"] * 2_000, "drn": ["01202401012"] * 2_000})
    span: list[float] = []

    def work() -> None:
        span.append(time.perf_counter())
        functions.verify(rows)
        span.append(time.perf_counter())

    worker = threading.Thread(target=work)
    seen = [time.perf_counter()]
    worker.start()
    while worker.is_alive():
        seen.append(time.perf_counter())
    start, end = span
    gaps = [after - before for before, after in zip(seen, seen[1:]) if start < after < end]
    # Were the interpreter held, there would be one gap as long as the work.
    assert end - start > 0.1 and max(gaps) < (end - start) / 2


def test_one_is_used_by_several_threads_at_once(functions: sts.Functions) -> None:
    rows = pa.table({"token": ["04434137679179024103"] * 500, "drn": ["01202401012"] * 500})
    expected = functions.verify(rows)
    both, answers = threading.Barrier(2), []

    def work() -> None:
        both.wait()
        answers.append(functions.verify(rows))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert answers == [expected] * 2


def test_keys_do_not_travel(functions: sts.Functions) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(functions)
    with pytest.raises(TypeError):
        copy.copy(functions)
    assert repr(functions).startswith("<sts.Functions object")
