"""Errors reach each SDK as the exception its users already handle."""

from __future__ import annotations

import anthropic
import openai
import pytest
from harness import api, wire
from harness.clients import FLAVOURS, client, events, settled
from harness.prompts import user

MODULES = {"openai": openai, "anthropic": anthropic}
MODELS = {"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5"}
SDKS = list(MODULES)


def ask(sdk: str, caller, text: str, **fields):
    """One small call in either SDK's words."""
    request = {"model": MODELS[sdk], "messages": [user(text)], **fields}
    if sdk == "openai":
        return settled(caller.chat.completions.create(**request))
    return settled(caller.messages.create(**{"max_tokens": 500} | request))


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    return request.param


@pytest.fixture(params=SDKS)
def sdk(request):
    return request.param


@pytest.fixture
def caller(stack, sdk, flavour):
    return client(sdk, flavour, stack.tally_url, stack.person_key)


async def test_a_wrong_key_is_an_authentication_error(stack, sdk, flavour):
    stranger = client(sdk, flavour, stack.tally_url, "tally-key-that-nobody-made-0123456789")
    with pytest.raises(MODULES[sdk].AuthenticationError) as caught:
        await ask(sdk, stranger, "hello")
    said = caught.value.response.json()["tally"]
    assert said["code"] == "key_unknown"
    assert said["next_step"] and said["request_id"]
    assert "tally-key-that" not in caught.value.response.text


async def test_an_unknown_model_is_not_found_and_names_others(sdk, caller):
    with pytest.raises(MODULES[sdk].NotFoundError) as caught:
        await ask(sdk, caller, "hello", model=MODELS[sdk] + "-next")
    said = caught.value.response.json()["tally"]
    assert said["code"] == "model_not_found"
    assert MODELS[sdk] in said["next_step"]


async def test_the_other_vendors_model_is_a_bad_request(sdk, caller):
    other = {"openai": "anthropic", "anthropic": "openai"}[sdk]
    with pytest.raises(MODULES[sdk].BadRequestError) as caught:
        await ask(sdk, caller, "hello", model=MODELS[other])
    assert caught.value.response.json()["tally"]["code"] == "dialect_mismatch"


async def test_a_malformed_header_is_a_bad_request(sdk, caller):
    with pytest.raises(MODULES[sdk].BadRequestError) as caught:
        await ask(sdk, caller, "hello", extra_headers={"x-tally-tags": "no equals sign"})
    said = caught.value.response.json()["tally"]
    assert said["code"] == "header_invalid"
    assert "x-tally-tags" in said["message"]


@pytest.mark.parametrize("body", [b'{"model":', b"[]", b'{"model":7}', b"\xff", b""])
def test_a_malformed_body_is_a_bad_request(stack, sdk, body):
    reply = wire.post(stack.tally_url, sdk, stack.person_key, body)
    assert reply.status_code == 400
    said = reply.json()
    assert said["tally"]["code"] and said["tally"]["message"]
    # In the dialect's own shape, so that the SDK shows the sentence.
    assert said["error"]["message"].startswith(said["tally"]["message"])


async def test_the_providers_own_refusal_comes_through_unchanged(stack, sdk, flavour, caller):
    direct = client(sdk, flavour, stack.sim_url, stack.direct_key)
    bodies = []
    for side in (direct, caller):
        with pytest.raises(MODULES[sdk].BadRequestError) as caught:
            await ask(sdk, side, "hello", messages=[])
        body = caught.value.response.json()
        # Requests that cannot be read are numbered, not identified.
        body.pop("request_id", None)
        bodies.append(body)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("fault", ["429", "500", "529"])
async def test_passing_faults_are_retried(stack, sdk, caller, request, fault):
    marker = f"retried-{request.node.name}".translate(str.maketrans("[]", "--"))
    text = f"hello marker:{marker} [[sim fault={fault} fail_times=2 retry_after=0]]"
    reply = await ask(sdk, caller, text, extra_headers={"x-tally-task": marker})
    assert reply.usage
    calls = [call for call in api.served(stack)["calls"] if call["marker"] == marker]
    assert [call["outcome"] for call in calls][-1] == "complete"
    assert len(calls) == 3, "two refused attempts and one that was answered"
    row = api.metered_task(stack, marker)
    assert row["counts"] == "reported"
    assert api.tokens_of_tally(row) == api.tokens_of_sim(calls[-1]["usage"])


async def test_a_provider_that_keeps_failing_is_a_server_error(stack, sdk, caller, request):
    marker = f"failing-{request.node.name}".translate(str.maketrans("[]", "--"))
    text = f"hello marker:{marker} [[sim fault=500]]"
    with pytest.raises(MODULES[sdk].InternalServerError) as caught:
        await ask(sdk, caller, text, extra_headers={"x-tally-task": marker})
    assert caught.value.status_code == 500
    row = api.metered_task(stack, marker)
    assert row["status"] == "error"
    assert row["tokens_output"] == 0
    assert float(row["spend_usd"]) == 0


async def test_a_balancers_error_page_becomes_an_error_in_the_dialect(sdk, caller):
    with pytest.raises(MODULES[sdk].APIStatusError) as caught:
        await ask(sdk, caller, "hello [[sim fault=html]]")
    assert caught.value.status_code == 502
    assert caught.value.response.json()["tally"]["code"] == "upstream_error"


@pytest.mark.parametrize("fault", ["cut", "truncated_sse"])
async def test_a_stream_that_breaks_off_raises_an_error(stack, sdk, caller, request, fault):
    marker = f"broken-{request.node.name}".translate(str.maketrans("[]", "--"))
    text = f"hello marker:{marker} [[sim fault={fault} output_tokens=300 cut_at=120 tool=0]]"
    # Hidden reasoning would leave less text before the break, down to none.
    fields = {"reasoning_effort": "none"} if sdk == "openai" else {}
    headers = {"x-tally-task": marker}
    stream = await ask(sdk, caller, text, stream=True, extra_headers=headers, **fields)
    with pytest.raises(MODULES[sdk].APIError) as caught:
        await events(stream)
    assert "broke off" in str(caught.value)
    row = api.metered_task(stack, marker)
    assert (row["status"], row["counts"]) == ("cut", "estimated")
    assert row["tokens_output"] > 0


async def test_the_providers_error_in_a_stream_reaches_the_client(sdk, caller):
    text = "hello [[sim fault=error_mid output_tokens=300]]"
    stream = await ask(sdk, caller, text, stream=True)
    with pytest.raises(MODULES[sdk].APIError):
        await events(stream)
