"""What the tests ask: the same things for both vendors, each in its own words."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

LONG_TEXT = "The customer reports that the parcel has not arrived. " * 400
"""Long enough for a provider's prompt cache."""

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "unit": {"type": "string", "enum": ["C", "F"]},
    },
    "required": ["city"],
}


def png(side: int = 24) -> str:
    """A small, valid image in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    rows = b"".join(b"\0" + bytes(range(side)) * 3 for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def openai_cases(unique: str) -> dict[str, dict[str, Any]]:
    """Requests by name; `unique` keeps one test's prompts apart from another's."""
    weather = {"name": "get_weather", "parameters": WEATHER_SCHEMA}
    tools = [{"type": "function", "function": weather}]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png()}"}}
    call = {"name": "get_weather", "arguments": '{"city":"Ulm"}'}
    return {
        "plain": {"model": "gpt-5-mini", "messages": [user(f"Hello {unique}")]},
        "reasoning": {
            "model": "gpt-5",
            "reasoning_effort": "high",
            "messages": [user(f"Prove it {unique}")],
        },
        "limited": {
            "model": "gpt-5-mini",
            "max_completion_tokens": 40,
            "messages": [user(f"At length {unique}")],
        },
        "tools": {
            "model": "gpt-5",
            "tools": tools,
            "tool_choice": "required",
            "messages": [user(f"Weather in Ulm? {unique}")],
        },
        "tool result": {
            "model": "gpt-5",
            "tools": tools,
            "messages": [
                user(f"Weather in Ulm? {unique}"),
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "Rain, 9 °C"},
            ],
        },
        "image": {
            "model": "gpt-5",
            "messages": [user([{"type": "text", "text": f"What is it? {unique}"}, image])],
        },
        "several choices": {"model": "gpt-5-mini", "n": 3, "messages": [user(f"Ideas {unique}")]},
        "flex tier": {
            "model": "gpt-5",
            "service_tier": "flex",
            "messages": [user(f"No hurry {unique}")],
        },
        "long": {"model": "gpt-5-mini", "messages": [user(f"{unique} {LONG_TEXT}")]},
    }


def anthropic_cases(unique: str) -> dict[str, dict[str, Any]]:
    """The same for Anthropic's SDK."""
    tools = [{"name": "get_weather", "description": "Weather", "input_schema": WEATHER_SCHEMA}]
    source = {"type": "base64", "media_type": "image/png", "data": png()}
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Ulm"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain, 9 °C"}
    opus, haiku = "claude-opus-4-8", "claude-haiku-4-5"

    def cached(ttl: str) -> list[dict[str, Any]]:
        control = {"type": "ephemeral", "ttl": ttl}
        return [{"type": "text", "text": f"{unique} {ttl} {LONG_TEXT}", "cache_control": control}]

    cases = {
        "plain": {"model": haiku, "messages": [user(f"Hello {unique}")]},
        "thinking": {
            "model": haiku,
            "max_tokens": 3_000,
            "thinking": {"type": "enabled", "budget_tokens": 1_024},
            "messages": [user(f"Prove it {unique}")],
        },
        "limited": {"model": haiku, "max_tokens": 40, "messages": [user(f"At length {unique}")]},
        "tools": {
            "model": opus,
            "tools": tools,
            "tool_choice": {"type": "any"},
            "messages": [user(f"Weather in Ulm? {unique}")],
        },
        "tool result": {
            "model": opus,
            "tools": tools,
            "messages": [
                user(f"Weather in Ulm? {unique}"),
                {"role": "assistant", "content": [use]},
                user([result]),
            ],
        },
        "image": {
            "model": opus,
            "messages": [
                user([{"type": "image", "source": source}, {"type": "text", "text": unique}])
            ],
        },
        "web search": {
            "model": opus,
            "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}],
            "messages": [user(f"What is new? {unique}")],
        },
        "cached 5m": {"model": haiku, "system": cached("5m"), "messages": [user("Summarise")]},
        "cached 1h": {"model": opus, "system": cached("1h"), "messages": [user("Summarise")]},
    }
    return {name: {"max_tokens": 600} | case for name, case in cases.items()}


OPENAI_NAMES = list(openai_cases(""))
ANTHROPIC_NAMES = list(anthropic_cases(""))
