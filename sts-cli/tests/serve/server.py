"""`sts serve` under test: starts it on a free port, and stops it."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
CASE = ROOT / "examples/mangaung-2024"
STS = os.environ.get("STS") or str(ROOT / "target/debug/sts")


class Server:
    def __init__(self, case=CASE, *more):
        self.folder = tempfile.TemporaryDirectory()
        token = pathlib.Path(self.folder.name) / "token"
        self.process = subprocess.Popen([STS, "serve", str(case), "--token-file", str(token), *more],
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.base = self.address.split("/?t=")[0]
        self.token = token.read_text().strip()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.folder.cleanup()

    def ask(self, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers)) as answer:
            return json.load(answer)

    def memory(self):
        """Resident bytes now."""
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()
