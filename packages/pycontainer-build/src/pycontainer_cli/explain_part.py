"""`pycontainer explain PACKAGE|PATH`: why something is in an image, or will be in the project's."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from pycontainer.frontend import exit_codes
from pycontainer.value import replace
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.config.load import Loaded
    from pycontainer.events import Emit
    from pycontainer.reading.documents import LayerEntry
    from pycontainer.reading.explain import (
        Explanation,
        FileExplanation,
        PackageExplanation,
        SystemPackageExplanation,
    )
    from pycontainer.reading.lock_view import LockView
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION: Final = """\
Show why a package is there, which chain of dependencies brings it, in which layer it is and what
it weighs; or of which package and layer a file is. A file is named by its path in the image.

Without --image the plan of the project in the context is explained: nothing is built for that."""
_LISTED: Final = 12


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("explain", _DESCRIPTION, usage="PACKAGE|PATH [OPTIONS]")
    made.add_argument("subject", metavar="PACKAGE|PATH", nargs="?", help="name of a package, or path of a file")
    own = add_own(made, "print it as JSON")
    own.add_argument("--image", metavar="IMAGE", help="image to explain, named as for `pycontainer inspect`")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    import msgspec  # noqa: PLC0415 - not for `--help`

    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    subject = given.others["subject"]
    if not subject:
        raise ConfigError("Nothing to explain is named", hint="Write `pycontainer explain numpy`")
    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        explanation = _explain(loaded, subject, given.others["image"], emit)
    if given.others["json"]:
        write_json(msgspec.to_builtins(explanation))
    else:
        for line in _lines(explanation):
            write_line(line)
    return exit_codes.OK


def _explain(loaded: Loaded, subject: str, image: str | None, emit: Emit) -> Explanation:
    from pycontainer_cli.opening import image_reader, project_lock, wanted_platform  # noqa: PLC0415 - not for `--help`

    lock: LockView | None = project_lock(loaded.config, needed=image is None)
    if image is None:
        from pycontainer.builder import ImageBuilder  # noqa: PLC0415 - the whole house, not for images
        from pycontainer.reading.planned import explain_plan  # noqa: PLC0415 - as above

        # What breaks a policy has to be explained, too.
        config = replace(loaded.config, policy=())
        return explain_plan(ImageBuilder(config, emit=emit).plan(), subject, lock=lock)

    from pycontainer.reading.explain import explain, read_image  # noqa: PLC0415 - not for plans

    with image_reader(loaded, [image], emit) as reader:
        return explain(read_image(reader.open(image, platform=wanted_platform(loaded))), subject, lock=lock)


def _lines(explanation: Explanation) -> Iterator[str]:
    from pycontainer.reading.explain import FileExplanation, PackageExplanation  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import columns  # noqa: PLC0415 - as above

    if isinstance(explanation, FileExplanation):
        yield from columns([[explanation.path]], indent="")
        yield from columns(list(_file_rows(explanation)))
        owner = explanation.package or explanation.os_package
        if owner is not None:
            yield ""
            yield from _lines(owner)
    elif isinstance(explanation, PackageExplanation):
        yield from columns([[f"{explanation.name} {explanation.version or ''}".rstrip()]], indent="")
        yield from columns(list(_package_rows(explanation)))
    else:
        yield from columns([[f"{explanation.name} {explanation.version}"]], indent="")
        yield from columns(list(_system_rows(explanation)))


def _file_rows(file: FileExplanation) -> Iterator[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`

    what = f"link to {file.target}" if file.type == "link" else file.type
    size = [format_size(file.size)] if file.type == "file" else []
    yield ["is", ", ".join([what, *size, f"mode {file.mode}"])]
    if file.source:
        yield ["from", file.source]
    yield from _layer_rows(file.layer)
    if file.hides:
        yield ["hides", f"the same path of layer {', '.join(map(str, file.hides))}"]
    if not file.package and not file.os_package and not file.source:
        yield ["belongs to", "no package"]


def _package_rows(package: PackageExplanation) -> Iterator[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import amount  # noqa: PLC0415 - as above

    told = {"from": package.source, "lock": package.lock, "licence": package.license, "lies in": package.prefix}
    yield from ([name, value] for name, value in told.items() if value)
    for chain in package.chains:
        asked = [] if chain.root in {"", chain.names[0].partition("[")[0]} else [chain.root]
        yield ["because", " → ".join([*asked, *chain.names])]
    if not package.chains:
        yield ["because", "nobody says: neither lock nor metadata tell who needs it"]
    if package.needed_by:
        yield ["needed by", _some(package.needed_by)]
    yield from _layer_rows(package.layer)
    if package.size is not None and package.files is not None:
        yield ["weighs", f"{format_size(package.size)} in {amount(package.files, 'file')}"]
    for library in package.libraries:
        yield ["library", f"{library.path.rpartition('/')[2]}  {format_size(library.size)}"]
    if package.vendored:
        yield ["vendors", _some(package.vendored)]


def _system_rows(package: SystemPackageExplanation) -> Iterator[list[str]]:
    yield ["is", f"a package of the operating system, {package.architecture or 'of any architecture'}"]
    yield from _layer_rows(package.layer)


def _layer_rows(layer: LayerEntry | None) -> Iterator[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import shortened  # noqa: PLC0415 - as above

    if layer is not None:
        title = f"  {shortened(layer.title, 60)}" if layer.title else ""
        yield ["layer", f"{layer.number}{title}, {format_size(layer.size)} to pull"]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"
