"""Computes a company's books anew, from exported calls, prices and resources.

Written after docs/chargeback.md and the price list's meaning, not after Tally's code: whole
numbers of picodollars throughout, and no shortcut that Tally takes, too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

PICO = 10**12
KINDS = ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
RATES = dict(zip(KINDS, ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]))
AMOUNTS = ["charged", "subsidised", "unallocated"]
CENT = PICO // 100


def pico(usd: str) -> int:
    amount = Fraction(usd) * PICO
    assert amount.denominator == 1, usd
    return int(amount)


def half_up(amount: Fraction) -> int:
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def months_of(files: list[Path], zone: str) -> pd.DataFrame:
    """The calls of exported months; those that were refused are none."""
    names = ", ".join(f"'{path}'" for path in files)
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{zone}'")
    calls = connection.execute(
        f"""SELECT event_id, epoch_us(time) AS us, time::DATE AS day,
              (time AT TIME ZONE 'UTC')::DATE AS utc_day, cost_center, team, workload, environment,
              provider, coalesce(model_served, model_requested) AS model, model_reported,
              service_tier, billing_modifiers, tool_requests, {', '.join(KINDS)}, reasoning,
              (cost_list_usd * {PICO})::BIGINT AS stated, cost_list_usd IS NOT NULL AS priced,
              subscription
            FROM read_parquet([{names}]) WHERE status <> 'refused'"""
    ).df()
    calls["stated"] = calls["stated"].fillna(0).astype("int64")
    for name in ("day", "utc_day"):
        calls[name] = calls[name].values.astype("datetime64[D]")
    calls["month"] = calls["day"].dt.strftime("%Y-%m")
    return calls.reset_index(drop=True)


# --- List prices ------------------------------------------------------------------------


@dataclass
class Meter:
    """A meter of all calls: how many, and the list rate of one in picodollars."""

    quantity: np.ndarray
    rate: np.ndarray


@dataclass
class Metered:
    """The calls taken apart."""

    meters: dict[str, Meter]
    known: np.ndarray

    def cost(self) -> np.ndarray:
        costs = sum(meter.quantity * meter.rate for meter in self.meters.values())
        return np.where(self.known, costs, 0)


def take_apart(calls: pd.DataFrame, lists: list[dict]) -> Metered:
    size = len(calls)
    metered = Metered({}, np.zeros(size, dtype=bool))
    keys = ["provider", "model_reported", "service_tier", "billing_modifiers", "tool_requests"]
    groups = calls.groupby(keys, dropna=False, sort=False).indices
    days = calls["utc_day"].values
    for (provider, model, tier, modifiers, tools), rows in groups.items():
        for entry, of_entry in by_entry(lists, provider, model, days[rows], rows):
            modifiers_of, tools_of = parsed(modifiers, []), parsed(tools, {})
            price(metered, calls, entry, tier, modifiers_of, tools_of, of_entry)
    return metered


def parsed(text, otherwise):
    return json.loads(text) if isinstance(text, str) else otherwise


def by_entry(lists: list[dict], provider: str, model: str, days, rows):
    """Of each entry that prices a model: the calls that it is for."""
    entries = [
        (-listed["precedence"], entry)
        for listed in lists
        for entry in listed["entries"]
        if entry["provider"] == provider and entry["model"] == model
    ]
    left = np.ones(len(rows), dtype=bool)
    for _, entry in sorted(entries, key=lambda found: found[0]):
        holds = left.copy()
        if "from" in entry:
            holds &= days >= np.datetime64(entry["from"])
        if "until" in entry:
            holds &= days < np.datetime64(entry["until"])
        left &= ~holds
        yield entry, rows[holds]


def price(metered: Metered, calls, entry, tier, modifiers, tools, rows) -> None:
    if any(tool not in entry.get("per_tool_usd", {}) for tool in tools) or len(rows) == 0:
        return
    fees = {"request": (1, pico(entry.get("per_request_usd", "0")))}
    for tool, count in tools.items():
        fees[f"tool:{tool}"] = (count, pico(entry["per_tool_usd"][tool]))
    if not entry["rates"]:
        if "per_request_usd" in entry and tier == "standard":
            metered.known[rows] = True
            charge_fees(metered, fees, rows)
        return
    factor = factor_of(entry, modifiers)
    of_tier = [r for r in entry["rates"] if r.get("service_tier", "standard") == tier]
    if factor is None or not of_tier:
        return
    base = next((r for r in of_tier if not r.get("above_input_tokens")), {})
    whole_input = sum(calls[kind].values[rows] for kind in KINDS[:4])
    left = np.ones(len(rows), dtype=bool)
    for rates in sorted(of_tier, key=lambda r: -r.get("above_input_tokens", 0)):
        above = rates.get("above_input_tokens", 0)
        here = left & (whole_input > above) if above else left.copy()
        left &= ~here
        by_rates(metered, calls, filled(rates, base), factor, fees, rows[here])


def filled(rates: dict, base: dict) -> dict:
    """A step leaves out what it does not change; reasoning goes with output."""
    whole = {**base, **rates}
    if "output" in rates and "reasoning" not in rates:
        whole.pop("reasoning", None)
    return whole


def factor_of(entry: dict, modifiers: list[str]) -> Fraction | None:
    listed = {m["when"]: m["percent"] for m in entry.get("modifiers", [])}
    if any(m.startswith(("speed:", "inference_geo:")) and m not in listed for m in modifiers):
        return None
    factor = Fraction(1)
    for modifier in set(modifiers) & set(listed):
        factor *= Fraction(listed[modifier], 100)
    return factor


def by_rates(metered: Metered, calls, rates, factor, fees, rows) -> None:
    counts = {kind: calls[kind].values[rows] for kind in KINDS}
    named = {kind: rates.get(RATES[kind]) for kind in KINDS}
    if "reasoning" in rates:
        thought = np.minimum(calls["reasoning"].values[rows], counts["output"])
        counts["output"] = counts["output"] - thought
        counts["reasoning"], named["reasoning"] = thought, rates["reasoning"]
    known = np.ones(len(rows), dtype=bool)
    for kind, count in counts.items():
        if named[kind] is None:
            known &= count == 0
    rows = rows[known]
    metered.known[rows] = True
    charge_fees(metered, fees, rows)
    for kind, count in counts.items():
        if named[kind] is not None:
            # A price per million tokens in dollars is one per token in micros of a dollar.
            rate = half_up(Fraction(named[kind]) * 10**6 * factor)
            add(metered, kind, rows, count[known], rate)


def charge_fees(metered: Metered, fees, rows) -> None:
    for name, (count, fee) in fees.items():
        if fee:
            add(metered, name, rows, count, fee)


def add(metered: Metered, name: str, rows, quantity, rate: int) -> None:
    if name not in metered.meters:
        size = len(metered.known)
        metered.meters[name] = Meter(np.zeros(size, "int64"), np.zeros(size, "int64"))
    meter = metered.meters[name]
    meter.quantity[rows] = quantity
    meter.rate[rows] = rate


# --- Internal rates ---------------------------------------------------------------------


def internal(calls: pd.DataFrame, metered: Metered, cards: list[dict]) -> dict[str, np.ndarray]:
    """What each call's meters cost at the internal rate."""
    amounts = {}
    for name, meter in metered.meters.items():
        frame = calls[["month", "cost_center", "provider", "model"]].copy()
        frame["rate"] = meter.rate
        used = np.flatnonzero((meter.quantity > 0) & metered.known & ~calls["subscription"].values)
        rates = np.zeros(len(calls), "int64")
        columns = list(frame.columns)
        for key, rows in frame.iloc[used].groupby(columns, dropna=False, sort=False).indices.items():
            month, center, provider, model, rate = key
            rates[used[rows]] = rate_of(card_of(cards, month), center, provider, model, name, rate)
        amounts[name] = rates * meter.quantity
    return amounts


