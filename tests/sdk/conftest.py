"""Every test module gets a simulator and a Tally of its own, both real processes."""

from __future__ import annotations

import os

import pytest

from harness.processes import BINARY, Stack

# A developer's own settings must not reach the SDKs.
for name in list(os.environ):
    if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "ANTHROPIC_")):
        del os.environ[name]

RUNNING: list[Stack] = []


def pytest_sessionstart() -> None:
    if not BINARY.exists():
        pytest.exit(
            f"{BINARY} does not exist; run `cargo build -p tally` or set TALLY_BIN", returncode=2
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the servers said."""
    report = yield
    if report.failed:
        for stack in RUNNING:
            report.sections.extend(stack.logs())
    return report


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A running pair; what one module does is not seen by another."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    RUNNING.append(running)
    try:
        yield running.start()
    finally:
        running.stop()
        RUNNING.remove(running)
