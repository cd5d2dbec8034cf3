"""Starts and stops the real `tally` binary, as the simulator and as the server."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("TALLY_BIN", ROOT / "target/debug/tally")).resolve()
COMPANY = ROOT / "crates/tally/demo/company.yaml"
# The providers of the shipped company stand here; the tests' simulator does not.
COMPANY_SIM_ADDRESS = "127.0.0.1:9090"

SEED = 20261122
# A debug build on a busy machine may take its time; nothing waits this long in practice.
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would configure Tally or proxy it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TALLY_") and not name.lower().endswith("_proxy")
    }
    return kept | {"NO_PROXY": "*"} | extra


class Process:
    """One child, its output in a file, stopped by its own process id."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: dict[str, str]):
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                [str(BINARY), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # No stray tally.toml or tally-data is picked up from here.
                cwd=log.parent,
                env=environment,
            )

    def wait_for(self, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended at once:\n{self.log_tail()}")
            try:
                if httpx.get(url, timeout=5, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not answer at {url}:\n{self.log_tail()}")

    def stop(self) -> None:
        """Asks it to end, and insists after a while."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """kill -9."""
        self.child.kill()
        self.child.wait()

    def log_tail(self, lines: int = 60) -> str:
        if not self.log.exists():
            return "(no output)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Stack:
    """A simulated provider and a Tally in front of it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"
        company = COMPANY.read_text()
        self.keys = {
            name: secrets.token_hex(24)
            for name in sorted(set(re.findall(r"\b(?:TALLY_KEY_\w+|\w+_API_KEY)\b", company)))
        }
        # Not Tally's own: a credential of its own makes the simulator answer the
        # same request in the same way once directly and once through Tally.
        self.direct_key = "sk-direct-" + secrets.token_hex(24)
        self.sim_port, self.tally_port = free_port(), free_port()
        self.company = folder / "company.yaml"
        self.company.write_text(company.replace(COMPANY_SIM_ADDRESS, f"127.0.0.1:{self.sim_port}"))
        # What a test adds to Tally's environment, its configuration among it.
        self.environment: dict[str, str] = {}
        self.sim: Process | None = None
        self.tally: Process | None = None

    @property
    def sim_url(self) -> str:
        return f"http://127.0.0.1:{self.sim_port}"

    @property
    def tally_url(self) -> str:
        return f"http://127.0.0.1:{self.tally_port}"

    @property
    def person_key(self) -> str:
        return self.keys["TALLY_KEY_ADA"]

    @property
    def admin_key(self) -> str:
        return (self.data / "admin.key").read_text().strip()

    def start(self) -> Stack:
        self.start_sim()
        self.start_tally()
        return self

    def start_sim(self) -> None:
        arguments = ["sim", "--listen", f"127.0.0.1:{self.sim_port}", "--seed", str(SEED)]
        self.sim = Process("tally sim", arguments, self.folder / "sim.log", clean_environment())
        self.sim.wait_for(f"{self.sim_url}/sim/config")

    def start_tally(self) -> None:
        arguments = ["serve", "--listen", f"127.0.0.1:{self.tally_port}"]
        arguments += ["--data", str(self.data), "--apply", str(self.company)]
        # Retries are under test, not how patient they are.
        environment = clean_environment(
            TALLY_GATEWAY_RETRY_WAIT_FIRST_MS="10", **self.keys, **self.environment
        )
        self.tally = Process("tally serve", arguments, self.folder / "tally.log", environment)
        self.tally.wait_for(f"{self.tally_url}/readyz")

    def stop(self) -> None:
        for process in (self.tally, self.sim):
            if process is not None:
                process.stop()

    def logs(self) -> list[tuple[str, str]]:
        return [(p.name, p.log_tail()) for p in (self.tally, self.sim) if p is not None]
