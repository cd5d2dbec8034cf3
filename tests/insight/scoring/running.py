"""A running Tally with a company in it: its calls and outcomes are reported, exported and scored."""

from __future__ import annotations

import json
import random
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import httpx

from harness.processes import BINARY, Process, clean_environment, free_port

from . import made

ZONE = "Europe/Berlin"
PEOPLE, TEAMS, SEASONS = 24, 4, 4
MODELS = ["claude-haiku-4-5", "claude-sonnet-4-5"]
WAIT_SECONDS_MAX = 300
PICO = 10**12


def months() -> list[str]:
    """The last whole one, those before it, and the one that goes on; the newest last."""
    first = datetime.now(ZoneInfo(ZONE)).date().replace(day=1)
    found = [first]
    for _ in range(SEASONS):
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return [day.strftime("%Y-%m") for day in found]


def begins(month: str) -> datetime:
    year, number = map(int, month.split("-"))
    return datetime(year, number, 1, tzinfo=ZoneInfo(ZONE))


class Company:
    def __init__(self, folder: Path):
        self.folder, self.random = folder, random.Random(7)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.names = [f"p{number:02}" for number in range(PEOPLE)]
        self.people = {name: f"team-{place % TEAMS}" for place, name in enumerate(self.names)}
        self.teams = {f"team-{number}": f"department-{number // 2}" for number in range(TEAMS)}
        self.secrets = {
            name: f"tly_{name}_{self.random.getrandbits(160):040x}" for name in ["ci", *self.names]
        }
        self.months = months()
        self.calls = self.outcomes = 0
        self.played: list[dict] = []
        self.tally: Process | None = None

    def resources(self) -> list[dict]:
        def one(kind: str, name: str, **spec) -> dict:
            return {"kind": kind, "name": name, "spec": spec}

        def key(name: str, **more) -> dict:
            variable = f"TALLY_KEY_{name.upper()}"
            scopes = ["ingest", "read", "write"]
            return one("Key", name, scopes=scopes, secret={"env": variable}, **more)

        return [
            one("Organization", "made", time_zone=ZONE, scoreboards={"people": "named"}),
            one("CostCenter", "cc", owner="p00"),
            *(
                one("Team", name, department=department, cost_center="cc")
                for name, department in self.teams.items()
            ),
            *(one("Person", name, team=team, roles=["developer"]) for name, team in self.people.items()),
            one(
                "Workload", "copilot", owner="p00", cost_center="cc", environment="experimentation",
                tier="frontier", data_class="internal", **{"class": "exploration"},
            ),
            key("ci", roles=["finops"]),
            *(key(name, person=name) for name in self.names),
        ]

    def start(self) -> None:
        company = self.folder / "company.yaml"
        company.write_text("\n---\n".join(json.dumps(it) for it in self.resources()))
        listen, data = self.url.removeprefix("http://"), self.folder / "data"
        arguments = ["serve", "--listen", listen, "--data", str(data), "--apply", str(company)]
        keys = {f"TALLY_KEY_{name.upper()}": secret for name, secret in self.secrets.items()}
        self.tally = Process("tally", arguments, self.folder / "tally.log", clean_environment(**keys))
        self.tally.wait_for(f"{self.url}/readyz")

    def stop(self) -> None:
        if self.tally:
            self.tally.stop()

    def restart(self) -> None:
        """Seasons that are over are computed anew, as they are ten minutes later."""
        self.arrived()
        self.stop()
        self.start()

    def arrived(self) -> None:
        """Waits until everything that was reported is in the warehouse."""
        self.export("events", self.calls)
        self.export("outcomes", self.outcomes)

    def key(self) -> str:
        return (self.folder / "data" / "admin.key").read_text().strip()

    def post(self, path: str, lines: list[dict], secret: str) -> None:
        body = "\n".join(json.dumps(line) for line in lines).encode()
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        reply = httpx.post(self.url + path, content=body, headers=headers, timeout=60, trust_env=False)
        assert reply.status_code == 200 and not reply.json()["rejected"], reply.text[:1_000]

    def do(self, who: str, path: str, body: dict) -> dict:
        """As somebody of the company."""
        headers = {"authorization": f"Bearer {self.secrets[who]}"}
        reply = httpx.post(self.url + path, json=body, headers=headers, timeout=60, trust_env=False)
        assert reply.is_success, reply.text
        return reply.json()

    def get(self, path: str) -> dict:
        """Standings are computed in the background: whoever asks first may have to ask again."""
        headers = {"authorization": f"Bearer {self.key()}"}
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            reply = httpx.get(self.url + path, headers=headers, timeout=60, trust_env=False)
            if reply.status_code != 503 or time.monotonic() > deadline:
                assert reply.status_code == 200, reply.text
                return reply.json()
            time.sleep(0.5)

    # --- What happens -------------------------------------------------------------------

    def play(self) -> None:
        calls, said = [], {}
        for month, after in zip(self.months[:-1], self.months[1:]):
            start, end = begins(month), begins(after)
            for name in self.names:
                skill = 1 + self.names.index(name) % 5
                for task_type in ("review", None):
                    for _ in range(self.random.choice([10, 25, 40])):
                        at = start + (end - start) * self.random.random()
                        self.task(calls, said, name, task_type, skill, at)
        for first in range(0, len(calls), 5_000):
            self.post("/ingest/v1/events", calls[first : first + 5_000], self.key())
        for by, lines in said.items():
            self.post("/ingest/v1/outcomes", lines, self.secrets[by])
        self.calls, self.outcomes, self.played = len(calls), sum(map(len, said.values())), calls

    def task(self, calls, said, name: str, task_type, skill: int, at: datetime) -> None:
        choose, task = self.random, f"t{len(calls)}"
        work = choose.choice([{}, {"workload": "copilot"}])
        for place in range(choose.choice([1, 1, 2, 3])):
            helper = choose.choice(self.names) if choose.random() < 0.1 else name
            tokens = dict.fromkeys(["cache_write_5m", "cache_write_1h", "reasoning"], 0)
            tokens |= {
                "input_uncached": choose.randrange(500, 5_000) * skill,
                "cache_read": choose.randrange(0, 2_000),
                "output": choose.randrange(50, 1_000) * skill,
            }
            is_known = choose.random() > 0.02
            call = {
                "id": str(len(calls)), "source": "/made", "person": helper, "task_id": task,
                "time": made.written(at + timedelta(hours=place)), "provider": "anthropic",
                "model": choose.choice(MODELS) if is_known else "claude-of-tomorrow",
                "tokens": tokens, **work,
            }
            calls.append(call | ({"task_type": task_type} if task_type else {}))
        if choose.random() < 0.9:
            by = "ci" if work or choose.random() < 0.8 else choose.choice([name, *self.names])
            outcome = {
                "task_id": task, "time": made.written(at + timedelta(hours=3)), **work,
                "result": choose.choices(["succeeded", "failed"], [8, 2])[0],
                "value_usd": f"{choose.random():.4f}",
            }
            if choose.random() < 0.7:
                outcome["quality"] = f"{choose.uniform(0.4, 1):.4f}"
            said.setdefault(by, []).append(outcome)

    # --- What is known of it afterwards -------------------------------------------------

    def export(self, what: str, wanted: int) -> list[str]:
        """All months, as soon as everything that was reported is in them."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        paths = [self.folder / f"{what}-{month}.parquet" for month in self.months]
        while True:
            for month, path in zip(self.months, paths):
                command = ["export", what, "--period", month, "--out", str(path)]
                connection = ["--to", self.url, "--data", str(self.folder / "data")]
                done = subprocess.run(
                    [BINARY, *command, *connection], capture_output=True, text=True,
                    env=clean_environment(), cwd=self.folder, check=False,
                )
                assert done.returncode == 0, done.stderr
            names = [str(path) for path in paths]
            [(rows,)] = duckdb.sql(f"SELECT count(*) FROM read_parquet({names})").fetchall()
            if rows == wanted or time.monotonic() > deadline:
                assert rows == wanted, f"{rows} of {wanted} {what}"
                return names
            time.sleep(0.5)

    def scored(self) -> dict:
        """The last whole month and those before it, as `made.Maker` makes companies up."""
        events = self.export("events", self.calls)
        outcomes = self.export("outcomes", self.outcomes)
        rows = duckdb.sql(
            f"""SELECT time AS at, workload, task_id, task_type, template, person, team, tier,
                  (cost_list_usd * {PICO})::HUGEINT AS pico, cache_read::BIGINT AS cached,
                  (input_uncached + cache_read + cache_write_5m + cache_write_1h)::BIGINT AS prompt
                FROM read_parquet({events}) WHERE status <> 'refused' ORDER BY time"""
        )
        calls = [dict(zip(rows.columns, row)) for row in rows.fetchall()]
        said = duckdb.sql(
            f"""SELECT workload, task_id, result, quality_bp, reported_by, escalated,
                  (value_usd * {PICO})::BIGINT AS value FROM read_parquet({outcomes})"""
        )
        results = {row[:2]: dict(zip(said.columns, row)) for row in said.fetchall()}
        tasks: dict[tuple, list[dict]] = {}
        for call in calls:
            if call["task_id"] is not None:
                tasks.setdefault((call["workload"], call["task_id"]), []).append(call)
        seasons = [
            {"tasks": [
                task_of(of_task, results.get(key))
                for key, of_task in tasks.items()
                if begins(month) <= of_task[0]["at"] < begins(after)
            ]}
            for month, after in list(zip(self.months[:-1], self.months[1:]))[::-1]
        ]
        span = [begins(month) for month in self.months[-2:]]
        now = [call for call in calls if span[0] <= call["at"] < span[1]]
        return {
            "formula": made.FORMULA, "zone": ZONE, "people": self.people, "teams": self.teams,
            "seasons": seasons, "templates": [], "stories": [], "contributions": [],
            "compliance_of_people": kept(now, "person"), "compliance_of_teams": kept(now, "team"),
            "spend": {name: made.usd(pico) for name, pico in spent(now, "team").items()},
        }


def spent(calls: list[dict], of: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for call in calls:
        if call[of]:
            sums[call[of]] = sums.get(call[of], 0) + int(call["pico"] or 0)
    return sums


def kept(calls: list[dict], of: str) -> dict[str, dict]:
    """Nobody violates anything; what is for no workload, the catalog does not explain."""
    unknown = spent([call for call in calls if call["workload"] is None], of)
    return {
        name: {"violations": 0, "unregistered": made.usd(pico), "expired_exceptions": []}
        for name, pico in unknown.items()
    }


def task_of(calls: list[dict], outcome: dict | None) -> dict:
    """Its calls in the order of their time. It belongs to whoever spent most on it."""
    costs: dict[tuple, int] = {}
    for call in calls:
        whose = (call["person"], call["team"])
        costs[whose] = costs.get(whose, 0) + int(call["pico"] or 0)
    (person, team), _ = max(costs.items(), key=lambda it: (it[1], it[0]))
    known = all(call["pico"] is not None for call in calls)
    said = outcome or {}

    def first(column: str):
        return next((call[column] for call in calls if call[column] is not None), None)

    return {
        "workload": calls[0]["workload"], "task_id": calls[0]["task_id"],
        "task_type": first("task_type"), "template": first("template"),
        "person": person, "team": team, "first_call": made.written(calls[0]["at"]),
        "cost": "known" if known else None,
        "pico": sum(int(call["pico"]) for call in calls) if known else 0,
        "prompt_tokens": sum(call["prompt"] for call in calls),
        "cache_read_tokens": sum(call["cached"] for call in calls),
        "tier": None, "fingerprint": None, "result": said.get("result"),
        "quality_bp": said.get("quality_bp"), "value_pico": said.get("value") or 0,
        "reported_by": said.get("reported_by"),
    }
