"""A whole company's quarter, along every path and once more by an independent computation."""

from __future__ import annotations

import pytest

from company import books, made
from company.running import Company

CALLS = 8_000
SEED = 6
# Little enough that quotas are used up within a month.
QUOTA_USD = "40"


@pytest.fixture(scope="module")
def quarter(tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("company"), QUOTA_USD)
    try:
        company.start()
        assert company.report(CALLS, SEED) == CALLS
        yield company
    finally:
        company.stop()


def exported(company: Company, what: str, *more: str) -> list:
    paths = []
    for month in made.MONTHS:
        paths.append(company.folder / f"{what}-{month}.parquet")
        company.cli("export", what, "--period", month, "--out", str(paths[-1]), *more)
    return paths


def test_every_path_leads_to_the_same_sums_to_the_picodollar(quarter):
    expected, seen = books.audited(quarter, exported(quarter, "events"))
    assert seen["differently priced"] == 0, seen
    assert seen["models"] > 180 and 0 < seen["unpriced"] < seen["calls"] / 5, seen
    paid = {payer: sum(getattr(it, payer) for it in expected.values()) for payer in books.TOTALS}
    assert all(amount > 0 for amount in paid.values()), paid

    drafts = books.differences(quarter, expected, exported(quarter, "focus"))
    assert drafts == []
    for month in made.MONTHS:
        quarter.cli("statement", "close", month)
    lines = books.of_lines(quarter)
    sealed = books.differences(quarter, expected, exported(quarter, "focus"), lines)
    assert sealed == []
    for month in made.MONTHS:
        quarter.cli("statement", "verify", month)
