"""`pycontainer verify IMAGE`: is it what it says it is, and did the right one say so?"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import READING, add_own, option_parser, parse_options
from pycontainer_cli.expected import add_expected, expected_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder.verifier import Report
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = """\
Check an image from the outside: every manifest, config and layer against its digest, and what is
attached to it against the key or the identity that should have signed it."""
_MARKS: Final = {"holds": "ok", "fails": "FAILS", "open": "-"}


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("verify", _DESCRIPTION, only=(*READING, "sigstore_trust", "jobs"), usage="IMAGE [OPTIONS]")
    made.add_argument(
        "image",
        metavar="IMAGE",
        nargs="?",
        help="reference, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or path",
    )
    own = add_own(made, "print what was found as JSON")
    add_expected(own, without="--digests-only", help_without="look at digests alone, whoever signed it")
    own.add_argument(
        "--require",
        metavar="KIND",
        action="append",
        default=[],
        choices=("sbom", "provenance"),
        help="document that must be signed too: `sbom` or `provenance` (repeatable)",
    )
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.verifier import ImageVerifier  # noqa: PLC0415 - not for `--help`
    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    if not given.others["image"]:
        raise ConfigError("No image is named", hint="Write `pycontainer verify ghcr.io/acme/api:1.4 --key signing.pub`")
    expected = expected_of(given.others, without="digests_only")
    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        report = ImageVerifier(loaded.config, emit=emit).verify(
            given.others["image"], expected, required=given.others["require"]
        )
    if given.others["json"]:
        write_json(report.to_json())
    else:
        _write(report, verbose=loaded.config.verbose)
    return exit_codes.OK if report.holds else exit_codes.FAILED


def _write(report: Report, *, verbose: bool) -> None:
    """One line a finding, but for the many that hold where nobody asked for them."""
    from pycontainer.builder.verifier import Verdict  # noqa: PLC0415 - not for `--help`
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_line  # noqa: PLC0415 - as above

    whole = [] if verbose else [each for each in report.contents if each.verdict is Verdict.HOLDS]
    if whole:
        write_line(f"ok     {len(whole)} manifests, configs and layers: they are what their digests say")
    for finding in (each for each in report.findings if each not in whole):
        write_line(
            clean(f"{_MARKS[finding.verdict.value]:<6} {finding.subject}: {finding.text[:1].lower()}{finding.text[1:]}")
        )
        for fact in finding.facts:
            write_line(clean(f"         {fact}"))
    write_line(clean(f"{'verified' if report.holds else 'NOT verified'}: {report.name} is {report.digest}"))
