"""Exports with every kind of row, and one of a running Tally."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Beside the binary, wherever cargo was told to build.
BINARY = pathlib.Path(os.environ.get("TALLY_BIN", ROOT / "target/debug/tally"))
EXAMPLE = BINARY.parent / "examples" / "focus"
EUROS = "EUR=0.9137"


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """Writes a file of every kind of row: `export("1.2", "csv")`."""
    folder = tmp_path_factory.mktemp("exports")

    def write(version: str, ending: str, currency: str = EUROS) -> pathlib.Path:
        path = folder / f"{version}-{currency[:3]}.{ending}"
        if not path.exists():
            subprocess.run([EXAMPLE, version, path, currency], check=True)
        return path

    return write
