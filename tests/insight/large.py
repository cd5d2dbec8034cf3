"""A company of any size with a running Tally: its calls are put into the warehouse before it starts again."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

from harness.processes import BINARY, Process, clean_environment, free_port
from scoring.running import ZONE, begins, months

LOADER = BINARY.parent / "examples" / "company"
OF_A_TEAM, TEAMS_OF_A_DEPARTMENT = 12, 25
# Half of the calls are of the season that goes on, however long it has gone on.
NOW_SHARE = 0.5
DOCUMENTS_AT_ONCE = 10_000
ME, OTHER, PASSWORD = "person-7", "person-8", "four words make a sentence"
WAIT_SECONDS_MAX = 900


class LargeCompany:
    def __init__(self, folder: Path, people: int, calls: int):
        self.folder, self.people, self.wanted = folder, people, calls
        self.data = folder / "data"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.tally: Process | None = None
        self.season = months()[-1]

    # --- What there is ------------------------------------------------------------------

    def load(self) -> None:
        """Calls and outcomes, in seasons, while Tally does not run."""
        arguments = [ZONE, str(self.people), str(OF_A_TEAM)]
        *before, now = [begins(month) for month in months()[1:]]
        of_each = int(self.wanted * (1 - NOW_SHARE) / len(before))
        for start, end in zip(before, [*before[1:], now]):
            arguments += [written(start), written(end), str(of_each)]
        latest = datetime.now(timezone.utc) - timedelta(seconds=1)
        arguments += [written(now), written(latest), str(self.wanted - of_each * len(before))]
        done = subprocess.run(
            [LOADER, self.data / "warehouse.duckdb", *arguments], env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def resources(self) -> list[dict]:
        def one(kind: str, name: str, **spec) -> dict:
            return {"kind": kind, "name": name, "spec": spec}

        teams = -(-self.people // OF_A_TEAM)
        return [
            one("Organization", "large", time_zone=ZONE, scoreboards={"people": "pseudonym"}),
            one("CostCenter", "cc", owner=ME),
            *(
                one("Team", f"team-{it}", department=f"department-{it // TEAMS_OF_A_DEPARTMENT}", cost_center="cc")
                for it in range(teams)
            ),
            *(
                one("Person", f"person-{it}", team=f"team-{it // OF_A_TEAM}", roles=["developer"])
                for it in range(self.people)
            ),
        ]

    def start(self) -> None:
        listen = self.url.removeprefix("http://")
        arguments = ["serve", "--listen", listen, "--data", str(self.data)]
        environment = clean_environment(TALLY_LOG_FILTER="info,tally_api::scoreboards=debug")
        self.tally = Process("tally", arguments, self.folder / "tally.log", environment)
        self.tally.wait_for(f"{self.url}/readyz")

    def apply(self) -> None:
        """In pieces: each belongs to a set of its own."""
        resources = self.resources()
        for number, first in enumerate(range(0, len(resources), DOCUMENTS_AT_ONCE)):
            documents = resources[first : first + DOCUMENTS_AT_ONCE]
            body = {"set": f"large-{number}", "documents": documents}
            self.admin("POST", "/api/v1/apply", body)

    def stop(self) -> None:
        if self.tally:
            self.tally.stop()

    # --- Who asks -----------------------------------------------------------------------

    def admin(self, method: str, path: str, body: dict | None = None) -> dict:
        key = (self.data / "admin.key").read_text().strip()
        headers = {"authorization": f"Bearer {key}"}
        reply = httpx.request(method, self.url + path, json=body, headers=headers, timeout=600, trust_env=False)
        assert reply.is_success, reply.text[:1_000]
        return reply.json()

    def signed_in(self) -> httpx.Client:
        """As a browser is: by a cookie."""
        link = self.admin("POST", "/api/v1/invitations", {"person": ME})
        client = httpx.Client(base_url=self.url, timeout=120, trust_env=False)
        body = {"token": link["link"].rpartition("/")[2].rpartition("=")[2], "password": PASSWORD}
        reply = client.post("/api/v1/invitations/accept", json=body, headers={"origin": self.url})
        assert reply.is_success, reply.text
        return client

    def beside(self, client: httpx.Client) -> httpx.Client:
        """Another connection of whoever signed in."""
        return httpx.Client(base_url=self.url, cookies=client.cookies, timeout=120, trust_env=False)

    def report(self, path: str, lines: list[dict]) -> None:
        """By a key of nobody's, as a ticket system would."""
        key = (self.data / "admin.key").read_text().strip()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        body = "\n".join(json.dumps(line) for line in lines).encode()
        reply = httpx.post(self.url + path, content=body, headers=headers, timeout=60, trust_env=False)
        assert reply.status_code == 200 and not reply.json()["rejected"], reply.text[:1_000]

    def memory_mb(self, field: str) -> float:
        status = Path(f"/proc/{self.tally.child.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024

    def log(self) -> str:
        return (self.folder / "tally.log").read_text(errors="replace")


class Feed:
    """The live feed, listened to in the background: when each version was told."""

    def __init__(self, client: httpx.Client):
        self.told: dict[int, float] = {}
        self.ranks: dict[int, list] = {}
        self.is_open = threading.Event()
        self.client = client
        threading.Thread(target=self.listen, daemon=True).start()
        assert self.is_open.wait(60), "the feed does not open"

    def listen(self) -> None:
        try:
            with self.client.stream("GET", "/api/v1/scoreboards/live", timeout=None) as reply:
                self.is_open.set()
                for line in reply.iter_lines():
                    if line.startswith("data:") and "version" in line:
                        data = json.loads(line.removeprefix("data:"))
                        self.ranks[data["version"]] = data["my_ranks"]
                        self.told[data["version"]] = time.monotonic()
        except httpx.TransportError:
            pass


def written(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def calls_of(person: str, mark: str, count: int) -> tuple[list[dict], list[dict]]:
    """Finished tasks of somebody, a call each, and what became of them."""
    now = written(datetime.now(timezone.utc) - timedelta(seconds=1))
    tokens = dict.fromkeys(["cache_read", "cache_write_5m", "cache_write_1h", "reasoning"], 0)
    tasks = [f"{mark}-{number}" for number in range(count)]
    calls = [
        {
            "id": task, "source": "/large", "person": person, "task_id": task, "task_type": "chat", "time": now,
            "provider": "anthropic", "model": "claude-haiku-4-5", "tokens": tokens | {"input_uncached": 900, "output": 90},
        }
        for task in tasks
    ]
    return calls, [{"task_id": task, "time": now, "result": "succeeded", "quality": "0.9"} for task in tasks]
