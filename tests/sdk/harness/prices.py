"""What calls cost, computed from the shipped price list without any of Tally's code.

Exact: rates are fractions of a dollar per token, sums are fractions, nothing is rounded.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from .processes import ROOT

PRICE_LIST = ROOT / "crates/tally-pricing/prices/list.json"
# Rates are written as dollars per million tokens.
PER_TOKEN = Fraction(1, 1_000_000)
INPUT_KINDS = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
# The list says `input` for what the provider bills as plain input.
RATE_NAMES = {"input_uncached": "input"}


class Prices:
    def __init__(self) -> None:
        entries = json.loads(PRICE_LIST.read_text())["entries"]
        # The list has at most one open-ended price per model that the tests call.
        self.entries = {entry["model"]: entry for entry in entries if "until" not in entry}

    def cost(self, model: str, usage: dict[str, Any], tier: str = "standard") -> Fraction:
        """The cost of one call in dollars; a kind without a rate raises KeyError."""
        entry = self.entries[model]
        rates = self.rates(entry, tier, sum(usage[kind] for kind in INPUT_KINDS))
        searches = usage.get("web_search_requests", 0)
        fee = Fraction(entry.get("per_request_usd", "0"))
        if searches:
            fee += searches * Fraction(entry["per_tool_usd"]["web_search"])
        # Reasoning is a part of output, and costs the same unless the list says otherwise.
        reasoning = usage["reasoning"] if "reasoning" in rates else 0
        counts = {kind: usage[kind] for kind in INPUT_KINDS}
        counts |= {"output": usage["output"] - reasoning, "reasoning": reasoning}
        per_million = Fraction(0)
        for kind, count in counts.items():
            if count:
                per_million += count * Fraction(rates[RATE_NAMES.get(kind, kind)])
        return fee + per_million * PER_TOKEN

    @staticmethod
    def rates(entry: dict[str, Any], tier: str, input_tokens: int) -> dict[str, str]:
        """The set of the tier with the highest step that the whole input exceeds."""

        def step(rates: dict[str, Any]) -> int:
            return rates.get("above_input_tokens", 0)

        of_tier = [r for r in entry["rates"] if r.get("service_tier", "standard") == tier]
        base = next((r for r in of_tier if step(r) == 0), {})
        exceeded = [r for r in of_tier if step(r) == 0 or input_tokens > step(r)]
        return base | max(exceeded, key=step)
