#!/usr/bin/env python3
"""100 clients ask `sts serve` for a minute: `bash .ci/page load` runs it.

Each asks again a quarter of a second after its answer, as no call centre does. No answer may be an error, and
memory may not grow once all clients were there.
"""

import csv
import http.client
import json
import sys
import threading
import time

from server import CASE, Server

CLIENTS = 100
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
PAUSE = 0.25
# What may be added after the first third of the time, in bytes.
GROWTH = 16 << 20
MOST = 128 << 20


def client(server, questions, number, end, times, faults):
    host = server.base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    turn = number
    while time.monotonic() < end:
        method, path, body = questions[turn % len(questions)]
        turn += 1
        begun = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                faults.append(f"{path}: {answer.status}")
        except OSError as error:
            faults.append(f"{path}: {error}")
            connection.close()
        times.append(time.monotonic() - begun)
        time.sleep(PAUSE)
    connection.close()


def main():
    questions = []
    with open(CASE / "entries.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["entered"]:
                asked = {"text": row["entered"], "meter": row["drn"], "at": row["entered_at"],
                         "displayed": row["displayed"]}
                questions.append(("POST", "/api/v1/explain", json.dumps(asked)))
                questions.append(("GET", f"/api/v1/meters/{row['drn']}", None))
    server = Server()
    try:
        times, faults, memory = [], [], []
        end = time.monotonic() + SECONDS
        clients = [threading.Thread(target=client, args=(server, questions, number, end, times, faults))
                   for number in range(CLIENTS)]
        for one in clients:
            one.start()
        while time.monotonic() < end:
            memory.append(server.memory())
            time.sleep(0.5)
        for one in clients:
            one.join()
        times.sort()
        third = max(memory[: len(memory) // 3])
        print(f"{len(times)} answers in {SECONDS} s, {len(faults)} errors; median {times[len(times) // 2] * 1000:.1f} ms, "
              f"99 % within {times[len(times) * 99 // 100] * 1000:.1f} ms; "
              f"resident {third / 2**20:.1f} MiB in the first third, {max(memory) / 2**20:.1f} MiB at most")
        assert not faults, faults[:5]
        assert max(memory) - third < GROWTH and max(memory) < MOST, "memory grows"
    finally:
        server.close()


if __name__ == "__main__":
    main()
