"""Holds a FOCUS 1.2 CSV against the official validator: `python tests/focus/validate.py FILE`.

The validator exits with 0 even when rules fail, so its report is read. Of its two rules on
`InvoiceId` one asks for null and one for not null, of every row: exactly one of the two may
fail. Nothing else may, and a report without passed rules is a failure, too.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

CONTRADICTORY = {"InvoiceId-C-004-C", "InvoiceId-C-005-C"}

# What an export of Tally claims to have. It has no regions, no capacity reservations and no
# commitment discounts; their columns are there, and empty.
CRITERIA = [
    "ACCOUNT_NAMING_SUPPORTED",
    "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
]

# Fewer would mean that the validator did not really look: 287 pass today.
PASSED_MIN = 250


class Refused(Exception):
    """The file is not what FOCUS asks for, or the validator did not say that it is."""


def validate(path: str | os.PathLike[str]) -> int:
    """How many rules the file passes; every failed one is an error."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        output = run(pathlib.Path(path).resolve(), report)
        if not report.exists():
            raise Refused(f"the validator wrote no report:\n{output[-4000:]}")
        passed, failed = read(report)
    contradictory = CONTRADICTORY & failed.keys()
    if len(contradictory) != 1:
        raise Refused(f"exactly one of {sorted(CONTRADICTORY)} fails; got {sorted(contradictory)}")
    wrong = [f"{rule}: {why}" for rule, why in sorted(failed.items()) if rule not in CONTRADICTORY]
    if wrong:
        raise Refused("\n".join(wrong))
    if passed < PASSED_MIN:
        raise Refused(f"only {passed} rules passed; expected {PASSED_MIN} or more")
    return passed


def run(path: pathlib.Path, report: pathlib.Path) -> str:
    import focus_validator

    # It looks for its list of currencies relative to the folder it is installed in.
    site_packages = pathlib.Path(focus_validator.__file__).parents[1]
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from focus_validator.main import main; main()"),
            *("--data-file", str(path), "--validate-version", "1.2", "--block-download"),
            *("--applicability-criteria", ",".join(CRITERIA)),
            *("--output-type", "unittest", "--output-destination", str(report)),
        ],
        cwd=site_packages,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(f"the validator ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout + done.stderr


def read(report: pathlib.Path) -> tuple[int, dict[str, str]]:
    """How many rules passed, and which failed, with the reason."""
    passed, failed = 0, {}
    for case in xml.parse(report).iter("testcase"):
        outcome = next(iter(case), None)
        name = case.attrib.get("name", "")
        if outcome is None:
            passed += 1
        elif outcome.tag in {"failure", "error"}:
            rule = name.split(" ::")[0]
            failed[rule] = outcome.attrib.get("message") or outcome.text or name
    return passed, failed


def main() -> int:
    if len(sys.argv) != 2:
        print("expected a FOCUS 1.2 CSV: validate.py FILE", file=sys.stderr)
        return 2
    try:
        passed = validate(sys.argv[1])
    except Refused as refused:
        print(f"{sys.argv[1]} is not valid FOCUS 1.2:\n{refused}", file=sys.stderr)
        return 1
    print(f"{sys.argv[1]} is valid FOCUS 1.2: {passed} rules passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
