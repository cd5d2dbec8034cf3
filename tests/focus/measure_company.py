"""Measures the books of a large company: `make company CALLS=5000000`.

Reports made-up calls to a Tally of its own, closes the months, exports them, and holds every
path against the auditor's sums. Prints what took how long and how much memory exports took.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "sdk")]

from company import books, made  # noqa: E402
from company.running import Company  # noqa: E402

SEED = 6
QUOTA_USD_PER_MILLION_CALLS = 4_000


@contextmanager
def timed(what: str):
    start = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - start:.1f} s", flush=True)


def memory_mb(company: Company, field: str) -> float:
    status = Path(f"/proc/{company.tally.child.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def forget_peak(company: Company) -> None:
    Path(f"/proc/{company.tally.child.pid}/clear_refs").write_text("5")


def export(company: Company, what: str, ending: str) -> list[Path]:
    paths = []
    for month in made.MONTHS:
        paths.append(company.folder / f"{what}-{month}.{ending}")
        forget_peak(company)
        with timed(f"{what} of {month} as {ending}"):
            company.cli("export", what, "--period", month, "--out", str(paths[-1]))
        print(f"  at most {memory_mb(company, 'VmHWM'):.0f} MB in memory", flush=True)
    return paths


def measure(company: Company, calls: int) -> int:
    with timed(f"{calls} calls reported and in the warehouse"):
        assert company.report(calls, SEED) == calls
    events = export(company, "events", "parquet")
    with timed("the auditor"):
        expected, seen = books.audited(company, events)
    print(seen)
    for month in made.MONTHS:
        with timed(f"{month} as a draft"):
            company.cli("statement", "list", "--period", month)
    for month in made.MONTHS:
        with timed(f"closing {month}"):
            company.cli("statement", "close", month)
    # What a process that only exports needs: each of these begins anew, and reads sealed months.
    # What DuckDB keeps of the file is as much as it is allowed to.
    for ending in ("csv", "parquet"):
        company.stop()
        company.start(TALLY_WAREHOUSE_MEMORY_BYTES_MAX=str(128 << 20))
        print(f"memory of Tally at its start: {memory_mb(company, 'VmRSS'):.0f} MB", flush=True)
        focus = export(company, "focus", ending)
    lines = books.of_lines(company)
    found = books.differences(company, expected, focus, lines)
    print("differences from the auditor:", found[:10] or "none", flush=True)
    for month in made.MONTHS:
        with timed(f"verifying {month}"):
            company.cli("statement", "verify", month)
    return len(found)


def main() -> int:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    quota = calls * QUOTA_USD_PER_MILLION_CALLS // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        company = Company(Path(folder), str(quota))
        try:
            company.start()
            return measure(company, calls)
        finally:
            company.stop()


if __name__ == "__main__":
    sys.exit(main())
