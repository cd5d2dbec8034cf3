"""Asks both sides: the simulator what it served, Tally what it metered."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

import httpx

from .processes import Stack

# Far more than shipping takes; only a defect waits for its end.
SHIP_SECONDS_MAX = 90

KINDS = {
    "tokens_input_uncached": "input_uncached",
    "tokens_cache_read": "cache_read",
    "tokens_cache_write_5m": "cache_write_5m",
    "tokens_cache_write_1h": "cache_write_1h",
    "tokens_output": "output",
    "tokens_reasoning": "reasoning",
}
"""Tally's measures of tokens and the simulator's names of the same."""


def served(stack: Stack) -> dict[str, Any]:
    return httpx.get(f"{stack.sim_url}/sim/served", timeout=60, trust_env=False).json()


def forget_served(stack: Stack) -> None:
    httpx.delete(f"{stack.sim_url}/sim/served", trust_env=False).raise_for_status()


def last_served(stack: Stack, marker: str) -> dict[str, Any]:
    """The newest call whose prompt carried the marker."""
    calls = [call for call in served(stack)["calls"] if call["marker"] == marker]
    assert calls, f"the simulator never saw {marker}"
    return calls[-1]


def sim_ended(stack: Stack) -> dict[str, Any]:
    """What was served, once no call is under way any more."""
    return wait_until(
        lambda: served(stack),
        lambda answer: answer["total"]["in_flight"] == 0,
        "the simulator still has calls under way",
    )


def query(stack: Stack, **question: Any) -> list[dict[str, Any]]:
    """The rows of an answer of the metrics layer, by column name."""
    answer = ask(stack, **question)
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row)) for row in answer["rows"]]


def ask(stack: Stack, **question: Any) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    body = {
        # Wide enough that a test at midnight sees all of its calls.
        "range": {
            "from": (now - timedelta(days=1)).isoformat(),
            "to": (now + timedelta(days=1)).isoformat(),
        },
        "limit": 10_000,
        **question,
    }
    headers = {"authorization": f"Bearer {stack.admin_key}"}
    url = f"{stack.tally_url}/api/v1/query"
    reply = httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)
    assert reply.status_code == 200, f"{reply.status_code}: {reply.text}"
    answer = reply.json()
    assert not answer["truncated"], "the answer has more rows than a query may return"
    return answer


def wait_until(
    look: Callable[[], Any], is_there: Callable[[Any], bool], failure: str, every: float = 0.1
) -> Any:
    """Looks until it is there; a test that waits forever says what it saw last."""
    deadline = time.monotonic() + SHIP_SECONDS_MAX
    while True:
        seen = look()
        if is_there(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{failure}: {str(seen)[:4000]}")
        time.sleep(every)


def task_filter(prefix: str) -> list[dict[str, Any]]:
    return [{"dimension": "task_id", "op": "prefix", "values": [prefix]}]


def wait_for_calls(stack: Stack, expected: int, filters: list[dict[str, Any]] | None = None) -> None:
    """Until as many calls are in the warehouse; more than that is a failure, too."""

    def count() -> int:
        rows = query(stack, measures=["calls"], filters=filters or [])
        return rows[0]["calls"] if rows else 0

    seen = wait_until(count, lambda calls: calls >= expected, f"{expected} calls expected")
    assert seen == expected


def metered_task(stack: Stack, task: str) -> dict[str, Any]:
    """The one call of a task, once it is in the warehouse."""
    wait_for_calls(stack, 1, task_filter(task))
    rows = query(
        stack,
        measures=[*KINDS, "calls", "spend_usd"],
        dimensions=["model", "status", "counts"],
        filters=task_filter(task),
    )
    assert len(rows) == 1, rows
    return rows[0]


def tokens_of_sim(usage: dict[str, Any]) -> dict[str, int]:
    return {name: usage[name] for name in KINDS.values()}


def tokens_of_tally(row: dict[str, Any]) -> dict[str, int]:
    return {kind: row[measure] for measure, kind in KINDS.items()}
