"""Calls without an SDK, where the bytes themselves are compared."""

from __future__ import annotations

import json
from typing import Any

import httpx

from .processes import Stack

ANTHROPIC_VERSION = "2023-06-01"
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


def headers(dialect: str, key: str, task: str | None = None) -> dict[str, str]:
    said = {"x-tally-task": task} if task else {}
    if dialect == "anthropic":
        return said | {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION}
    return said | {"authorization": f"Bearer {key}"}


def post(base: str, dialect: str, key: str, body: Any, task: str | None = None) -> httpx.Response:
    """Sends JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = headers(dialect, key, task) | {"content-type": "application/json"}
    url = base + PATHS[dialect]
    return httpx.post(url, content=content, headers=said, timeout=60, trust_env=False)


def both_ways(stack: Stack, dialect: str, body: Any) -> tuple[httpx.Response, httpx.Response]:
    """The same request directly and through Tally."""
    return (
        post(stack.sim_url, dialect, stack.direct_key, body),
        post(stack.tally_url, dialect, stack.person_key, body),
    )


def payloads(stream: httpx.Response) -> list[Any]:
    """Each event's data in order, parsed where it is JSON."""
    datas = [line[5:].strip() for line in stream.text.splitlines() if line.startswith("data:")]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def event_names(stream: httpx.Response) -> list[str]:
    return [line[6:].strip() for line in stream.text.splitlines() if line.startswith("event:")]
