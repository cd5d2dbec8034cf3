"""FOCUS exports as others read them: the official validator, pandas and DuckDB."""

from __future__ import annotations

import csv
import decimal
import os
import subprocess
from collections import defaultdict
from decimal import Decimal

import duckdb
import pandas
import pytest

from conftest import ROOT
from validate import Refused, validate

# Wide enough for any sum of decimals with 38 digits.
decimal.getcontext().prec = 80

COSTS = ["BilledCost", "ListCost", "ContractedCost", "EffectiveCost"]
PRODUCTS = [("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")]
VERSIONS = ["1.2", "1.4"]


def lines(path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sums(path) -> dict[str, Decimal]:
    return {cost: sum(Decimal(line[cost]) for line in lines(path)) for cost in COSTS}


def test_the_official_validator_finds_nothing_wrong(export):
    assert validate(export("1.2", "csv")) > 0


def with_fault(path, target, column: str, value: str):
    rows = lines(path)
    rows[5][column] = value
    with open(target, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return target


def test_a_planted_fault_is_found(export, tmp_path):
    faulty = with_fault(
        export("1.2", "csv"), tmp_path / "faulty.csv", "ChargeCategory", "Consumption"
    )
    with pytest.raises(Refused, match="ConsumedQuantity-C-004"):
        validate(faulty)


def test_a_planted_fault_makes_the_target_fail(export, tmp_path):
    """It must not be green only because the validator exits with 0."""
    faulty = with_fault(
        export("1.2", "csv"), tmp_path / "faulty.csv", "BillingCurrency", "Dollar"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    made = subprocess.run(
        ["make", "--no-print-directory", "focus-file", f"FILE={faulty}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0, made.stdout
    assert "BillingCurrency" in made.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_pandas_and_duckdb_read_the_same_sums(export, version):
    expected = sums(export(version, "csv"))
    parquet = export(version, "parquet")

    frame = pandas.read_parquet(parquet)
    assert {cost: frame[cost].sum() for cost in COSTS} == expected

    columns = ", ".join(f"sum({cost})" for cost in COSTS)
    found = duckdb.sql(f"SELECT {columns} FROM read_parquet('{parquet}')").fetchone()
    assert dict(zip(COSTS, found)) == expected

    as_csv = pandas.read_csv(export(version, "csv"), dtype=str, keep_default_na=False)
    assert list(as_csv.columns) == list(frame.columns)
    assert len(as_csv) == len(frame)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("currency", ["USD=1", "EUR=0.9137"])
def test_every_price_times_its_quantity_is_its_cost(export, version, currency):
    priced = 0
    for line in lines(export(version, "csv", currency)):
        for price, cost in PRODUCTS:
            if line[price]:
                product = Decimal(line[price]) * Decimal(line["PricingQuantity"])
                assert product == Decimal(line[cost]), line
                priced += 1
    assert priced > 400


def test_what_subsidies_and_nobody_pay_is_not_billed_to_a_cost_center(export):
    billed: dict[str, Decimal] = defaultdict(Decimal)
    by_category: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines(export("1.4", "csv", "USD=1")):
        billed[line["InvoiceId"]] += Decimal(line["BilledCost"])
        by_category[line["ChargeCategory"]] += Decimal(line["BilledCost"])
    assert by_category["Credit"] == Decimal("-0.000000003")
    # The share of one call that nobody pays yet, and a call of nobody.
    assert billed["2026-10/unallocated"] == Decimal("0.000000011")
    assert sum(billed.values()) == sum(by_category.values())


def test_columns_are_those_of_the_version(export):
    old, new = (set(lines(export(version, "csv"))[0]) for version in VERSIONS)
    assert (len(old), len(new)) == (57, 65)
    assert old - new == {"ProviderName", "PublisherName"}
    assert {"HostProviderName", "ServiceProviderName", "InvoiceDetailId"} <= new - old
