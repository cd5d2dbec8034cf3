"""A month of real calls, exported by the CLI, against what the metrics layer says."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

import duckdb
import httpx
import pytest

from harness import api, wire
from harness.processes import BINARY, Stack, clean_environment
from validate import validate

CALLS = 4
TOKENS = {
    "Input Tokens": "tokens_input_uncached",
    "Cache Read Input Tokens": "tokens_cache_read",
    "Output Tokens": "tokens_output",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    running = Stack(tmp_path_factory.mktemp("stack"))
    try:
        running.start()
        for number in range(CALLS):
            for dialect, model in [("openai", "gpt-5"), ("anthropic", "claude-haiku-4-5")]:
                prompt = [{"role": "user", "content": f"export {number}"}]
                body = {"model": model, "max_tokens": 64, "messages": prompt}
                reply = wire.post(running.tally_url, dialect, running.person_key, body)
                assert reply.status_code == 200, reply.text
        api.wait_for_calls(running, 2 * CALLS)
        yield running
    finally:
        running.stop()


def tally(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    connection = ["--to", stack.tally_url, "--key", stack.admin_key]
    return subprocess.run(
        [BINARY, *arguments, *connection],
        capture_output=True,
        text=True,
        env=clean_environment(),
        cwd=stack.folder,
        check=False,
    )


def export(stack: Stack, version: str, name: str):
    month = datetime.now(timezone.utc).strftime("%Y-%m")
    path = stack.folder / name
    done = tally(
        stack, "export", "focus", "--period", month, "--version", version, "--out", str(path)
    )
    assert done.returncode == 0, done.stderr
    return path


def sums(lines, of: str, by) -> dict[str, Decimal]:
    """Sums of a column by what `by` says of a row."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[by(line)] += Decimal(line[of])
    return dict(found)


def invoices(stack: Stack, month: str) -> dict[str, Decimal]:
    """What each statement charges, and what is left for nobody to pay."""
    done = tally(stack, "statement", "list", "--period", month, "--json")
    assert done.returncode == 0, done.stderr
    heads = json.loads(done.stdout)["items"]
    charged = {
        f"{month}/{head['cost_center']}": Decimal(head["totals"]["charged_usd"])
        for head in heads
        if head["cost_center"]
    }
    nobodys = sum(Decimal(head["totals"]["unallocated_usd"]) for head in heads)
    return {**charged, f"{month}/unallocated": nobodys}


def test_a_month_of_calls_is_valid_and_adds_up_to_metrics_and_statements(stack):
    path = export(stack, "1.2", "calls.csv")
    validate(path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))

    # What was used is what the metrics layer says.
    usage = [line for line in lines if line["ChargeCategory"] == "Usage"]
    tokens = sums(usage, "ConsumedQuantity", lambda line: line["SkuMeter"])
    [metered] = api.query(stack, measures=["spend_usd", *TOKENS.values()])
    assert sum(Decimal(line["ListCost"]) for line in usage) == Decimal(metered["spend_usd"]) > 0
    for meter, measure in TOKENS.items():
        assert tokens.get(meter, 0) == metered[measure], meter

    # What is billed is what the statements charge, one by one.
    month = lines[0]["InvoiceId"].split("/")[0]
    billed = sums(lines, "BilledCost", lambda line: line["InvoiceId"])
    expected = invoices(stack, month)
    assert billed == {name: expected[name] for name in billed}
    assert all(name in billed or amount == 0 for name, amount in expected.items())

    parquet = export(stack, "1.4", "calls.parquet")
    query = f"SELECT sum(BilledCost) FROM read_parquet('{parquet}')"
    assert duckdb.sql(query).fetchone() == (sum(billed.values()),)


def test_what_leaves_the_house_is_in_the_audit_log(stack):
    export(stack, "1.4", "audited.csv")
    seen = tally(stack, "audit", "list", "--json")
    assert seen.returncode == 0, seen.stderr
    assert '"focus"' in seen.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--period", "2026-13", "--out", "f.csv"], "2026-10"),
        (["--period", "2099-01", "--out", "f.csv"], "has not begun"),
        (["--period", "2026-10", "--out", "f.xlsx"], ".csv or .parquet"),
        (["--period", "2026-10", "--version", "1.3", "--out", "f.csv"], "1.4"),
    ],
)
def test_a_wrong_question_leaves_no_file(stack, arguments, said):
    done = tally(stack, "export", "focus", *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert not list(stack.folder.glob("f.*"))


def priced_lines(stack: Stack) -> list[list[str]]:
    """A line of an invoice for each line of each anthropic call's price."""
    headers = {"authorization": f"Bearer {stack.admin_key}"}

    def get(path: str):
        reply = httpx.get(stack.tally_url + path, headers=headers, timeout=60, trust_env=False)
        assert reply.status_code == 200, reply.text
        return reply.json()

    lines = []
    for event in get("/api/v1/events?limit=1000")["items"]:
        if event["provider"] != "anthropic":
            continue
        [attempt] = get(f"/api/v1/calls/{event['call_id']}")["attempts"]
        lines += [
            # Bills are by days of UTC, and name models as the provider does.
            [event["time"][:10], event["model_reported"], line["what"]]
            + [str(line["quantity"]), line["cost_usd"], "USD"]
            for line in attempt["price"]["lines"]
        ]
    return lines


def held(stack: Stack, bill, *more: str):
    """Only looked at: nothing is kept."""
    of = ["--provider", "anthropic", "--format", "csv"]
    return tally(stack, "reconcile", "import", str(bill), *of, "--dry-run", *more)


def reconcile(stack: Stack, lines: list[list[str]]) -> dict:
    bill = stack.folder / "bill.csv"
    header = "date,model,meter,quantity,cost,currency"
    bill.write_text("\n".join([header, *map(",".join, lines)]) + "\n")
    done = held(stack, bill, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["reconciliation"]


def test_a_bill_is_held_against_the_calls(stack):
    lines = priced_lines(stack)
    assert len(lines) >= 2 * CALLS
    answer = reconcile(stack, lines)
    assert answer["variances"] == []
    assert answer["billed_usd"] == answer["metered_usd"] != "0"

    day = lines[0][0]
    planted = [[*lines[0][:4], "7.5", "USD"], *lines[1:], [day, "nova", "output", "5", "1.0", "USD"]]
    found = reconcile(stack, planted)
    assert sorted(it["kind"] for it in found["variances"]) == ["price_change", "unknown_model"]
    assert all(it["proposed_usd"] for it in found["variances"])


def test_a_bill_in_another_currency_is_refused_with_its_place(stack):
    bill = stack.folder / "euros.csv"
    bill.write_text("date,model,meter,quantity,cost,currency\n2026-10-01,m,output,1,1.0,EUR\n")
    done = held(stack, bill)
    assert done.returncode != 0
    assert "line 2, column `currency`" in done.stderr
