"""Every number of every board, computed a second time after docs/scoreboards.md."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

from scoring import made
from scoring.referee import Referee

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TALLY_BIN", ROOT / "target/debug/tally"))
EXAMPLE = BINARY.parent / "examples" / "standings"
BOARDS = ["overall", "efficiency", "improvement", "knowledge"]


@pytest.fixture(scope="module", params=range(1, 11))
def played(request, tmp_path_factory):
    company = made.Maker(seed=request.param, people=42).company()
    path = tmp_path_factory.mktemp("company") / "company.json"
    path.write_text(json.dumps(company))
    done = subprocess.run([EXAMPLE, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Referee(company), json.loads(done.stdout)


def shown(standings: dict, of: str, board: str) -> dict:
    [one] = [it for it in standings[of] if it["board"] == board]
    return ranked(one)


def ranked(board: dict) -> dict:
    return {
        row["name"]: (row["rank"], row["score"]) for row in board["rows"] if row["rank"] is not None
    }


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("of", ["people", "teams"])
def test_a_board_holds_what_the_page_says(played, of, board):
    referee, standings = played
    expected = referee.board({"people": "person", "teams": "team"}[of], board)
    assert len(expected) >= 2, "too few to tell"
    assert shown(standings, of, board) == expected


@pytest.mark.parametrize("of", ["people", "teams"])
def test_a_board_of_one_task_type_holds_what_the_page_says(played, of):
    referee, standings = played
    kind = {"people": "person", "teams": "team"}[of]
    boards = {it["type"]["task_type"]: it["board"] for it in standings["by_type"] if it["of"] == of}
    assert set(boards) == referee.compared_types(kind)
    for task_type, board in boards.items():
        assert ranked(board) == referee.board_of_type(kind, task_type), task_type
    assert any(len(ranked(board)) >= 3 for board in boards.values()), "too few to tell"


def test_return_is_value_for_spend(played):
    referee, standings = played
    assert shown(standings, "teams", "return") == referee.board("team", "return")


def test_parts_are_the_same_to_the_last_digits(played):
    referee, standings = played
    for of, kind in (("people", "person"), ("teams", "team")):
        for row in standings[of][0]["rows"]:
            parts = referee.parts(kind, row["name"])
            for part in ("efficiency", "improvement", "knowledge", "compliance"):
                expected = parts[part]
                if expected is not None:
                    expected = pytest.approx(expected, rel=1e-9)
                assert row["parts"][part] == expected, (row, part)
            assert row["volume"]["counting"] == parts["counting"], row["name"]


def test_titles_go_to_the_same_people(played):
    referee, standings = played
    found = {it["title"]: (it["person"], pytest.approx(it["value"])) for it in standings["titles"]}
    expected = referee.titles()
    assert len(expected) == 4
    assert found == expected


def test_everything_the_rules_speak_of_happens(played):
    referee, _ = played
    seen = {task["standing"] for task in referee.now.tasks}
    assert seen == {
        "counts", "failed", "repeated", "too_many", "no outcome", "no price", "not vouched for", "mutual",
    }