def card_of(cards: list[dict], month: str) -> dict | None:
    """Cards begin with a month."""
    begun = [card for card in cards if card["from"] <= f"{month}-01"]
    card = max(begun, key=lambda card: card["from"], default=None)
    ended = card is not None and card.get("until", "9999") <= f"{month}-01"
    return None if ended else card


def rate_of(card, center, provider, model, meter, rate) -> int:
    if card is None:
        return int(rate)
    call = {"cost_center": center, "provider": provider, "model": model, "meter": meter}
    best, most = None, -1
    for negotiated in card.get("negotiated", []):
        names = [name for name in call if name in negotiated]
        if all(negotiated[name] == call[name] for name in names) and len(names) > most:
            best, most = negotiated, len(names)
    if best and "usd_per_million" in best:
        return half_up(Fraction(best["usd_per_million"]) * 10**6)
    markup = Fraction((best or card).get("markup_percent", card.get("markup_percent", "0")))
    return half_up(Fraction(int(rate)) * (100 + markup) / 100)


# --- Who pays ---------------------------------------------------------------------------


def funding(center: dict | None, day: date, is_production: bool) -> tuple[str, int | None]:
    """`charged`, `subsidised` or `unallocated`; up to a quota a month, where there is one."""
    rules = center.get("chargeback") if center else None
    if not rules:
        return "unallocated", None
    current = {key: value for key, value in rules.items() if key != "history"}
    held = [
        rule for rule in [*rules.get("history", []), current] if rule.get("from", "") <= str(day)
    ]
    if not held:
        return "unallocated", None
    rule = held[-1]
    quota = pico(rule["quota_usd"]) if "quota_usd" in rule else None
    match rule["model"]:
        case "subsidy":
            over = rule.get("until", "9999") < str(day)
            return ("charged", None) if over else ("subsidised", quota)
        case "showback":
            return "subsidised", None
        case "production":
            return ("charged" if is_production else "subsidised"), None
        case "hybrid":
            return ("charged", None) if is_production else ("subsidised", quota)
        case "quota":
            return "charged", quota
    raise ValueError(rule["model"])


