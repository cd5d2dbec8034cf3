"""What the demo's people do all day: which calls, for which work, with which result."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable

TICKETS = [
    "My parcel has not arrived; it was due on Monday.",
    "I was charged twice for order 4711.",
    "How do I return shoes that do not fit?",
    "The app closes when I open my invoices.",
    "Please change the delivery address of my order.",
]
QUESTIONS = [
    "Explain this stack trace and suggest a fix.",
    "Write a test for the function that parses dates.",
    "Why is this query slow, and which index would help?",
    "Summarise the discussion on the release in three sentences.",
]
# Shared by all tickets, so that the provider's prompt cache has something to do.
HANDBOOK = "Returns are free within 30 days. Refunds take five working days. " * 120

LOOK_UP = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "urgent": {"type": "boolean"}},
    "required": ["order"],
}

Call = Callable[[Any, random.Random, dict[str, str]], Awaitable[None]]


@dataclass(frozen=True)
class Task:
    """A kind of work: who does it, how often, with which calls."""

    kind: str
    caller: str
    weight: float
    call: Call
    calls: tuple[int, int] = (1, 1)
    tags: dict[str, str] = field(default_factory=dict)
    reports: bool = False
    success: float = 0.0
    value_usd: tuple[float, float] = (0.0, 0.0)

    def headers(self, task_id: str) -> dict[str, str]:
        headers = {"x-tally-task": task_id, "x-tally-task-type": self.kind}
        if self.tags:
            pairs = (f"{name}={value}" for name, value in self.tags.items())
            headers["x-tally-tags"] = ",".join(pairs)
        return headers

    def outcome(self, chance: random.Random) -> dict[str, Any]:
        """What came of it; the workload is the key's own."""
        succeeded = chance.random() < self.success
        outcome: dict[str, Any] = {
            "result": "succeeded" if succeeded else "failed",
            "escalated": not succeeded and chance.random() < 0.7,
            "quality": f"{chance.uniform(0.6, 1.0) if succeeded else chance.uniform(0.0, 0.5):.2f}",
        }
        if succeeded:
            outcome["value_usd"] = f"{chance.uniform(*self.value_usd):.2f}"
            outcome["tickets_deflected"] = 1
        return outcome


# --- calls ---------------------------------------------------------------------


def pace(chance: random.Random) -> str:
    """A directive to the simulator: an answer of a natural length, at a natural speed."""
    tokens = int(min(900, chance.lognormvariate(5.2, 0.6)))
    return f"[[sim output_tokens={tokens} tokens_per_second={chance.randint(80, 220)}]]"


async def answer_ticket(caller: Any, chance: random.Random, headers: dict[str, str]) -> None:
    system = {"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}
    tool = {"name": "look_up_order", "description": "Finds an order", "input_schema": LOOK_UP}
    async with caller.anthropic.messages.stream(
        model="claude-haiku-4-5",
        max_tokens=1_000,
        system=[system],
        tools=[tool],
        messages=[{"role": "user", "content": f"{chance.choice(TICKETS)} {pace(chance)}"}],
        extra_headers=headers,
    ) as stream:
        await stream.get_final_message()


async def think_hard(caller: Any, chance: random.Random, headers: dict[str, str]) -> None:
    await caller.anthropic.messages.create(
        model="claude-opus-4-8",
        max_tokens=2_500,
        thinking={"type": "enabled", "budget_tokens": 1_024},
        messages=[{"role": "user", "content": f"{chance.choice(QUESTIONS)} {pace(chance)}"}],
        extra_headers=headers,
    )


async def chat(caller: Any, chance: random.Random, headers: dict[str, str]) -> None:
    stream = await caller.openai.chat.completions.create(
        model=chance.choice(["gpt-5", "gpt-5-mini", "gpt-5-mini"]),
        messages=[{"role": "user", "content": f"{chance.choice(QUESTIONS)} {pace(chance)}"}],
        stream=True,
        extra_headers=headers,
    )
    async for _ in stream:
        pass


async def call_tools(caller: Any, chance: random.Random, headers: dict[str, str]) -> None:
    function = {"name": "look_up_order", "parameters": LOOK_UP}
    await caller.openai.chat.completions.create(
        model="gpt-5-mini",
        tools=[{"type": "function", "function": function}],
        messages=[{"role": "user", "content": f"Use a tool. {chance.choice(TICKETS)}"}],
        extra_headers=headers,
    )


async def embed(caller: Any, chance: random.Random, headers: dict[str, str]) -> None:
    texts = [f"{chance.choice(TICKETS)} {chance.random()}" for _ in range(chance.randint(1, 8))]
    await caller.openai.embeddings.create(
        model="text-embedding-3-small", input=texts, dimensions=256, extra_headers=headers
    )


SUPPORT = {"reports": True, "success": 0.86, "value_usd": (2.0, 9.0)}

TASKS = [
    Task("ticket", "support", 5, answer_ticket, (1, 3), {"value": "customer-care"}, **SUPPORT),
    Task("triage", "support", 2, answer_ticket, tags={"value": "customer-care"}, **SUPPORT),
    Task("coding", "ada", 3, think_hard, (1, 2), {"project": "checkout"}),
    Task("chat", "ada", 3, chat),
    Task("order-lookup", "ada", 1, call_tools, tags={"project": "checkout"}),
    Task("reporting", "lin", 1, chat, tags={"project": "month-end"}),
    Task("search-index", "search", 2, embed, tags={"project": "search"}),
    Task("search-index", "ada", 0.5, embed, tags={"project": "search"}),
]
"""Those whose caller has no key in the demo's company are left out."""
