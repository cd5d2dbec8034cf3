"""The sums of a company's books along every path, and the auditor's beside them."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from . import auditor, made
from .running import Company

TOTALS = {
    "list": "list_usd",
    "amount": "amount_usd",
    "charged": "charged_usd",
    "subsidised": "subsidised_usd",
    "unallocated": "unallocated_usd",
}


def audited(company: Company, files: list[Path]) -> tuple[dict, dict[str, int]]:
    """Statements by month and cost center, and what the price of each call should have been:
    how many are not what Tally says."""
    calls = auditor.months_of(files, made.ZONE)
    house = company.specs("PriceList")["house"]
    shipped = {"precedence": 0, "entries": company.answer("prices", "list", "--shipped")}
    metered = auditor.take_apart(calls, [house, shipped])
    differ = (metered.cost() != calls["stated"].values) | (metered.known != calls["priced"].values)
    cards = sorted(company.specs("RateCard").values(), key=lambda card: card["from"])
    centers = company.specs("CostCenter")
    amounts = auditor.internal(calls, metered, cards)
    shares = auditor.paid(calls, sum(amounts.values()), centers)
    books = auditor.statements(calls, metered, amounts, shares, cards, centers)
    seen = {
        "calls": len(calls),
        "models": calls["model_reported"].nunique(),
        "differently priced": int(differ.sum()),
        "unpriced": int((~metered.known).sum()),
    }
    return books, seen


def of_statements(company: Company) -> dict:
    """What the statements say of themselves."""
    books = {}
    for month in made.MONTHS:
        for head in company.answer("statement", "list", "--period", month)["items"]:
            totals = {name: exact(head["totals"][column]) for name, column in TOTALS.items()}
            books[month, head["cost_center"]] = totals
    return books


def of_lines(company: Company) -> dict:
    """What their lines add up to."""
    books = {}
    for month, center in of_statements(company):
        lines = company.get(f"/api/v1/statements/{month}:{center or '-'}")["lines"]
        sums: dict[str, int] = defaultdict(int)
        for line in lines:
            sums["list"] += exact(line["list_usd"] or "0")
            sums["amount"] += exact(line["amount_usd"])
            for payer in auditor.AMOUNTS:
                sums[payer] += exact(line["payment"][f"{payer}_usd"])
        books[month, center] = {name: sums[name] for name in TOTALS}
    return books


def of_focus(files: list[Path]) -> dict:
    """What is billed on each invoice, and the month at list price, in picodollars."""
    books: dict[Any, int] = {}
    for path in files:
        of_invoice = f"""SELECT InvoiceId, (sum(BilledCost) * {auditor.PICO})::HUGEINT
            FROM read_parquet('{path}') GROUP BY 1"""
        books |= dict(duckdb.sql(of_invoice).fetchall())
        at_list = f"""SELECT 'list', SubAccountId, strftime(BillingPeriodStart AT TIME ZONE
              '{made.ZONE}', '%Y-%m'), (sum(ListCost) * {auditor.PICO})::HUGEINT
            FROM read_parquet('{path}')
            WHERE ChargeCategory = 'Usage' AND SkuPriceDetails NOT LIKE '%"x_ListPriceKnown":false%'
            GROUP BY ALL"""
        books |= {tuple(row[:3]): row[3] for row in duckdb.sql(at_list).fetchall()}
    return books


def of_metrics(company: Company, measure: str) -> dict:
    """What the metrics layer says, by month and cost center."""
    books = {}
    for month in made.MONTHS:
        for row in company.query([month], [measure], ["cost_center"]):
            name = None if row["cost_center"] == "unattributed" else row["cost_center"]
            books[month, name] = exact(row[measure] or "0")
    return without_zeros(books)


def without_zeros(books: dict) -> dict:
    return {key: amount for key, amount in books.items() if amount}


def exact(usd: str) -> int:
    amount = Fraction(usd) * auditor.PICO
    assert amount.denominator == 1, usd
    return int(amount)


def differences(
    company: Company, books: dict, focus: list[Path], lines: dict | None = None
) -> list[str]:
    """Where a path does not lead to the auditor's sums, to the picodollar."""
    found = []
    expected = {key: {name: getattr(it, name) for name in TOTALS} for key, it in books.items()}
    expected = {key: totals for key, totals in expected.items() if any(totals.values())}
    said_by = {"statements": of_statements(company), "lines": lines or expected}
    for path, said in said_by.items():
        said = {key: totals for key, totals in said.items() if any(totals.values())}
        found += unequal(path, said, expected)
    at_list = without_zeros({key: it["list"] for key, it in expected.items()})
    found += unequal("metrics layer", of_metrics(company, "spend_usd"), at_list)
    internally = without_zeros({key: it.calls for key, it in books.items()})
    found += unequal("internal spend", of_metrics(company, "spend_internal_usd"), internally)

    billed = of_focus(focus)
    invoices = {key: billed.get(f"{key[0]}/{key[1]}", 0) for key in expected if key[1]}
    found += unequal("FOCUS", invoices, {key: expected[key]["charged"] for key in invoices})
    usage = {(key[2], key[1]): cost for key, cost in billed.items() if key[0] == "list" and cost}
    found += unequal("FOCUS at list price", usage, at_list)
    for month in made.MONTHS:
        nobodys = sum(it["unallocated"] for key, it in expected.items() if key[0] == month)
        found += unequal("FOCUS", {month: billed.get(f"{month}/unallocated", 0)}, {month: nobodys})
    return found


def unequal(path: str, said: dict, expected: dict) -> list[str]:
    keys = sorted({*said, *expected}, key=str)
    return [
        f"{path} {key}: {said.get(key)}, the auditor: {expected.get(key)}"
        for key in keys
        if said.get(key) != expected.get(key)
    ]
