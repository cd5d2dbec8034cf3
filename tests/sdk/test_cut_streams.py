"""Streams that the client abandons have no usage block: Tally's estimate must be close."""

from __future__ import annotations

import asyncio
import random

import pytest
from harness import api, load
from harness.processes import SEED

WARM_UPS = 60
CUTS = 100
AT_ONCE = 16
# What is on the wire when a client hangs up is billed, and Tally cannot see it. At
# this pace that is a token or two even on a machine that is busy with other things.
TOKENS_PER_SECOND = 200
OUTPUT_TOKENS = 1_500
# A piece of text is one to four tokens, so that every cut is well inside the stream.
PIECES = (40, 400)
ERROR_MAX = 0.02


async def run_all(calls) -> list[bool]:
    """Several at once, never more than the machine can pace."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(call):
        async with slots:
            return await call

    return await asyncio.gather(*map(one, calls))


@pytest.mark.parametrize(
    "dialect,model", [("anthropic", "claude-haiku-4-5"), ("openai", "gpt-5-mini")]
)
async def test_cut_streams_are_estimated_within_two_percent(stack, dialect, model):
    api.forget_served(stack)
    moments = random.Random(SEED)
    async with load.http_client(AT_ONCE) as http:

        def stream(task, directive, leave_after=None):
            return load.stream(stack, http, dialect, model, task, directive, leave_after)

        warm = [f"warm-{dialect}-{number}" for number in range(WARM_UPS)]
        lengths = [moments.randint(100, OUTPUT_TOKENS) for _ in warm]
        whole = await run_all(
            stream(task, f"output_tokens={length}") for task, length in zip(warm, lengths)
        )
        assert all(whole)
        paced = f"output_tokens={OUTPUT_TOKENS} tokens_per_second={TOKENS_PER_SECOND}"
        cut = [f"cut-{dialect}-{number}" for number in range(CUTS)]
        whole = await run_all(stream(task, paced, moments.randint(*PIECES)) for task in cut)
        assert not any(whole)

    served = [c for c in api.sim_ended(stack)["calls"] if (c["marker"] or "").startswith("cut-")]
    assert {call["outcome"] for call in served} == {"aborted_by_client"}
    truth = sum(call["output_tokens_streamed"] for call in served)

    filters = api.task_filter(f"cut-{dialect}-")
    api.wait_for_calls(stack, CUTS, filters)
    rows = api.query(
        stack,
        measures=["tokens_output", "tokens_input_uncached", "calls"],
        dimensions=["counts", "status"],
        filters=filters,
    )
    assert [(row["counts"], row["status"]) for row in rows] == [("estimated", "aborted")]
    error = rows[0]["tokens_output"] / truth - 1
    print(f"{model}: {rows[0]['tokens_output']} metered, {truth} streamed: {error:+.2%}")
    assert abs(error) <= ERROR_MAX
    if dialect == "anthropic":
        # The prompt's count came with the first event, so it is no estimate at all.
        assert rows[0]["tokens_input_uncached"] == sum(c["usage"]["input_uncached"] for c in served)
