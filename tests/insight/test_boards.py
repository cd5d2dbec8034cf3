"""The program that measures the boards of a large company, on a small one: so that it works when it is needed."""

from __future__ import annotations

import measure_boards
from large import LargeCompany


def test_a_company_is_measured(tmp_path, capsys):
    company = LargeCompany(tmp_path, people=100, calls=20_000)
    try:
        found = measure_boards.measure(company, repeat=2)
    finally:
        company.stop()
    said = capsys.readouterr().out
    assert "new outcomes: the feed after" in said
    assert "overall of people while new standings are computed" in said
    [ranked, _, of, *_] = next(line for line in said.splitlines() if "are ranked" in line).split()
    assert int(ranked) > 20 and int(of) > 90, said
    assert all(took for took in found.values())
