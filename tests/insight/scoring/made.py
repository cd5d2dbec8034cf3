"""A company in which everything happens that the rules speak of."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

FORMULA = {
    "from": "2026-01-01",
    "reason": "The one that Tally comes with.",
    "weights": {"efficiency": 0.5, "improvement": 0.2, "knowledge": 0.3},
    "minimum_tasks": 20,
    "minimum_peers": 3,
    "shrinkage_tasks": 20,
    "quality_default": 0.8,
    "spam_factor": 3,
    "reuse": {"tasks": 3, "points": 1, "confirmed_factor": 2, "points_max": 20},
    "story_points": 10,
    "contribution_points": {
        "failure_case": 2, "evaluation": 3, "guardrail_pattern": 3, "mentoring": 2,
    },
    "contribution_points_max": 10,
    "knowledge_half": 10,
    "compliance": {
        "violation": 0.02, "unregistered": 0.2, "expired_exception": 0.02, "floor": 0.5,
    },
}
# By the clock of Berlin, which is an hour or two ahead of UTC.
SEASONS = {
    "2026-11": ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
    "2026-10": ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    "2026-09": ("2026-08-31T22:00:00Z", "2026-09-30T22:00:00Z"),
    "2026-08": ("2026-07-31T22:00:00Z", "2026-08-31T22:00:00Z"),
}
TYPES = [("review", 0.08), ("summary", 0.01), ("support", 0.2), (None, 0.03)]
TIERS = ["economy", "standard", "frontier", None]
PICO = 10**12


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def written(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def usd(pico: int) -> str:
    return f"{pico // PICO}.{pico % PICO:012d}"


class Maker:
    def __init__(self, seed: int, people: int):
        self.random = random.Random(seed)
        self.names = [f"p{number:02}" for number in range(people)]
        self.people = {name: f"team-{number % 6}" for number, name in enumerate(self.names)}
        # Somebody who is in no team, and a team that is in no department.
        self.people[self.names[-1]] = None
        self.teams = {f"team-{number}": f"department-{number // 2}" for number in range(6)}
        self.teams["team-5"] = None
        self.skill = {name: self.random.lognormvariate(0, 0.5) for name in self.names}
        self.number = 0

    def company(self) -> dict:
        seasons = [
            {
                "season": {"name": name, "from": start, "until": end},
                "tasks": self.season(moment(start), moment(end), name == "2026-08"),
            }
            for name, (start, end) in SEASONS.items()
        ]
        self.tricks(seasons[0]["tasks"], moment(SEASONS["2026-11"][0]))
        return {
            "formula": FORMULA,
            "zone": "Europe/Berlin",
            "people": self.people,
            "teams": self.teams,
            "seasons": seasons,
            "templates": self.templates(),
            "stories": [
                {"name": f"story-{number}", "author": self.random.choice(self.names)}
                for number in range(4)
            ],
            "contributions": self.contributions(),
            "compliance_of_people": {
                name: self.kept(0.3) for name in self.random.sample(self.names, 12)
            },
            "compliance_of_teams": {"team-1": self.kept(3), "team-4": self.kept(40)},
            "spend": {team: usd(self.random.randrange(5, 90) * PICO) for team in list(self.teams)[:5]},
        }

    def season(self, start: datetime, end: datetime, is_short: bool) -> list[dict]:
        tasks = []
        for name in self.names:
            for task_type, base in self.random.sample(TYPES, self.random.randrange(1, 4)):
                for _ in range(self.random.choice([5, 25, 40] if is_short else [12, 30, 60])):
                    at = start + (end - start) * self.random.random()
                    tasks.append(self.task(name, task_type, base * self.skill[name], at))
        return tasks

    def task(self, name: str, task_type, base: float, at: datetime) -> dict:
        choose = self.random
        self.number += 1
        pico = int(base * choose.lognormvariate(0, 0.4) * PICO)
        result = choose.choices(["succeeded", "failed", None], [75, 15, 10])[0]
        reporter = choose.choices(
            ["key:ci", f"person:{choose.choice(self.names)}", f"person:{name}", None],
            [80, 12, 5, 3],
        )[0]
        team = self.people[name] if choose.random() > 0.05 else "team-0"
        priced = choose.random() > 0.02
        return {
            "workload": choose.choice([None, "copilot", "tickets"]),
            "task_id": f"t{self.number}",
            "task_type": task_type,
            "person": name if choose.random() > 0.03 else None,
            "team": team,
            "first_call": written(at),
            "cost": usd(pico) if priced else None,
            "pico": pico if priced else 0,
            "prompt_tokens": choose.randrange(100, 5_000),
            "cache_read_tokens": choose.randrange(0, 100),
            "tier": choose.choice(TIERS),
            "template": choose.choice([None] * 9 + [f"tpl-{choose.randrange(8)}@{choose.randrange(1, 4)}"]),
            "fingerprint": f"{self.number if choose.random() > 0.05 else 7:016x}",
            "result": result,
            "quality_bp": choose.choice([None, choose.randrange(4_000, 10_001)]),
            "value": usd((value := choose.randrange(0, 3 * PICO))),
            "value_pico": value,
            "reported_by": reporter if result else None,
        }

    def tricks(self, tasks: list[dict], start: datetime) -> None:
        """A day of spam, a pair and a ring of three that vouch for each other."""
        noon = start + timedelta(days=11, hours=12)
        for index in range(150):
            tasks.append(self.easy(self.names[3], noon + timedelta(seconds=index), "key:ci"))
        for group in (self.names[5:7], self.names[8:11]):
            for place, name in enumerate(group):
                by = f"person:{group[(place + 1) % len(group)]}"
                for index in range(60):
                    at = noon + timedelta(days=index % 15, seconds=index)
                    tasks.append(self.easy(name, at, by))
        # At the same microsecond, the order is by workload and id.
        for name in self.names[:2]:
            for index in range(6):
                task = self.easy(name, noon, "key:ci")
                task["fingerprint"] = f"{index // 2 + 1_000_000:016x}"
                task["workload"] = [None, "copilot", "tickets"][index % 3]
                tasks.append(task)

    def easy(self, name: str, at: datetime, by: str) -> dict:
        task = self.task(name, "review", 0.001, at)
        return {**task, "person": name, "result": "succeeded", "reported_by": by}

    def templates(self) -> list[dict]:
        effects = [("saves", 0.8), ("unclear", None), ("costs", 1.2), ("saves", 0.6)]
        return [
            {
                "name": f"tpl-{number}",
                "owner": self.names[number * 3],
                "effect": effects[number % 4][0],
                "cost_ratio": effects[number % 4][1],
            }
            for number in range(8)
        ]

    def contributions(self) -> list[dict]:
        kinds = ["failure_case", "evaluation", "guardrail_pattern"]
        made = [(self.random.choice(kinds), self.random.choice(self.names), None) for _ in range(25)]
        pairs = [(1, 2), (2, 1), (3, 4), (3, 4), (3, 5), (6, 7), (7, 8), (8, 6), (9, 10)]
        made += [("mentoring", self.names[one], self.names[other]) for one, other in pairs]
        return [
            {"name": f"c{number:03}", "kind": kind, "by": by, "mentored": mentored}
            for number, (kind, by, mentored) in enumerate(made)
        ]

    def kept(self, most: float) -> dict:
        return {
            "violations": self.random.randrange(0, 6),
            "unregistered": usd(int(self.random.random() * most * PICO)),
            "expired_exceptions": ["late"] * self.random.randrange(0, 3),
        }
