"""Many streams at once, some of them abandoned: the load of the fault tests."""

from __future__ import annotations

import json

import httpx

from . import wire
from .processes import Stack

DELTAS = {"openai": '"content":', "anthropic": '"text_delta"'}
"""What a line holds that delivers text."""


def http_client(connections: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(timeout=httpx.Timeout(60), limits=limits, trust_env=False)


async def stream(
    stack: Stack,
    http: httpx.AsyncClient,
    dialect: str,
    model: str,
    task: str,
    directive: str,
    leave_after: int | None = None,
) -> bool:
    """One streamed call; hangs up after so many pieces of text. True when it came whole.

    Raises what httpx raises when the server goes away.
    """
    text = f"marker:{task} [[sim {directive}]]"
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}
    # Without hidden reasoning: what the client sees is what was produced.
    body |= {"reasoning_effort": "none"} if dialect == "openai" else {"max_tokens": 16_000}
    said = wire.headers(dialect, stack.person_key, task) | {"content-type": "application/json"}
    url = stack.tally_url + wire.PATHS[dialect]
    pieces, ended = 0, False
    async with http.stream("POST", url, content=json.dumps(body), headers=said) as reply:
        assert reply.status_code == 200, f"{reply.status_code}: {await reply.aread()!r}"
        async for line in reply.aiter_lines():
            pieces += line.startswith("data:") and DELTAS[dialect] in line
            ended |= line == "data: [DONE]" or line == "event: message_stop"
            if leave_after is not None and pieces >= leave_after:
                return False
    return ended
