"""A company's boards as Tally shows them, against those computed from the calls and outcomes that it exports."""

from __future__ import annotations

import pytest

from scoring.referee import Referee
from scoring.running import Company

BOARDS = ["overall", "efficiency", "improvement", "knowledge"]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("company"))
    try:
        company.start()
        company.play()
        yield company, Referee(company.scored())
    finally:
        company.stop()


def shown(company: Company, of: str, board: str, more: str = "") -> dict:
    season = company.months[-2]
    page = company.get(f"/api/v1/scoreboards/{board}?of={of}&season={season}&limit=200{more}")
    name = {"people": "person", "teams": "team"}[of]
    return {
        row[name]: (row["rank"], row["score"]) for row in page["rows"] if row["rank"] is not None
    }


@pytest.mark.parametrize(
    ("of", "board"),
    [(of, board) for of in ("people", "teams") for board in BOARDS] + [("teams", "return")],
)
def test_a_board_is_what_its_raw_events_make_it(played, of, board):
    company, referee = played
    expected = referee.board({"people": "person", "teams": "team"}[of], board)
    assert shown(company, of, board) == expected
    # Nobody shares anything here: that board has its own test, on companies without a Tally.
    assert board == "knowledge" or len(expected) >= 3


@pytest.mark.parametrize("of", ["people", "teams"])
def test_a_board_of_one_task_type_is_what_its_raw_events_make_it(played, of):
    company, referee = played
    kind = {"people": "person", "teams": "team"}[of]
    overview = company.get(f"/api/v1/scoreboards?season={company.months[-2]}")
    types = [it["task_type"] for it in overview[f"task_types_of_{of}"]]
    assert {it or None for it in types} == referee.compared_types(kind) == {"review", None}
    for task_type in types:
        expected = referee.board_of_type(kind, task_type or None)
        assert len(expected) >= 3
        assert shown(company, of, "efficiency", f"&task_type={task_type}") == expected
