"""After a mixed workload Tally's numbers are the provider's, to the token and the picodollar."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from fractions import Fraction

import pytest
from harness import api
from harness.clients import client, events, settled
from harness.prices import Prices
from harness.prompts import anthropic_cases, openai_cases, user

ROUNDS = 3
TIERS = {"flex tier": "flex"}
"""Cases that another price applies to."""


async def openai_calls(stack, caller, number: int) -> Counter:
    """Every kind of call through OpenAI's SDK; gives back how many."""
    made = Counter()
    for name, request in openai_cases(f"round {number}").items():
        tier = TIERS.get(name, "standard")
        # The last user message carries the marker, so that the call's tier is known.
        request["messages"] = [*request["messages"], user(f"marker:tier.{tier}")]
        modes = [{}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}]
        for mode in modes:
            reply = caller.chat.completions.create(**request | mode)
            await (events(reply) if mode else settled(reply))
            made[request["model"]] += 1
    texts = [f"text {number} {index}" for index in range(number + 1)]
    await settled(caller.embeddings.create(model="text-embedding-3-small", input=texts))
    made["text-embedding-3-small"] += 1
    return made


async def anthropic_calls(stack, caller, number: int) -> Counter:
    """The same through Anthropic's."""
    made = Counter()
    # The first of two writes a prompt's cache, the second reads it: each way round.
    modes = [{}, {"stream": True}] if number % 2 else [{"stream": True}, {}]
    for request in anthropic_cases(f"round {number}").values():
        for mode in modes:
            reply = caller.messages.create(**request | mode)
            await (events(reply) if mode else settled(reply))
            made[request["model"]] += 1
        # Counting is free: it must not be metered.
        await settled(caller.messages.count_tokens(model=request["model"], messages=[user("x")]))
    return made


def awkward_calls(stack) -> Counter:
    """Calls that Tally answers itself or repeats; none may count twice or cost anything."""
    made = Counter()
    caller = client("openai", "sync", stack.tally_url, stack.person_key)
    text = "hello marker:tier.standard [[sim fault=429 fail_times=2 retry_after=0]]"
    caller.chat.completions.create(model="gpt-5", messages=[user(text)])
    made["gpt-5"] += 1
    for model in ("no-such-model", "claude-opus-4-8"):
        with pytest.raises(Exception):
            caller.chat.completions.create(model=model, messages=[user("hello")])
    return made


@pytest.fixture(scope="module")
def workload(stack):
    """Runs the calls once; the tests below look at different sides of the result."""
    import asyncio

    async def run() -> Counter:
        made = Counter()
        for number in range(ROUNDS):
            flavours = ["sync", "async"]
            random.Random(number).shuffle(flavours)
            through = [client(s, f, stack.tally_url, stack.person_key)
                       for s, f in zip(("openai", "anthropic"), flavours)]
            made += await openai_calls(stack, through[0], number)
            made += await anthropic_calls(stack, through[1], number)
        return made

    made = asyncio.run(run()) + awkward_calls(stack)
    api.sim_ended(stack)
    api.wait_for_calls(stack, made.total())
    return made


def metered(stack, dimension: str) -> dict[str, dict]:
    rows = api.query(
        stack,
        measures=[*api.KINDS, "calls", "calls_estimated", "calls_unpriced", "spend_usd"],
        dimensions=[dimension],
        filters=[{"dimension": "status", "op": "ne", "values": ["refused"]}],
    )
    return {row[dimension]: row for row in rows}


@pytest.mark.parametrize("dimension", ["model", "model_reported"])
def test_tokens_by_model_and_kind_are_exactly_the_providers(stack, workload, dimension):
    totals = {m: t for m, t in api.served(stack)["totals"].items() if m in workload}
    rows = metered(stack, dimension)
    assert set(rows) == set(workload)
    for model, row in rows.items():
        assert api.tokens_of_tally(row) == api.tokens_of_sim(totals[model]), model
        assert row["calls"] == workload[model]
        assert (row["calls_estimated"], row["calls_unpriced"]) == (0, 0)
    # The workload is worth its name only if it used every kind.
    for kind in api.KINDS.values():
        assert sum(total[kind] for total in totals.values()) > 0, kind


def test_spend_is_exact_to_the_picodollar(stack, workload):
    prices, expected = Prices(), defaultdict(Fraction)
    for call in api.served(stack)["calls"]:
        if call["outcome"] != "complete" or call["path"].endswith("count_tokens"):
            continue
        tier = (call["marker"] or "tier.standard").removeprefix("tier.")
        expected[call["model"]] += prices.cost(call["model"], call["usage"], tier)
    rows = metered(stack, "model")
    for model in workload:
        assert Fraction(rows[model]["spend_usd"]) == expected[model], model
    answer = api.ask(stack, measures=["spend_usd", "calls"])
    assert Fraction(answer["total"][0]) == sum(expected.values())
    assert answer["warnings"] == []


def test_rollups_and_events_agree(stack, workload):
    """Split by a dimension that only the events hold, the parts add up to the rollups' sums."""
    measures = [*api.KINDS, "calls", "spend_usd"]
    whole = api.ask(stack, measures=measures)
    parts = api.ask(stack, measures=measures, dimensions=["user_agent", "streamed"])
    assert parts["total"][2:] == whole["total"]


def test_it_is_attributed_to_the_person_and_team(stack, workload):
    rows = api.query(stack, measures=["calls"], dimensions=["person", "team", "key"])
    assert rows == [
        {"person": "ada", "team": "support", "key": "ada-laptop", "calls": workload.total()}
    ]
