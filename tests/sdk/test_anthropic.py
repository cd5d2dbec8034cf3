"""Anthropic's SDK sees the same values through Tally as it sees directly, ids included."""

from __future__ import annotations

import pytest
from harness.clients import FLAVOURS, events, pair, page, settled
from harness.prompts import ANTHROPIC_NAMES, anthropic_cases


@pytest.fixture(params=FLAVOURS)
def sdk(stack, request):
    return pair(stack, "anthropic", request.param), request.node.name


@pytest.mark.parametrize("case", ANTHROPIC_NAMES)
async def test_whole_replies_are_the_same(sdk, case):
    both, unique = sdk
    request = anthropic_cases(unique)[case]
    direct, through = await both.both(lambda client: client.messages.create(**request))
    assert through.model_dump() == direct.model_dump()
    kinds = {block.type for block in through.content}
    if case == "tools":
        assert "tool_use" in kinds
    if case == "thinking":
        assert "thinking" in kinds
    if case.startswith("cached"):
        assert through.usage.cache_creation_input_tokens > 0


@pytest.mark.parametrize("case", ANTHROPIC_NAMES)
async def test_streams_are_the_same(sdk, case):
    both, unique = sdk
    request = anthropic_cases(unique)[case] | {"stream": True}
    direct, through = await both.both(lambda client: events(client.messages.create(**request)))
    assert through == direct
    assert [through[0]["type"], through[-1]["type"]] == ["message_start", "message_stop"]


@pytest.mark.parametrize("case", ["thinking", "tools"])
async def test_the_stream_helper_builds_the_same_message(sdk, case):
    both, unique = sdk
    request = anthropic_cases(unique)[case]

    async def final(client):
        manager = client.messages.stream(**request)
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                return await stream.get_final_message()
        with manager as stream:
            return stream.get_final_message()

    direct, through = await both.both(final)
    assert through.model_dump() == direct.model_dump()
    assert through.usage.output_tokens > 0


async def test_a_repeated_prompt_is_read_from_the_cache_on_both_sides(sdk):
    both, unique = sdk
    request = anthropic_cases(unique)["cached 1h"]
    for repeated in (False, True):
        direct, through = await both.both(lambda client: client.messages.create(**request))
        assert through.model_dump() == direct.model_dump()
        assert (through.usage.cache_read_input_tokens > 0) == repeated
        assert (through.usage.cache_creation.ephemeral_1h_input_tokens > 0) != repeated


@pytest.mark.parametrize("case", ["plain", "tools", "image"])
async def test_counted_tokens_are_the_same(sdk, case):
    both, unique = sdk
    request = anthropic_cases(unique)[case]
    del request["max_tokens"]
    direct, through = await both.both(lambda client: client.messages.count_tokens(**request))
    assert through.model_dump() == direct.model_dump()
    assert through.input_tokens > 0


async def test_models_are_those_of_the_company(sdk):
    both, _ = sdk
    models = await page(both.through.models.list())
    assert {"claude-opus-4-8", "claude-haiku-4-5"} <= {model.id for model in models}
    one = await settled(both.through.models.retrieve("claude-haiku-4-5"))
    assert (one.id, one.type) == ("claude-haiku-4-5", "model")


async def test_the_providers_headers_come_through_with_tallys_beside_them(sdk):
    both, unique = sdk
    request = anthropic_cases(unique)["plain"]
    direct, through = await both.both(
        lambda client: client.messages.with_raw_response.create(**request)
    )
    for name in ("request-id", "anthropic-ratelimit-tokens-remaining"):
        assert through.headers[name] == direct.headers[name]
    assert through.headers["x-tally-model"] == "claude-haiku-4-5"
    assert float(through.headers["x-tally-cost-usd"]) > 0


async def test_a_beta_call_keeps_its_query_and_headers(sdk):
    both, unique = sdk
    request = anthropic_cases(unique)["plain"] | {"betas": ["context-1m-2025-08-07"]}
    direct, through = await both.both(lambda client: client.beta.messages.create(**request))
    assert through.model_dump() == direct.model_dump()
