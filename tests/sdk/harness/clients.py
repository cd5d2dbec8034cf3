"""The two vendors' own SDKs, unmodified, pointed once at the provider and once at Tally."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Callable

import anthropic
import openai

from .processes import Stack

FLAVOURS = ["sync", "async"]
CLASSES = {
    ("openai", "sync"): openai.OpenAI,
    ("openai", "async"): openai.AsyncOpenAI,
    ("anthropic", "sync"): anthropic.Anthropic,
    ("anthropic", "async"): anthropic.AsyncAnthropic,
}


@dataclass
class Pair:
    """The same SDK, directly and through Tally."""

    direct: Any
    through: Any

    async def both(self, use: Callable[[Any], Any]) -> tuple[Any, Any]:
        return await settled(use(self.direct)), await settled(use(self.through))


def pair(stack: Stack, sdk: str, flavour: str) -> Pair:
    return Pair(
        direct=client(sdk, flavour, stack.sim_url, stack.direct_key),
        through=client(sdk, flavour, stack.tally_url, stack.person_key),
    )


def client(sdk: str, flavour: str, url: str, key: str, **options: Any) -> Any:
    # Without retries of its own: what a test sees is what one request got.
    options.setdefault("max_retries", 0)
    base = f"{url}/v1" if sdk == "openai" else url
    return CLASSES[sdk, flavour](api_key=key, base_url=base, timeout=60, **options)


async def settled(value: Any) -> Any:
    """What a sync call returned or an async one promises."""
    return await value if inspect.isawaitable(value) else value


async def events(stream: Any) -> list[Any]:
    """Every event of a stream, sync or async, as plain values."""
    stream = await settled(stream)
    if hasattr(stream, "__aiter__"):
        return [event.model_dump() async for event in stream]
    return [event.model_dump() for event in stream]


async def page(value: Any) -> list[Any]:
    """The items of a list, sync or async."""
    value = await settled(value)
    return value.data