def paid(calls: pd.DataFrame, amount: np.ndarray, centers: dict[str, dict]) -> pd.DataFrame:
    """Each call's amount by who pays, quotas used up in the order of the calls' time."""
    first = calls["day"].min()
    day_numbers = (calls["day"] - first).dt.days.values
    rules: dict = {}
    order = np.lexsort((calls["event_id"].values.astype(str), calls["us"].values))
    spent: dict = defaultdict(int)
    shares = {name: np.zeros(len(calls), "int64") for name in AMOUNTS}
    names = calls["cost_center"].where(calls["cost_center"].notna(), None).tolist()
    months, production = calls["month"].tolist(), (calls["environment"] == "production").tolist()
    for row in order.tolist():
        name, day, cost = names[row], int(day_numbers[row]), int(amount[row])
        key = (name, day, production[row])
        if key not in rules:
            on = (first + timedelta(days=day)).date()
            rules[key] = funding(centers.get(name), on, production[row])
        payer, quota = rules[key]
        account = (name, months[row])
        first_part = cost
        if quota is not None:
            first_part = max(0, min(cost, quota - spent[account, payer]))
        other = "charged" if payer == "subsidised" else "subsidised"
        spent[account, payer] += first_part
        spent[account, other] += cost - first_part
        shares[payer][row] = first_part
        if quota is not None:
            shares[other][row] = cost - first_part
    return pd.DataFrame(shares)


# --- Statements -------------------------------------------------------------------------


@dataclass
class Statement:
    """A cost center's month, in picodollars."""

    list: int = 0
    amount: int = 0
    charged: int = 0
    subsidised: int = 0
    unallocated: int = 0
    # What its calls cost at the internal rate, whoever pays.
    calls: int = 0
    lines: dict = field(default_factory=lambda: defaultdict(int))

    def charge(self, payer: str, amount: int, line) -> None:
        self.amount += amount
        setattr(self, payer, getattr(self, payer) + amount)
        if payer == "charged":
            self.lines[line] += amount


LINE = ["team", "workload", "environment", "provider", "model", "subscription"]


