"""Known failures of other meters, each with the number it has in this project's list."""

from __future__ import annotations

import pytest
from harness import api
from harness.clients import client, events, settled
from harness.prompts import anthropic_cases, openai_cases, user

MODELS = {"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5"}


def through(stack, sdk: str, task: str):
    headers = {"x-tally-task": task}
    return client(sdk, "sync", stack.tally_url, stack.person_key, default_headers=headers)


def marked(request: dict, task: str) -> dict:
    """The request with a marker in its last user message."""
    return request | {"messages": [*request["messages"], user(f"marker:{task}")]}


def create(sdk: str, caller, **request):
    if sdk == "openai":
        return caller.chat.completions.create(**request)
    return caller.messages.create(**request)


def assert_metered_as_served(stack, task: str) -> dict:
    row = api.metered_task(stack, task)
    usage = api.last_served(stack, task)["usage"]
    assert api.tokens_of_tally(row) == api.tokens_of_sim(usage)
    assert row["counts"] == "reported"
    return row


@pytest.mark.parametrize("sdk", MODELS)
async def test_regression_13_disconnect_midstream_is_metered(stack, sdk):
    """A client that hangs up has used what was streamed until then; it is not free."""
    task = f"regression-13-{sdk}"
    text = f"Tell me everything marker:{task} [[sim output_tokens=4000 tokens_per_second=400]]"
    request = {"model": MODELS[sdk], "messages": [user(text)], "stream": True}
    if sdk == "anthropic":
        request["max_tokens"] = 8_000
    stream = create(sdk, through(stack, sdk, task), **request)
    for _ in range(40):
        next(stream)
    stream.close()
    row = api.metered_task(stack, task)
    assert (row["status"], row["counts"]) == ("aborted", "estimated")
    assert row["tokens_output"] > 0 and row["tokens_input_uncached"] > 0
    assert float(row["spend_usd"]) > 0
    # Hanging up also stops the provider, which would go on billing.
    served = api.sim_ended(stack)["calls"][-1]
    assert served["outcome"] == "aborted_by_client"
    assert served["output_tokens_streamed"] < served["output_tokens_planned"]


@pytest.mark.parametrize("case", ["plain", "thinking", "tools", "cached 1h"])
async def test_regression_14_streamed_messages_are_not_zero(stack, case):
    """Anthropic tells a stream's usage in two events, the second of them cumulative."""
    task = f"regression-14-{case.replace(' ', '-')}"
    request = marked(anthropic_cases(task)[case], task)
    await events(create("anthropic", through(stack, "anthropic", task), **request, stream=True))
    row = assert_metered_as_served(stack, task)
    assert row["tokens_output"] > 0
    assert float(row["spend_usd"]) > 0


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("sdk,case", [("openai", "long"), ("anthropic", "cached 5m")])
async def test_regression_15_cache_reads_counted_once(stack, sdk, case, streamed):
    """OpenAI's prompt tokens include cached ones, Anthropic's do not."""
    cases = openai_cases if sdk == "openai" else anthropic_cases
    unique = f"regression-15-{sdk}-{streamed}"
    for turn in ("first", "again"):
        task = f"{unique}-{turn}"
        request = marked(cases(unique)[case], f"{unique}-both")
        reply = create(sdk, through(stack, sdk, task), **request, stream=streamed)
        await (events(reply) if streamed else settled(reply))
        row = api.metered_task(stack, task)
        usage = api.last_served(stack, f"{unique}-both")["usage"]
        assert api.tokens_of_tally(row) == api.tokens_of_sim(usage)
        assert (row["tokens_cache_read"] > 0) == (turn == "again")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("sdk,case", [("openai", "reasoning"), ("anthropic", "thinking")])
async def test_regression_16_reasoning_counted_once(stack, sdk, case, streamed):
    """Reasoning is a part of output: adding it again doubles the dearest tokens."""
    task = f"regression-16-{sdk}-{streamed}"
    cases = openai_cases if sdk == "openai" else anthropic_cases
    request = marked(cases(task)[case], task)
    reply = create(sdk, through(stack, sdk, task), **request, stream=streamed)
    await (events(reply) if streamed else settled(reply))
    row = assert_metered_as_served(stack, task)
    assert 0 < row["tokens_reasoning"] < row["tokens_output"]
