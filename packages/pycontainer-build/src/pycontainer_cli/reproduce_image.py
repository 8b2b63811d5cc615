"""`pycontainer reproduce IMAGE`: is it what its sources give, byte for byte?"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import READING, add_own, option_parser, parse_options
from pycontainer_cli.expected import add_expected, expected_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder.reproducer import Reproduction
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = """\
Build an image once more from its provenance and the checkout that it was built from, without any
cache, and compare. Where they differ, the layer, the file and the first byte are named.

Check out the commit that the provenance names first; it is told where this is another one."""
_SHOWN = 20


def parser() -> CommandParser:
    """The parser of the command."""
    only = ("context_path", "index_url", "allow_http", *(name for name in READING if name not in {"platform", "cache"}))
    made = option_parser("reproduce", _DESCRIPTION, (*only, "sigstore_trust", "jobs"), usage="IMAGE [OPTIONS]")
    made.add_argument("image", metavar="IMAGE", nargs="?", help="reference, `oci:DIR`, `oci-archive:FILE`, or path")
    own = add_own(made, "print what came of it as JSON")
    add_expected(own, without="--unsigned", help_without="believe the provenance, whoever signed it")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.reproducer import ImageReproducer  # noqa: PLC0415 - not for `--help`
    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    if not given.others["image"]:
        hint = "Write `pycontainer reproduce ghcr.io/acme/api:1.4 --key signing.pub`"
        raise ConfigError("No image is named", hint=hint)
    expected = expected_of(given.others, without="unsigned")
    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        outcome = ImageReproducer(loaded.config, emit=emit).reproduce(given.others["image"], expected)
    if given.others["json"]:
        write_json(outcome.to_json())
    else:
        _write(outcome)
    return exit_codes.OK if outcome.is_same else exit_codes.FAILED


def _write(outcome: Reproduction) -> None:
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.output import write_line  # noqa: PLC0415 - as above

    for part in outcome.unequal:
        write_line(clean(f"{part.subject}:"))
        for each in part.differences[:_SHOWN]:
            write_line(clean(f"  {f'{each.path}: ' if each.path else ''}{each.text[:1].lower()}{each.text[1:]}"))
            for fact in each.facts:
                write_line(clean(f"    {fact}"))
        if len(part.differences) > _SHOWN:
            write_line(f"  and {len(part.differences) - _SHOWN} more")
    if outcome.is_same:
        write_line(clean(f"reproduced: {outcome.name} is {outcome.published}"))
    else:
        write_line(clean(f"NOT reproduced: {outcome.name} is {outcome.published}, built again {outcome.rebuilt}"))
