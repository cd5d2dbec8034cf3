"""Makes the company: its resources, and calls as others would report them.

Every chargeback model, three rate cards with all that they can say, and every model that the
shipped price list knows, with its processing tiers, context steps, tools and modifiers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

ZONE = "Europe/Berlin"
MONTHS = ["2026-08", "2026-09", "2026-10"]
CENTERS = 40
PEOPLE_PER_TEAM = 5
# The first is an experiment, the others are in production.
WORKLOADS_PER_CENTER = 3
# How many calls use a cache, where its use has a price.
CACHE = {"cache_read": 0.5, "cache_write_5m": 0.2, "cache_write_1h": 0.1}
UNKNOWN_MODEL = ("anthropic", "claude-of-tomorrow")


def center(number: int) -> str:
    return f"cc-{number:02}"


def chargeback(number: int, quota_usd: str) -> dict | None:
    """Every model, and two that change within a month."""
    return [
        None,
        {"model": "showback"},
        {"model": "production"},
        {"model": "hybrid", "quota_usd": quota_usd},
        {"model": "quota", "quota_usd": quota_usd},
        {"model": "subsidy", "until": "2026-09-12", "quota_usd": quota_usd},
        {"model": "subsidy"},
        {
            "model": "hybrid",
            "quota_usd": quota_usd,
            "from": "2026-09-11",
            "history": [{"model": "showback"}],
        },
    ][number % 8]


def rate_cards() -> list[dict]:
    def card(name: str, **spec) -> dict:
        return {"kind": "RateCard", "name": name, "spec": spec}

    august = card(
        "august",
        **{"from": "2026-08-01", "markup_percent": "4.5"},
        negotiated=[
            {"provider": "openai", "markup_percent": "-3.125"},
            {"cost_center": center(2), "meter": "output", "markup_percent": "11"},
            {"model": "claude-haiku-4-5", "meter": "output", "usd_per_million": "4.2"},
            {"cost_center": center(3), "provider": "anthropic", "markup_percent": "0"},
        ],
        reserved=[
            {
                "name": "haiku",
                "monthly_usd": "2500",
                "provider": "anthropic",
                "models": ["claude-haiku-4-5"],
                "idle": "even",
            },
            {
                "name": "the rest of anthropic",
                "monthly_usd": "1000000",
                "provider": "anthropic",
                "idle": "owner",
                "owner": center(6),
            },
        ],
        shared=[
            {"name": "gateway", "monthly_usd": "1000.000000000007", "split": "even"},
            {"name": "support", "monthly_usd": "777.77", "split": "proportional"},
            {
                "name": "people",
                "monthly_usd": "500",
                "split": "fixed",
                "fixed": {center(1): "100", center(4): "250.5"},
            },
        ],
        rounding={"mode": "half_up", "per": "statement"},
    )
    september = card(
        "september",
        **{"from": "2026-09-01", "markup_percent": "-7.25"},
        negotiated=[
            {"provider": "gemini", "usd_per_million": "0.333333", "meter": "input_uncached"},
            {"cost_center": center(7), "model": "gpt-5", "markup_percent": "33.333"},
        ],
        reserved=[
            {
                "name": "openai",
                "monthly_usd": "900000",
                "provider": "openai",
                "idle": "proportional",
            },
            {"name": "gemini", "monthly_usd": "80000", "provider": "gemini", "idle": "central"},
        ],
        rounding={"mode": "half_even", "per": "line"},
    )
    october = card(
        "october",
        **{"from": "2026-10-01", "markup_percent": "0"},
        negotiated=[{"cost_center": center(2), "usd_per_million": "2", "meter": "output"}],
        shared=[{"name": "platform", "monthly_usd": "3210.123", "split": "proportional"}],
        rounding={"mode": "up", "per": "statement"},
        currency="EUR",
        exchange_rates=[
            {"from": "2026-10-01", "per_usd": "0.9137"},
            {"from": "2026-10-20", "per_usd": "0.92"},
        ],
    )
    return [august, september, october]


def house_prices() -> dict:
    """A price that changed for a while, and prices of models of the house."""
    entries = [
        {
            "provider": "anthropic",
            "model": "claude-haiku-4-5",
            "from": "2026-09-10",
            "until": "2026-10-05",
            "rates": [
                {
                    "input": "0.8",
                    "cache_read": "0.08",
                    "cache_write_5m": "1",
                    "cache_write_1h": "1.6",
                    "output": "4.4",
                }
            ],
        },
        {"provider": "house", "model": "by-request", "rates": [], "per_request_usd": "0.0004"},
        {
            "provider": "house",
            "model": "large",
            "per_request_usd": "0.001",
            "rates": [
                {"input": "3", "cache_read": "0.3", "output": "9", "reasoning": "12.000001"},
                {"above_input_tokens": 30000, "input": "4.5", "output": "13"},
            ],
        },
    ]
    spec = {"source": "the house", "as_of": "2026-08-01", "precedence": 10, "entries": entries}
    return {"kind": "PriceList", "name": "house", "spec": spec}


def resources(quota_usd: str) -> list[dict]:
    made = [
        {"kind": "Organization", "name": "books", "spec": {"time_zone": ZONE, "currency": "USD"}},
        house_prices(),
        {"kind": "Person", "name": "loner", "spec": {}},
        *rate_cards(),
    ]
    for number in range(CENTERS):
        name, team = center(number), f"team-{number:02}"
        spec = {"owner": f"person-{number:02}-0"}
        if rule := chargeback(number, quota_usd):
            spec["chargeback"] = rule
        made.append({"kind": "CostCenter", "name": name, "spec": spec})
        department = f"department-{number % 6}"
        spec = {"department": department, "cost_center": name}
        made.append({"kind": "Team", "name": team, "spec": spec})
        for person in range(PEOPLE_PER_TEAM):
            spec = {"team": team}
            made.append({"kind": "Person", "name": f"person-{number:02}-{person}", "spec": spec})
        for workload in range(WORKLOADS_PER_CENTER):
            made.append(workload_of(number, workload))
    return made


def workload_of(number: int, workload: int) -> dict:
    is_production = workload > 0
    spec = {
        "owner": f"person-{number:02}-0",
        "cost_center": center(number),
        "environment": "production" if is_production else "experimentation",
        "class": "operational" if is_production else "exploration",
        "tier": "frontier",
        "data_class": "internal",
        "fallback": {"model": "cheaper"},
        "purpose": "makes calls",
        "budget_code": f"B-{number}",
        "slo": {"latency_p95_ms": 9000},
    }
    return {"kind": "Workload", "name": f"work-{number:02}-{workload}", "spec": spec}


def models(shipped: list[dict]) -> list[dict]:
    """Every model with a price, and one without."""
    provider, model = UNKNOWN_MODEL
    unknown = {"provider": provider, "model": model, "rates": []}
    return [*shipped, *house_prices()["spec"]["entries"][1:], unknown]


def bodies(count: int, seed: int, shipped: list[dict], lines_per_body: int) -> Iterator[bytes]:
    """The calls in the order of their time, as lines of JSON."""
    random = np.random.default_rng(seed)
    zone = ZoneInfo(ZONE)
    first = datetime(2026, 8, 1, tzinfo=zone).timestamp()
    end = datetime(2026, 11, 1, tzinfo=zone).timestamp()
    times = np.sort(random.integers(int(first * 1e6), int(end * 1e6), count))
    known = models(shipped)
    facts = [variants(entry) for entry in known]
    for start in range(0, count, lines_per_body):
        part = times[start : start + lines_per_body]
        yield "\n".join(lines(random, part, start, known, facts)).encode()


def variants(entry: dict) -> dict:
    """What a call of a model can have besides tokens, as pieces of JSON."""
    tiers = sorted({rates.get("service_tier", "standard") for rates in entry["rates"]})
    others = [tier for tier in tiers if tier != "standard"]
    modifiers = [[m["when"]] for m in entry.get("modifiers", [])]
    tools = [{tool: 1 + index} for index, tool in enumerate(entry.get("per_tool_usd", {}))]
    return {
        # A tier that the list does not know has no price.
        "tiers": [f',"service_tier":"{tier}"' for tier in (others or ["flex"])],
        "modifiers": [f',"billing_modifiers":{json.dumps(m)}' for m in modifiers],
        "tools": [f',"tool_requests":{json.dumps(t)}' for t in tools],
    }


def lines(random, times, start: int, known: list[dict], facts: list[dict]) -> Iterator[str]:
    size = len(times)
    # All models are called, and some far more often than others, as everywhere.
    weights = 1 / (np.arange(len(known)) * 37 % len(known) + 1.0)
    which = random.choice(len(known), size, p=weights / weights.sum())
    # Each at least once, however few calls there are: the first ones go through them all.
    numbers = np.arange(start, start + size)
    which = np.where(numbers < len(known), numbers, which)
    centers = (random.random(size) ** 1.5 * CENTERS).astype(int)
    people, works = random.integers(0, PEOPLE_PER_TEAM, size), random.integers(0, 3, size)
    sizes = [
        np.minimum(random.lognormal(mean, 1.3, size), 400_000).astype(int)
        for mean in (7.5, 7.0, 4.0, 3.0, 5.5)
    ]
    # Many calls read and write no cache; few do so that have no price for it.
    for kind, (name, share) in enumerate(CACHE.items(), 1):
        has_price = np.array([any(name in rates for rates in entry["rates"]) for entry in known])
        sizes[kind] *= random.random(size) < np.where(has_price[which], share, 0.01)
    reasoning = (sizes[4] * random.random(size) * (random.random(size) < 0.3)).astype(int)
    luck = random.random((size, 6))
    rows = zip(times, which, centers, people, works, *sizes, reasoning, luck)
    for number, row in enumerate(rows, start):
        yield line(number, known, facts, *row)


def line(number, known, facts, us, which, center_number, person, work, *rest) -> str:
    fresh, read, five, hour, output, reasoning, luck = rest
    entry, fact = known[which], facts[which]
    seconds, micros = divmod(int(us), 1_000_000)
    time = datetime.utcfromtimestamp(seconds).strftime("%Y-%m-%dT%H:%M:%S")
    who = f',"person":"person-{center_number:02}-{person}"'
    if luck[0] < 0.6:
        who += f',"workload":"work-{center_number:02}-{work}"'
    elif luck[0] < 0.9:
        who = f',"workload":"work-{center_number:02}-{work}"'
    elif luck[0] < 0.92:
        who = ',"person":"loner"'
    more = ""
    if luck[1] < 0.1:
        more += fact["tiers"][int(luck[1] * 10 * len(fact["tiers"]))]
    if luck[2] < 0.1 and fact["modifiers"]:
        more += fact["modifiers"][int(luck[2] * 10 * len(fact["modifiers"]))]
    if luck[3] < 0.05 and fact["tools"]:
        more += fact["tools"][int(luck[3] * 20 * len(fact["tools"]))]
    if luck[4] < 0.02:
        more += ',"subscription":true'
    if luck[5] < 0.01:
        more += ',"status":"refused"'
        fresh = read = five = hour = output = reasoning = 0
    elif luck[5] < 0.03:
        more += ',"status":"error"'
    return (
        f'{{"id":"{number}","source":"/made","time":"{time}.{micros:06}Z",'
        f'"model":"{entry["model"]}","provider":"{entry["provider"]}"{who}{more},'
        f'"tokens":{{"input_uncached":{fresh},"cache_read":{read},"cache_write_5m":{five},'
        f'"cache_write_1h":{hour},"output":{output},"reasoning":{reasoning}}}}}'
    )
