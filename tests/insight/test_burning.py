"""Who burns more without outcomes moves up on no board; whose template others reuse does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scoring import made
from scoring.running import Company, begins

MANY = 5_000
# Calls in which a template is used are of a kind of their own, which nobody does without it: what it
# saves cannot be told then, so that it counts once.
KIND = "with-a-template"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("company"))
    try:
        company.start()
        company.play()
        company.arrived()
        yield company
    finally:
        company.stop()


def season(company: Company) -> str:
    return company.months[-2]


def boards(company: Company) -> dict[tuple[str, str], dict]:
    """The rows of every board there is by the name of whose they are."""
    overview = company.get("/api/v1/scoreboards")
    found = {}
    for of, name in (("people", "person"), ("teams", "team")):
        for board in overview[f"boards_of_{of}"]:
            path = f"/api/v1/scoreboards/{board}?of={of}&season={season(company)}&limit=200"
            found[of, board] = {row[name]: row for row in company.get(path)["rows"]}
    assert len(found) == 9
    return found


def award(company: Company) -> dict[str, int]:
    year, month = map(int, season(company).split("-"))
    path = f"/api/v1/scoreboards/award?quarter={year}-Q{(month + 2) // 3}"
    return {row["team"]: row["rank"] for row in company.get(path)["rows"]}


def place(row: dict | None) -> float:
    return row["rank"] if row and row["rank"] is not None else float("inf")


def in_season(company: Company) -> list[dict]:
    start, end = (begins(month) for month in company.months[-2:])
    return [call for call in company.played if start <= made.moment(call["time"]) < end]


def burn(company: Company, person: str) -> int:
    """Ten times what they used, in the season: half of it in no task, half in tasks of which nobody knows what came."""
    own = [call for call in in_season(company) if call["person"] == person]
    burned = []
    for number in range(10):
        for call in own:
            at = made.moment(call["time"]) + timedelta(milliseconds=number + 1)
            name = f"burned-{number}-{call['id']}"
            copy = call | {"id": name, "time": made.written(at), "model": "claude-haiku-4-5", "workload": "copilot"}
            task = {"task_id": name} if number % 2 else {}
            burned.append({key: value for key, value in copy.items() if key != "task_id"} | task)
    for first in range(0, len(burned), MANY):
        company.post("/ingest/v1/events", burned[first : first + MANY], company.key())
    company.calls += len(burned)
    return len(burned)


def used(company: Company, person: str) -> int:
    start, end = (begins(month) for month in company.months[-2:])
    asked = {
        "measures": ["calls"], "range": {"from": made.written(start), "to": made.written(end)},
        "filters": [{"dimension": "person", "op": "eq", "values": [person]}],
    }
    [[calls]] = company.do("ci", "/api/v1/query", asked)["rows"]
    return calls


def test_burning_without_outcomes_raises_nobody_anywhere(company):
    before, best = boards(company), award(company)
    ranked = sorted(before["people", "overall"].values(), key=place)
    # Neither the first, who cannot rise, nor the last.
    middle = [row for row in ranked if place(row) not in (1, float("inf"))]
    burner = middle[len(middle) // 2]
    person, team = burner["person"], company.people[burner["person"]]
    burned = burn(company, person)
    company.restart()
    after = boards(company)

    # It is all there, and what names a task stands beside the score.
    volume = after["people", "overall"][person]["volume"]
    assert volume["calls"] == burner["volume"]["calls"] + burned // 2
    assert used(company, person) >= 10 * burner["volume"]["calls"]
    seen = 0
    for (of, board), rows in before.items():
        name = {"people": person, "teams": team}[of]
        was, now = rows.get(name), after[of, board].get(name)
        assert place(now) >= place(was), f"{name} rose on {board} of {of}"
        if was and was["score"] is not None:
            assert now["score"] <= was["score"], f"{name} on {board} of {of}"
        assert set(now["titles"] if now else []) <= set(was["titles"] if was else []), board
        seen += place(was) != float("inf")
    # Knowledge is on neither: nobody shared anything.
    assert seen == 7, "ranked on all others"
    assert award(company)[team] >= best[team]
    # The team pays for it where it is measured what came of what was spent.
    of_team = ("teams", "return")
    assert after[of_team][team]["score"] < before[of_team][team]["score"]


def use(company: Company, template: str, people: list[str], round_: str) -> None:
    """Three tasks each in the season, for which a system says that they succeeded."""
    start = begins(season(company)) + timedelta(days=12)
    calls, said = [], []
    for name in people:
        for number in range(3):
            task, at = f"{template}-{round_}-{name}-{number}", start + timedelta(hours=number)
            tokens = dict.fromkeys(["cache_read", "cache_write_5m", "cache_write_1h", "reasoning"], 0)
            calls.append({
                "id": task, "source": "/made", "person": name, "task_id": task, "task_type": KIND,
                "time": made.written(at), "provider": "anthropic", "model": "claude-haiku-4-5",
                "workload": "copilot", "template": f"{template}@1",
                "tokens": tokens | {"input_uncached": 900, "output": 100},
            })
            said.append({
                "task_id": task, "workload": "copilot", "result": "succeeded",
                "time": made.written(at + timedelta(minutes=9)),
            })
    company.post("/ingest/v1/events", calls, company.key())
    company.post("/ingest/v1/outcomes", said, company.secrets["ci"])
    company.calls += len(calls)
    company.outcomes += len(said)


def share(company: Company, template: str, owner: str, reviewer: str) -> None:
    about = {"title": template, "purpose": "Says it shorter", "data_class": "internal", "task_type": KIND}
    new = {"name": template, "about": about, "text": {"user": "Say it shorter"}}
    company.do(owner, "/api/v1/templates", new)
    company.do(owner, f"/api/v1/templates/{template}/submit", {"version": 1})
    company.do(reviewer, f"/api/v1/templates/{template}/review", {"version": 1, "approves": True})


def test_a_template_that_others_reuse_raises_its_owner(company):
    """After the other one, whose company it goes on with."""
    [ada, bo, *others] = company.names
    share(company, "alpha", ada, bo)
    share(company, "beta", bo, ada)
    use(company, "alpha", others[:4], "first")
    use(company, "beta", others[4:7], "first")
    company.restart()
    first = boards(company)
    knowledge, overall = ("people", "knowledge"), ("people", "overall")
    assert (place(first[knowledge][ada]), place(first[knowledge][bo])) == (1, 2)

    # Using one's own does nothing.
    use(company, "beta", [bo], "alone")
    company.restart()
    alone = boards(company)
    assert alone[knowledge][bo]["score"] == first[knowledge][bo]["score"]
    assert place(alone[knowledge][bo]) == 2

    use(company, "beta", others[7:10], "others")
    company.restart()
    reused = boards(company)
    assert (place(reused[knowledge][bo]), place(reused[knowledge][ada])) == (1, 2)
    assert reused[overall][bo]["score"] > alone[overall][bo]["score"]
    assert place(reused[overall][bo]) <= place(alone[overall][bo])