def statements(calls, metered, amounts, shares, cards, centers) -> dict:
    """By month and cost center; none is what no cost center answers for."""
    frame = calls[["month", "cost_center", *LINE]].copy()
    frame["list"], frame["amount"] = metered.cost(), sum(amounts.values())
    frame = pd.concat([frame, shares], axis=1)
    books: dict = defaultdict(Statement)
    keys = ["month", "cost_center", *LINE]
    sums = frame.groupby(keys, dropna=False)[["list", *AMOUNTS]].sum()
    for key, (at_list, *shared) in zip(sums.index, sums.values.tolist()):
        month, center = key[0], key[1] if isinstance(key[1], str) else None
        statement = books[month, center]
        statement.list += at_list
        for payer, amount in zip(AMOUNTS, shared):
            statement.charge(payer, amount, key[2:])
            statement.calls += amount
    for month in sorted(frame["month"].unique()):
        card = card_of(cards, month)
        overheads(books, month, card, calls, frame["amount"].values, centers)
        rounding(books, month, card)
    return books


def by_weight(amount: int, weights: dict) -> dict:
    """What does not divide goes, one each, to the largest remainders."""
    total = sum(weights.values())
    if total <= 0:
        return {None: amount}
    shares = {name: amount * weight // total for name, weight in weights.items()}
    order = sorted(weights, key=lambda name: -(amount * weights[name] % total))
    for name in order[: amount - sum(shares.values())]:
        shares[name] += 1
    return shares


def overheads(books, month, card, calls, amount, centers) -> None:
    if card is None:
        return
    here = (calls["month"] == month).values
    covered = np.full(len(calls), -1)
    for place in reversed(range(len(card.get("reserved", [])))):
        reserved = card["reserved"][place]
        match = here & (calls["provider"] == reserved["provider"]).values
        if reserved.get("models"):
            match &= calls["model"].isin(reserved["models"]).values
        covered[match] = place
    names = calls["cost_center"]
    for place, reserved in enumerate(card.get("reserved", [])):
        used = used_by(names[covered == place], amount[covered == place])
        idle = max(0, pico(reserved["monthly_usd"]) - sum(used.values()))
        divided = {
            "central": lambda: {None: idle},
            "owner": lambda: {reserved["owner"]: idle},
            "even": lambda: by_weight(idle, {name: 1 for name in sorted(centers)}),
            "proportional": lambda: by_weight(idle, used),
        }[reserved["idle"]]()
        charge_overhead(books, month, divided, centers, ("idle", reserved["name"]))
    for shared in card.get("shared", []):
        whole = pico(shared["monthly_usd"])
        if shared["split"] == "fixed":
            divided = {name: pico(usd) for name, usd in shared["fixed"].items()}
            divided[None] = whole - sum(divided.values())
        elif shared["split"] == "even":
            divided = by_weight(whole, {name: 1 for name in sorted(centers)})
        else:
            divided = by_weight(whole, used_by(names[here], amount[here]))
        charge_overhead(books, month, divided, centers, ("shared", shared["name"]))


def used_by(names: pd.Series, amount: np.ndarray) -> dict:
    """What cost centers used, in the order of their names, the one without first."""
    sums = pd.Series(amount, index=names.index).groupby(names.fillna("")).sum()
    return {name or None: int(used) for name, used in sorted(sums.items())}


def charge_overhead(books, month, divided, centers, line) -> None:
    first = date.fromisoformat(f"{month}-01")
    for name, amount in divided.items():
        payer = funding(centers[name], first, True)[0] if name else "subsidised"
        books[month, name].charge(payer, amount, line)


def rounding(books, month, card) -> None:
    """To cents; in another currency the books stay as they are."""
    if card is None or card.get("currency", "USD") != "USD":
        return
    mode, per = card["rounding"]["mode"], card["rounding"]["per"]
    for (of_month, name), statement in list(books.items()):
        if of_month != month or name is None:
            continue
        whole = [statement.charged] if per == "statement" else list(statement.lines.values())
        statement.charge("charged", sum(to_cents(it, mode) - it for it in whole), "rounding")


def to_cents(amount: int, mode: str) -> int:
    cents, rest = divmod(abs(amount), CENT)
    more = {
        "up": rest > 0,
        "half_up": 2 * rest >= CENT,
        "half_even": 2 * rest > CENT or (2 * rest == CENT and cents % 2 == 1),
    }[mode]
    return (cents + more) * CENT * (1 if amount >= 0 else -1)
