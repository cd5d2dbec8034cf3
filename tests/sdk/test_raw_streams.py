"""What an SDK might smooth over: the bytes and events of a stream, one by one."""

from __future__ import annotations

import pytest
from harness import wire
from harness.prompts import anthropic_cases, openai_cases

STREAM_OPTIONS = {
    "absent": {},
    "null": {"stream_options": None},
    "empty": {"stream_options": {}},
    "declined": {"stream_options": {"include_usage": False}},
    "asked for": {"stream_options": {"include_usage": True}},
}


@pytest.mark.parametrize("options", STREAM_OPTIONS)
@pytest.mark.parametrize("case", ["plain", "tools", "several choices", "reasoning"])
def test_openai_events_are_the_same(stack, request, options, case):
    body = openai_cases(request.node.name)[case] | {"stream": True} | STREAM_OPTIONS[options]
    direct, through = wire.both_ways(stack, "openai", body)
    assert (direct.status_code, through.status_code) == (200, 200)
    assert wire.payloads(through) == wire.payloads(direct)
    assert through.headers["content-type"] == direct.headers["content-type"]
    # Nothing of what Tally asked for on its own behalf may be seen, not even a null.
    mentions_usage = any(
        isinstance(event, dict) and "usage" in event for event in wire.payloads(through)
    )
    assert mentions_usage == (options == "asked for")


def test_openai_bytes_are_the_same_when_nothing_is_hidden(stack, request):
    body = openai_cases(request.node.name)["tools"] | {"stream": True}
    body |= STREAM_OPTIONS["asked for"]
    direct, through = wire.both_ways(stack, "openai", body)
    assert through.content == direct.content


@pytest.mark.parametrize("case", ["plain", "thinking", "tools", "cached 1h", "web search"])
def test_anthropic_bytes_are_the_same(stack, request, case):
    body = anthropic_cases(request.node.name)[case] | {"stream": True}
    direct, through = wire.both_ways(stack, "anthropic", body)
    assert (direct.status_code, through.status_code) == (200, 200)
    assert through.content == direct.content
    assert wire.event_names(through)[0] == "message_start"


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_whole_bodies_are_the_same_bytes(stack, request, dialect):
    cases = {"openai": openai_cases, "anthropic": anthropic_cases}[dialect]
    direct, through = wire.both_ways(stack, dialect, cases(request.node.name)["tools"])
    assert through.content == direct.content


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_an_answer_that_comes_compressed_is_the_same_to_the_client(stack, request, dialect):
    cases = {"openai": openai_cases, "anthropic": anthropic_cases}[dialect]
    body = cases(f"{request.node.name} [[sim fault=gzip]]")["plain"]
    direct, through = wire.both_ways(stack, dialect, body)
    assert through.json() == direct.json()
    direct, through = wire.both_ways(stack, dialect, body | {"stream": True})
    assert wire.payloads(through) == wire.payloads(direct)
