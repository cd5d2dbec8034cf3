"""A running Tally with the company in it, asked as its users would."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from harness.processes import BINARY, Process, clean_environment, free_port

from . import made

LINES_PER_BODY = 40_000
# A full journal empties as fast as the warehouse takes rows.
WAIT_SECONDS_MAX = 3_600


class Company:
    def __init__(self, folder: Path, quota_usd: str):
        self.folder, self.data = folder, folder / "data"
        self.resources = made.resources(quota_usd)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.tally: Process | None = None

    def start(self, **environment: str) -> None:
        company = self.folder / "company.yaml"
        company.write_text("\n---\n".join(json.dumps(resource) for resource in self.resources))
        listen = self.url.removeprefix("http://")
        arguments = ["serve", "--listen", listen, "--data", str(self.data), "--apply", str(company)]
        log = self.folder / "tally.log"
        self.tally = Process("tally serve", arguments, log, clean_environment(**environment))
        self.tally.wait_for(f"{self.url}/readyz")

    def stop(self) -> None:
        if self.tally:
            self.tally.stop()

    def specs(self, kind: str) -> dict[str, dict]:
        made_here = (it for it in self.resources if it["kind"] == kind)
        return {resource["name"]: resource["spec"] for resource in made_here}

    def cli(self, *arguments: str) -> str:
        connection = ["--to", self.url, "--data", str(self.data)]
        done = subprocess.run(
            [BINARY, *arguments, *connection],
            capture_output=True,
            text=True,
            env=clean_environment(),
            cwd=self.folder,
            check=False,
        )
        assert done.returncode == 0, f"tally {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def answer(self, *arguments: str) -> Any:
        return json.loads(self.cli(*arguments, "--json"))

    def get(self, path: str) -> Any:
        reply = self.http("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def http(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        key = (self.data / "admin.key").read_text().strip()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        options = {"content": content, "headers": headers, "timeout": 300, "trust_env": False}
        return httpx.request(method, f"{self.url}{path}", **options)

    def report(self, count: int, seed: int) -> int:
        """Reports the calls, waits until they are in the warehouse, and says how many are."""
        shipped = self.answer("prices", "list", "--shipped")
        for body in made.bodies(count, seed, shipped, LINES_PER_BODY):
            self.deliver(body)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (metered := self.calls()) < count and time.monotonic() < deadline:
            time.sleep(0.5)
        return metered

    def deliver(self, body: bytes) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            reply = self.http("POST", "/ingest/v1/events", body)
            if reply.status_code == 503 and time.monotonic() < deadline:
                time.sleep(2)
                continue
            assert reply.status_code == 200, reply.text[:1_000]
            rejected = reply.json()["rejected"]
            assert not rejected, rejected[:3]
            return

    def calls(self) -> int:
        [row] = self.query([made.MONTHS[0], made.MONTHS[-1]], ["calls", "calls_refused"], []) or [{}]
        return row.get("calls", 0) + row.get("calls_refused", 0)

    def query(self, months: list[str], measures: list[str], dimensions: list[str]) -> list[dict]:
        question = {
            "range": {"from": midnight(months[0], 0), "to": midnight(months[-1], 1)},
            "measures": measures,
            "dimensions": dimensions,
            "limit": 10_000,
        }
        reply = self.http("POST", "/api/v1/query", json.dumps(question).encode())
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        assert not answer["truncated"]
        names = [column["name"] for column in answer["columns"]]
        return [dict(zip(names, row)) for row in answer["rows"]]


def midnight(month: str, after: int) -> str:
    """The first moment of a month, or of the one after it."""
    year, number = map(int, month.split("-"))
    years, index = divmod(number - 1 + after, 12)
    return datetime(year + years, index + 1, 1, tzinfo=ZoneInfo(made.ZONE)).isoformat()
