"""Redaction as a client sees it: nothing. As the provider sees it: no personal data."""

from __future__ import annotations

import json

import httpx
import pytest
from harness import api, clients
from harness.processes import Stack
from harness.receivers import Tap

EMAIL = "ada.byron@acme.test"
CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
VALUES = [EMAIL, CARD, IBAN, TOKEN]
TEXT = f'Grüße an "{EMAIL}",\nKarte {CARD}, Konto {IBAN}, Schlüssel {TOKEN}; noch einmal {EMAIL}.'
RESULT = f"Gesendet an {EMAIL}; {CARD} belastet."
# What the shipped company redacts, and the simulator says what it was told.
CONFIDENTIAL = {"x-tally-data-class": "confidential"}
ECHO = {"x-sim-echo": "last"}
SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}


@pytest.fixture(scope="module")
def tapped(tmp_path_factory):
    """A Tally whose provider is heard in on."""
    stack = Stack(tmp_path_factory.mktemp("tapped"))
    tap = Tap(stack.sim_url)
    company = stack.company.read_text().replace(f"127.0.0.1:{stack.sim_port}", f"127.0.0.1:{tap.port}")
    stack.company.write_text(company.replace("[public, internal]", "[public, internal, confidential]"))
    try:
        yield stack.start(), tap
    finally:
        stack.stop()


def client(stack: Stack, sdk: str, session: str):
    headers = CONFIDENTIAL | ECHO | {"x-tally-task": session}
    return clients.client(sdk, "sync", stack.tally_url, stack.person_key, default_headers=headers)


def nothing_left(tap: Tap, calls: int) -> list[dict]:
    assert len(tap.bodies) >= calls
    for body in tap.bodies:
        for value in VALUES:
            assert value not in body, "a value left"
            assert json.dumps(value)[1:-1] not in body
    return [json.loads(body) for body in tap.bodies]


def test_an_anthropic_conversation_with_tools_and_streams_comes_back_whole(tapped):
    stack, tap = tapped
    tap.bodies.clear()
    ask = client(stack, "anthropic", "redaction-anthropic").messages
    tools = [{"name": "mail", "description": "Sends a mail", "input_schema": SCHEMA}]
    common = {"model": "claude-opus-4-8", "max_tokens": 2000, "system": f"Support: {EMAIL}"}
    messages = [{"role": "user", "content": TEXT}]

    with ask.stream(**common, messages=messages) as stream:
        pieces = list(stream.text_stream)
        reply = stream.get_final_message()
    assert "".join(pieces) == TEXT == reply.content[0].text
    messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": TEXT}]

    with ask.stream(**common, messages=messages, tools=tools, tool_choice={"type": "any"}) as stream:
        reply = stream.get_final_message()
    assert reply.stop_reason == "tool_use"
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert all(call.input["to"] == TEXT for call in calls)
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULT} for call in calls]
    messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": results}]

    whole = ask.create(**common, messages=messages)
    assert whole.content[0].text == "\n".join([RESULT] * len(calls))
    first, second, third = nothing_left(tap, 3)
    assert first["system"] == second["system"] == third["system"]
    assert second["messages"][0] == first["messages"][0], "what was cached stays the same"
    assert third["messages"][:3] == second["messages"], "turn after turn"


def test_an_openai_conversation_with_tools_and_streams_comes_back_whole(tapped):
    stack, tap = tapped
    tap.bodies.clear()
    ask = client(stack, "openai", "redaction-openai").chat.completions
    tools = [{"type": "function", "function": {"name": "mail", "parameters": SCHEMA}}]
    common = {"model": "gpt-5-mini"}
    messages = [{"role": "system", "content": f"Support: {EMAIL}"}, {"role": "user", "content": TEXT}]

    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in ask.create(**common, messages=messages, stream=True)
        if chunk.choices
    ]
    assert "".join(pieces) == TEXT
    messages += [{"role": "assistant", "content": TEXT}, {"role": "user", "content": TEXT}]

    with ask.stream(**common, messages=messages, tools=tools, tool_choice="required") as stream:
        for _ in stream:
            pass
        said = stream.get_final_completion().choices[0].message
    assert all(json.loads(call.function.arguments)["to"] == TEXT for call in said.tool_calls)
    calls = [call.model_dump(include={"id", "type"}) for call in said.tool_calls]
    for call, made in zip(calls, said.tool_calls):
        call["function"] = {"name": made.function.name, "arguments": made.function.arguments}
    messages.append({"role": "assistant", "tool_calls": calls})
    messages += [{"role": "tool", "tool_call_id": call["id"], "content": RESULT} for call in calls]

    whole = ask.create(**common, messages=messages)
    assert whole.choices[0].message.content == RESULT
    nothing_left(tap, 3)


def test_what_is_recorded_are_kinds_and_counts(tapped):
    stack, _ = tapped
    said = client(stack, "anthropic", "redaction-recorded")
    said.messages.create(
        model="claude-haiku-4-5", max_tokens=500, messages=[{"role": "user", "content": TEXT}]
    )
    headers = {"authorization": f"Bearer {stack.admin_key}"}

    def calls() -> list[dict]:
        found = httpx.get(
            f"{stack.tally_url}/api/v1/events", params={"limit": 50}, headers=headers, trust_env=False
        ).json()
        return [it for it in found["items"] if it.get("task_id") == "redaction-recorded"]

    call = api.wait_until(calls, bool, "the call was not recorded")[0]
    assert call["redactions"] == {"credit_card": 1, "email": 2, "iban": 1, "secret": 1}
    assert not any(value in json.dumps(call, ensure_ascii=False) for value in VALUES)


def test_what_is_not_confidential_passes_as_it_is(tapped):
    stack, tap = tapped
    tap.bodies.clear()
    plain = clients.client("openai", "sync", stack.tally_url, stack.person_key)
    plain.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": TEXT}])
    assert json.loads(tap.bodies[0])["messages"][0]["content"] == TEXT
