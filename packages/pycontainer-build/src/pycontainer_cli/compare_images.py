"""`pycontainer diff A B`: what differs between two images, and what a node that has A would pull for B."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import READING, add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.reading import Difference
    from pycontainer.reading.difference import FileChange, PackageChange
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION: Final = """\
Show what differs between two images, wherever each of them is: packages, config, and the bytes
that a node which has A would pull for B. With --files every file that differs, too.

Layers that this host built are known; others are read as streams, once: what is in them is kept
in the cache, where there is one."""
_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}
_NAME = "reference, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or path"
_VALUE: Final = 60


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("diff", _DESCRIPTION, READING, usage="A B [OPTIONS]")
    made.add_argument("before", metavar="A", nargs="?", help=_NAME)
    made.add_argument("after", metavar="B", nargs="?", help="the same, of the image to compare with")
    own = add_own(made, "print it as JSON")
    own.add_argument("--files", action="store_true", help="read both images and list the files that differ")
    own.add_argument("--check", action="store_true", help="fail where the images differ")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    import msgspec  # noqa: PLC0415 - not for `--help`

    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above
    from pycontainer.reading import compare, inspect  # noqa: PLC0415 - as above
    from pycontainer.reading.difference import compare_files  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.opening import image_reader, wanted_platform  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    names = [given.others["before"], given.others["after"]]
    if not all(names):
        raise ConfigError("Two images are compared", hint="Write `pycontainer diff acme/api:1.3 acme/api:1.4`")
    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit, image_reader(loaded, names, emit) as reader:
        before, after = (reader.open(name, platform=wanted_platform(loaded)) for name in names)
        files = compare_files(before, after) if given.others["files"] else None
        difference = compare(inspect(reader, before), inspect(reader, after), files=files)
    if given.others["json"]:
        write_json(msgspec.to_builtins(difference))
    else:
        for line in _lines(difference):
            write_line(line)
    return exit_codes.FAILED if given.others["check"] and not difference.same else exit_codes.OK


def _lines(difference: Difference) -> Iterator[str]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import amount, columns  # noqa: PLC0415 - as above

    yield from columns([[f"{difference.before} → {difference.after}"]], indent="")
    if difference.same:
        yield "  the same image"
        return
    pull = difference.pull
    layers = f"{amount(pull.layers_new, 'new layer')}, {pull.layers_shared} shared"
    yield f"  to pull: {format_size(pull.bytes)} of {format_size(pull.total)} ({layers})"
    if pull.bytes_in_order != pull.bytes:
        yield f"  Docker's own store, which keeps layers in their order, pulls {format_size(pull.bytes_in_order)}"
    sections = {
        "packages": [_package_row(each) for each in difference.packages],
        "operating system packages": [_package_row(each) for each in difference.os_packages],
        "config": [
            [_SIGNS[_change(each.before, each.after)], each.field, *_values(each.before, each.after)]
            for each in difference.config
        ],
        "files": [_file_row(each) for each in difference.files or ()],
    }
    for title, rows in sections.items():
        if rows:
            yield from ("", title, *columns(rows, right={1} if title == "files" else ()))


def _package_row(change: PackageChange) -> list[str]:
    licenses = [change.license_before, change.license_after]
    told = licenses[1] if change.change == "added" else ""
    if change.change == "changed" and licenses[0] != licenses[1]:
        told = " → ".join(each or "no licence declared" for each in licenses)
    versions = " → ".join(filter(None, [change.before, change.after]))
    return [_SIGNS[change.change], change.name, versions, _grown(change.size_before, change.size_after), told or ""]


def _file_row(change: FileChange) -> list[str]:
    return [_SIGNS[change.change], _grown(change.size_before, change.size_after), change.path]


def _grown(before: int | None, after: int | None) -> str:
    """How much larger something is now, with its sign; nothing where nobody knows."""
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`

    if before is None and after is None:
        return ""
    grown = (after or 0) - (before or 0)
    return f"{'-' if grown < 0 else '+'}{format_size(abs(grown))}"


def _change(before: Any, after: Any) -> str:
    return "added" if before is None else "removed" if after is None else "changed"


def _values(before: Any, after: Any) -> list[str]:
    from pycontainer_cli.tables import shortened  # noqa: PLC0415 - not for `--help`

    return [" → ".join(shortened(_text(value), _VALUE) for value in (before, after) if value is not None)]


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
