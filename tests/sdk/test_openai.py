"""OpenAI's SDK sees the same values through Tally as it sees directly, ids included."""

from __future__ import annotations

import pytest
from harness.clients import FLAVOURS, events, pair, page, settled
from harness.prompts import OPENAI_NAMES, openai_cases


@pytest.fixture(params=FLAVOURS)
def sdk(stack, request):
    return pair(stack, "openai", request.param), request.node.name


@pytest.mark.parametrize("case", OPENAI_NAMES)
async def test_whole_replies_are_the_same(sdk, case):
    both, unique = sdk
    request = openai_cases(unique)[case]
    direct, through = await both.both(lambda client: client.chat.completions.create(**request))
    assert through.model_dump() == direct.model_dump()
    assert through.usage.total_tokens > 0
    if case == "tools":
        assert through.choices[0].message.tool_calls[0].function.name == "get_weather"
    if case == "reasoning":
        assert through.usage.completion_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("case", OPENAI_NAMES)
@pytest.mark.parametrize("options", [None, {"include_usage": True}], ids=["bare", "with usage"])
async def test_streams_are_the_same(sdk, case, options):
    both, unique = sdk
    request = openai_cases(unique)[case] | {"stream": True}
    if options:
        request["stream_options"] = options
    direct, through = await both.both(
        lambda client: events(client.chat.completions.create(**request))
    )
    assert through == direct
    assert len(through) > 3
    usages = [event["usage"] for event in through if event["usage"] is not None]
    # Tally asks for usage on its own behalf; only who asked may see it.
    assert len(usages) == (1 if options else 0)


async def test_a_repeated_prompt_is_read_from_the_cache_on_both_sides(sdk):
    both, unique = sdk
    request = openai_cases(unique)["long"]
    for expected in (0, 1):
        direct, through = await both.both(lambda client: client.chat.completions.create(**request))
        assert through.model_dump() == direct.model_dump()
        assert bool(through.usage.prompt_tokens_details.cached_tokens) == bool(expected)


@pytest.mark.parametrize("encoding", [None, "float", "base64"], ids=["default", "float", "base64"])
@pytest.mark.parametrize("form", ["text", "texts", "tokens"])
async def test_embeddings_are_the_same(sdk, encoding, form):
    both, unique = sdk
    inputs = {"text": unique, "texts": [unique, "second"], "tokens": [1, 2, 3]}
    request = {"model": "text-embedding-3-small", "input": inputs[form], "dimensions": 64}
    if encoding:
        request["encoding_format"] = encoding
    direct, through = await both.both(lambda client: client.embeddings.create(**request))
    # A vector in base64 is not what the SDK's own type says, of which it would warn.
    assert through.model_dump(warnings=False) == direct.model_dump(warnings=False)
    assert len(through.data) == (2 if form == "texts" else 1)


async def test_models_are_those_of_the_company(sdk):
    both, _ = sdk
    names = {model.id for model in await page(both.through.models.list())}
    assert {"gpt-5", "gpt-5-mini", "text-embedding-3-small"} <= names
    one = await settled(both.through.models.retrieve("gpt-5"))
    assert (one.id, one.object) == ("gpt-5", "model")


async def test_the_providers_headers_come_through_with_tallys_beside_them(sdk):
    both, unique = sdk
    request = openai_cases(unique)["plain"]
    direct, through = await both.both(
        lambda client: client.chat.completions.with_raw_response.create(**request)
    )
    for name in ("x-request-id", "openai-processing-ms", "x-ratelimit-remaining-tokens"):
        assert through.headers[name] == direct.headers[name]
    assert through.headers["x-tally-model"] == "gpt-5-mini"
    assert float(through.headers["x-tally-cost-usd"]) > 0
    assert through.headers["x-tally-request-id"]


async def test_fields_that_tally_does_not_know_reach_the_provider(sdk):
    both, unique = sdk
    request = openai_cases(unique)["plain"] | {
        "extra_body": {"brand_new": {"nested": [1, 2.50, None, "ü\u2028"]}},
        "metadata": {"any": "thing"},
        "user": "someone",
    }
    direct, through = await both.both(lambda client: client.chat.completions.create(**request))
    # The simulator answers by the whole body's content: a lost field changes the reply.
    assert through.model_dump() == direct.model_dump()
