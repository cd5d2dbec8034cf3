"""Modest, endless traffic of a small company's people, through the vendors' own SDKs.

    traffic.py [--env DEMO_ENV] [--rate CALLS_PER_SECOND] [--seed N]

Reads where Tally is and whose keys there are from the file that `tally demo` writes.
Ends on SIGTERM or Ctrl-C. Every few seconds it prints one line.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import anthropic
import httpx
import openai
from tasks import TASKS, Task

STATUS_SECONDS = 5
# A call that takes longer than this is a bug worth seeing in the status line.
CALL_SECONDS_MAX = 60


class Person:
    """A caller with both SDKs in hand, as a team would have them configured."""

    def __init__(self, tally: str, name: str, key: str):
        self.name = name
        self.key = key
        options = {"api_key": key, "timeout": CALL_SECONDS_MAX, "max_retries": 1}
        self.openai = openai.AsyncOpenAI(base_url=f"{tally}/v1", **options)
        self.anthropic = anthropic.AsyncAnthropic(base_url=tally, **options)


class Traffic:
    def __init__(self, settings: dict[str, str], rate: float, seed: int):
        self.tally = settings["TALLY_TO"]
        self.rate = rate
        self.random = random.Random(seed)
        self.people = {
            name.removeprefix("TALLY_KEY_").lower(): key
            for name, key in settings.items()
            if name.startswith("TALLY_KEY_")
        }
        self.callers = {n: Person(self.tally, n, k) for n, k in self.people.items()}
        self.http = httpx.AsyncClient(timeout=10, trust_env=False)
        self.counts: Counter[str] = Counter()
        self.last_problem = ""
        self.run_id = f"{int(time.time()):x}"
        self.number = 0

    async def run(self, stop: asyncio.Event) -> None:
        under_way: set[asyncio.Task] = set()
        status = asyncio.create_task(self.tell())
        while not stop.is_set():
            under_way.add(asyncio.create_task(self.one_task()))
            under_way = {task for task in under_way if not task.done()}
            pause = self.random.expovariate(self.rate)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except asyncio.TimeoutError:
                pass
        status.cancel()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def one_task(self) -> None:
        """One piece of work: a few calls of one person, then what came of it."""
        kinds = [task for task in TASKS if task.caller in self.callers]
        task = self.random.choices(kinds, [task.weight for task in kinds])[0]
        caller = self.callers[task.caller]
        self.number += 1
        task_id = f"{task.kind}-{self.run_id}-{self.number}"
        try:
            for _ in range(self.random.randint(*task.calls)):
                await task.call(caller, self.random, task.headers(task_id))
                self.counts["calls"] += 1
            if task.reports:
                await self.report(task, caller, task_id)
        except (openai.APIStatusError, anthropic.APIStatusError) as error:
            # A budget or policy that says no is part of the show.
            self.counts[f"HTTP {error.status_code}"] += 1
            self.last_problem = str(error)[:160]
        except (openai.APIError, anthropic.APIError, httpx.HTTPError) as error:
            self.counts["failed"] += 1
            self.last_problem = f"{type(error).__name__}: {error}"[:160]

    async def report(self, task: Task, caller: Person, task_id: str) -> None:
        outcome = task.outcome(self.random) | {"task_id": task_id}
        headers = {"authorization": f"Bearer {caller.key}"}
        url = f"{self.tally}/ingest/v1/outcomes"
        reply = await self.http.post(url, json=outcome, headers=headers)
        if reply.is_success:
            self.counts["outcomes"] += 1
        else:
            self.counts[f"outcome HTTP {reply.status_code}"] += 1
            self.last_problem = reply.text[:160]

    async def tell(self) -> None:
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            told = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
            problem = f"; last problem: {self.last_problem}" if self.last_problem else ""
            print(f"traffic: {told or 'nothing yet'}{problem}", flush=True)


def read_env(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path("tally-data/demo/demo.env")
    parser.add_argument("--env", type=Path, default=default, help="the file `tally demo` wrote")
    parser.add_argument("--rate", type=float, default=2.0, help="tasks per second, on average")
    parser.add_argument("--seed", type=int, default=1, help="decides who does what")
    arguments = parser.parse_args()
    if arguments.rate <= 0:
        parser.error("--rate must be above 0")
    if not arguments.env.exists():
        parser.error(f"{arguments.env} does not exist; start `tally demo` first")
    traffic = Traffic(read_env(arguments.env), arguments.rate, arguments.seed)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await traffic.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
