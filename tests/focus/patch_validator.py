"""Makes the installed focus-validator 2.2.1 importable on Python 3.11.

It declares 3.12, which allows a backslash within an f-string's braces; in one line it has
one. The line that is put in its place means the same on both.
"""

from __future__ import annotations

import importlib.util
import pathlib
import sys

OLD = """+ ", ".join(f"'{k.replace('\\"', '\\"\\"')}'" for k in ignore_keys)"""
NEW = """+ ", ".join("'" + k.replace('"', '""') + "'" for k in ignore_keys)"""


def main() -> int:
    spec = importlib.util.find_spec("focus_validator")
    if spec is None or spec.origin is None:
        print("patch_validator: focus_validator is not installed", file=sys.stderr)
        return 1
    folder = pathlib.Path(spec.origin).parent
    path = folder / "config_objects" / "focus_to_duckdb_converter.py"
    text = path.read_text(encoding="utf-8")
    if NEW in text:
        return 0
    if text.count(OLD) != 1:
        print(f"patch_validator: {path} is not what 2.2.1 was", file=sys.stderr)
        return 1
    path.write_text(text.replace(OLD, NEW), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
