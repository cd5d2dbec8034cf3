"""Measures the boards of a large company: `make boards PEOPLE=85000 CALLS=10000000`.

Fills a warehouse, starts a Tally on it, and asks as a browser does. Prints how long each request took (the shortest,
the median, the 95th percentile), how long it was until new outcomes stood on the board, and how much memory it took.
The filled folder stays in target/boards for the next time.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "sdk")]

from harness.processes import ROOT  # noqa: E402
from large import ME, WAIT_SECONDS_MAX, Feed, LargeCompany, calls_of  # noqa: E402

REPEAT = 20
FIRST_PAGE_MS_MAX = 300
BOARDS = [
    *(("people", board) for board in ("overall", "efficiency", "improvement", "knowledge")),
    *(("teams", board) for board in ("overall", "efficiency", "improvement", "knowledge", "return")),
]
# What a browser asks for when it opens the page.
OPENED = ["/scoreboards", "/api/v1/me", "/api/v1/scoreboards", "/api/v1/scoreboards/overall?of={of}"]


def paths(people: int, overview: dict) -> dict[str, str]:
    page = "/api/v1/scoreboards"
    [task_type, *_] = [it["task_type"] for it in overview["task_types_of_people"] if it["task_type"]]
    found = {"what there is": page}
    found |= {f"{board} of {of}": f"{page}/{board}?of={of}" for of, board in BOARDS}
    return found | {
        "overall of people, a page in the middle": f"{page}/overall?of=people&after={people // 2}",
        "overall of people, around me": f"{page}/overall?of=people&around=me",
        "overall of people, searched": f"{page}/overall?of=people&search=heron",
        "overall of teams, searched": f"{page}/overall?of=teams&search=team-1",
        "efficiency of people in one task type": f"{page}/efficiency?of=people&task_type={task_type}",
        "efficiency of teams in one task type": f"{page}/efficiency?of=teams&task_type={task_type}",
        "my score taken apart": f"{page}/explain",
        "a team's score taken apart": f"{page}/explain?of=teams&name=team-1",
        "how I appear": "/api/v1/me/scoreboard-choice",
    }


@contextmanager
def timed(what: str):
    start = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - start:.1f} s", flush=True)


def asked(client, path: str, repeat: int) -> list[float]:
    """Milliseconds, the shortest first."""
    took = []
    for _ in range(repeat):
        start = time.monotonic()
        reply = client.get(path)
        took.append((time.monotonic() - start) * 1_000)
        assert reply.status_code == 200, f"{path}: {reply.text[:1_000]}"
    return sorted(took)


def said(took: list[float]) -> str:
    at = [took[0], took[len(took) // 2], took[-(-95 * len(took) // 100) - 1]]
    return " / ".join(f"{ms:.0f}" for ms in at) + " ms"


def first_standings(client) -> list[str]:
    """Asks until there are some; gives what was said meanwhile, each of which came within seconds."""
    meanwhile, deadline = [], time.monotonic() + WAIT_SECONDS_MAX
    while True:
        start = time.monotonic()
        reply = client.get("/api/v1/scoreboards/overall?of=people")
        took = time.monotonic() - start
        if reply.status_code == 200:
            return meanwhile
        problem = reply.json()
        assert reply.status_code == 503 and time.monotonic() < deadline, reply.text
        assert took < 10, f"nothing was said for {took:.0f} s"
        meanwhile.append(problem["detail"])
        time.sleep(int(reply.headers["retry-after"]))


def opened(client, of: str) -> float:
    """All of the page at once, in milliseconds; the feed is another request that stays open."""
    start = time.monotonic()
    with ThreadPoolExecutor(len(OPENED)) as pool:
        replies = list(pool.map(lambda path: client.get(path.format(of=of)), OPENED))
    wrong = [
        f"{reply.url}: {reply.status_code} {reply.text[:300]}"
        for reply in replies
        # Where the interface was not built, the rest is asked for all the same.
        if reply.status_code != 200 and "ui_not_built" not in reply.text
    ]
    assert not wrong, wrong
    return (time.monotonic() - start) * 1_000


def becomes_live(company: LargeCompany, client, feed: Feed, number: int) -> tuple[float, float, int]:
    """Outcomes of mine are reported: seconds until the feed says so and until my row has them, and how many."""
    calls, outcomes = calls_of(ME, f"live-{time.time_ns()}-{number}", 5)
    company.report("/ingest/v1/events", calls)
    path = "/api/v1/scoreboards/overall?of=people&around=me&limit=1"
    before = client.get(path).json()["mine"]["volume"]["credited"]
    start, known = time.monotonic(), max(feed.told, default=0)
    company.report("/ingest/v1/outcomes", outcomes)
    while time.monotonic() - start < WAIT_SECONDS_MAX:
        newest = max(feed.told, default=0)
        if newest > known:
            known = newest
            mine = client.get(path).json()["mine"]["volume"]["credited"]
            if mine == before + len(outcomes):
                return feed.told[newest] - start, time.monotonic() - start, mine
        time.sleep(0.02)
    raise AssertionError("new outcomes do not reach the board")


def while_it_is_computed(company: LargeCompany, client, path: str, seconds: float) -> list[float]:
    """One request after the other while a computation goes on."""
    calls, outcomes = calls_of(ME, f"meanwhile-{time.time_ns()}", 2)
    company.report("/ingest/v1/events", calls)
    company.report("/ingest/v1/outcomes", outcomes)
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        took += asked(client, path, 1)
        time.sleep(0.05)
    return sorted(took)


def prepare(company: LargeCompany) -> None:
    """Kept for the next time, as it takes some minutes."""
    done = company.folder / "prepared"
    if done.exists():
        return
    company.start()
    with timed(f"{company.people} people and their teams applied"):
        company.apply()
    company.stop()
    with timed(f"{company.wanted} calls put into the warehouse"):
        company.load()
    done.touch()


def measure(company: LargeCompany, repeat: int) -> dict[str, list[float]]:
    """Milliseconds of each request."""
    prepare(company)
    with timed("Tally starts"):
        company.start()
    client = company.signed_in()
    before = company.memory_mb("VmRSS")
    with timed("the first standings after a start"):
        meanwhile = first_standings(client)
    for detail in dict.fromkeys(meanwhile):
        print(f"  meanwhile: {detail}")
    page = client.get("/api/v1/scoreboards/overall?of=people").json()
    print(f"{page['ranked']} of {page['listed'] + page['hidden']} people are ranked", flush=True)
    requests = paths(company.people, client.get("/api/v1/scoreboards").json())
    found = {}
    for what, path in requests.items():
        found[what] = asked(client, path, repeat)
        print(f"{what}: {said(found[what])}", flush=True)
    for of in ("teams", "people"):
        found[what := f"the page opens, {of}"] = sorted(opened(client, of) for _ in range(repeat))
        print(f"{what}: {said(found[what])}", flush=True)
    print(f"memory of Tally at most {company.memory_mb('VmHWM'):.0f} MiB", flush=True)
    feed = Feed(company.beside(client))
    for number in range(2):
        told, seen, mine = becomes_live(company, client, feed, number)
        print(f"new outcomes: the feed after {told:.1f} s, the row after {seen:.1f} s ({mine} tasks)", flush=True)
    busy = while_it_is_computed(company, client, requests["overall of people"], min(30.0, 2 * told + 2))
    print(f"overall of people while new standings are computed: {said(busy)}", flush=True)
    for line in company.log().splitlines():
        if "standings computed" in line:
            print(f"  {line}")
    peak = company.memory_mb("VmHWM")
    print(f"memory of Tally at the start {before:.0f} MiB, at most {peak:.0f} MiB", flush=True)
    return found


def main() -> int:
    people, calls = (int(argument) for argument in sys.argv[1:3])
    folder = ROOT / "target" / "boards" / f"{people}-{calls}"
    folder.mkdir(parents=True, exist_ok=True)
    company = LargeCompany(folder, people, calls)
    try:
        found = measure(company, REPEAT)
    finally:
        company.stop()
    slow = [what for what, took in found.items() if took[len(took) // 2] > FIRST_PAGE_MS_MAX]
    print(f"slower than {FIRST_PAGE_MS_MAX} ms:", slow or "nothing", flush=True)
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
