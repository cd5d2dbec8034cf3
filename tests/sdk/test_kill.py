"""kill -9 under load: every call that reached the provider is metered exactly once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import httpx
from harness import api, load
from harness.processes import SEED

ROUNDS = int(os.environ.get("TALLY_KILL_ROUNDS", "20"))
CLIENTS = 64
# About a second per stream, so that a kill always strikes many in the middle.
DIRECTIVE = "output_tokens=60 tokens_per_second=60"
# From the first connections to well into the second calls.
MOMENTS_S = (0.1, 1.8)
MODELS = [("anthropic", "claude-haiku-4-5"), ("openai", "gpt-5-mini")]


async def talk(stack, http, round_number: int, number: int, whole: set[str]) -> None:
    """Calls on and on until the server is gone."""
    dialect, model = MODELS[number % len(MODELS)]
    turn = 0
    while True:
        task = f"kill-{round_number}-{number}-{turn}"
        turn += 1
        try:
            if await load.stream(stack, http, dialect, model, task, DIRECTIVE):
                whole.add(task)
        except httpx.TransportError:
            return


async def strike(stack, round_number: int, wait_s: float, whole: set[str]) -> None:
    """One round: clients at work, then the kill."""
    async with load.http_client(CLIENTS) as http:
        clients = [
            asyncio.create_task(talk(stack, http, round_number, number, whole))
            for number in range(CLIENTS)
        ]
        await asyncio.sleep(wait_s)
        await asyncio.to_thread(stack.tally.kill)
        await asyncio.wait_for(asyncio.gather(*clients), timeout=60)


def warehouse_calls(stack) -> list[dict]:
    return api.query(
        stack,
        measures=["calls", "tokens_output", "tokens_input_uncached"],
        dimensions=["task_id", "counts", "status"],
    )


async def test_kill_9_loses_nothing(stack):
    moments = random.Random(SEED)
    whole: set[str] = set()
    for round_number in range(ROUNDS):
        if round_number:
            stack.start_tally()
        await strike(stack, round_number, moments.uniform(*MOMENTS_S), whole)
    stack.start_tally()

    served = {
        call["marker"]: call
        for call in api.sim_ended(stack)["calls"]
        if call["outcome"] != "rejected"
    }
    assert len(served) >= ROUNDS * CLIENTS // 2, "the clients hardly got anything through"
    api.wait_until(
        lambda: served.keys() - {row["task_id"] for row in warehouse_calls(stack)},
        lambda missing: not missing,
        "calls that the provider served are missing",
    )
    # Stopped in order, it has shipped all it will ever ship: what comes twice shows now.
    stack.tally.stop()
    stack.start_tally()
    api.wait_until(
        lambda: served.keys() - {row["task_id"] for row in warehouse_calls(stack)},
        lambda missing: not missing,
        "calls were lost by an orderly stop",
    )
    rows = warehouse_calls(stack)
    counted = Counter()
    for row in rows:
        counted[row["task_id"]] += row["calls"]
    assert {task: count for task, count in counted.items() if count != 1} == {}

    # A call is marked as sent just before its bytes leave: a kill between the two, which
    # takes a few microseconds, leaves one that the provider never saw. That is the side
    # to err on, but it must be rare and marked.
    phantoms = [row for row in rows if row["task_id"] not in served]
    assert all(row["status"] == "interrupted" for row in phantoms), phantoms
    assert len(phantoms) <= max(1, ROUNDS // 10), phantoms
    statuses = Counter(row["status"] for row in rows)
    print(f"{len(rows)} calls over {ROUNDS} kills: {dict(statuses)}, unseen: {len(phantoms)}")
    assert statuses["interrupted"] > 0, "no kill struck a call under way"

    for row in rows:
        if row["task_id"] in whole:
            assert row["status"] in ("ok", "interrupted"), row
        if row["status"] != "ok":
            assert row["counts"] == "estimated", row
            continue
        usage = served[row["task_id"]]["usage"]
        assert row["counts"] == "reported"
        assert (row["tokens_output"], row["tokens_input_uncached"]) == (
            usage["output"],
            usage["input_uncached"],
        ), row
    assert whole <= counted.keys(), "a client got an answer that was never metered"
