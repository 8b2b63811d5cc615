"""`pycontainer inspect IMAGE`: what an image is and holds, wherever it is and whoever made it."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Final

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import READING, add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.reading import Inspection
    from pycontainer.reading.documents import LayerEntry
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION: Final = """\
Show what an image is and holds: its config, its layers and what each weighs, the packages of
Python and of the operating system. Any image will do, from a registry, a directory or a file.

Layers that this host built are known; others are read as streams, once: what is in them is kept
in the cache, where there is one."""
_TITLE: Final = 60
_LISTED: Final = 3


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("inspect", _DESCRIPTION, READING, usage="IMAGE [OPTIONS]")
    made.add_argument(
        "image",
        metavar="IMAGE",
        nargs="?",
        help="reference, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or path",
    )
    own = add_own(made, "print it as JSON")
    own.add_argument("--all", action="store_true", help="list the packages of the operating system, too")
    own.add_argument("--no-pull", action="store_true", help="read no layer: show what is known without")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    import msgspec  # noqa: PLC0415 - not for `--help`

    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above
    from pycontainer.reading import inspect  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.opening import image_reader, wanted_platform  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    name = given.others["image"]
    if not name:
        raise ConfigError("No image is named", hint="Write `pycontainer inspect ghcr.io/acme/api:1.4`")
    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit, image_reader(loaded, [name], emit) as reader:
        image = reader.open(name, platform=wanted_platform(loaded))
        inspection = inspect(reader, image, pull=not given.others["no_pull"])
    if given.others["json"]:
        write_json(msgspec.to_builtins(inspection))
        return exit_codes.OK
    for line in _lines(inspection, everything=given.others["all"]):
        write_line(line)
    return exit_codes.OK


def _lines(inspection: Inspection, *, everything: bool) -> Iterator[str]:
    from pycontainer_cli.tables import columns  # noqa: PLC0415 - not for `--help`

    yield from columns([[f"{inspection.name}  {inspection.platform}"]], indent="")
    yield from columns(list(_facts(inspection)))
    yield from ("", "runs", *columns(list(_execution(inspection))))
    yield from ("", "layers", *columns(_layer_rows(inspection), right={0, 1, 2, 3}))
    if inspection.packages:
        yield from ("", "packages", *columns(_package_rows(inspection), right={3, 4}))
    if everything and inspection.os_packages:
        rows = [[each.name, each.version, each.architecture, _in_layer(each.layer)] for each in inspection.os_packages]
        yield from ("", "operating system packages", *columns(rows))
    if inspection.attachments:
        rows = [[each.type, each.digest] for each in inspection.attachments]
        yield from ("", "attachments", *columns(rows))


def _facts(inspection: Inspection) -> Iterator[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import amount  # noqa: PLC0415 - as above

    yield ["digest", inspection.digest]
    if inspection.index:
        platforms = ", ".join(entry.platform for entry in inspection.platforms)
        yield ["index", f"{inspection.index}  ({platforms})"]
    if inspection.created:
        yield ["created", inspection.created]
    if inspection.base:
        yield ["base", "  ".join(filter(None, [inspection.base.name, inspection.base.digest]))]
    if inspection.os or inspection.os_packages:
        count = amount(len(inspection.os_packages), "package")
        yield ["system", ", ".join(filter(None, [inspection.os, count if inspection.os_packages else ""]))]
    sizes = [f"{format_size(inspection.size)} to pull"]
    if inspection.unpacked_size is not None:
        sizes.append(f"{format_size(inspection.unpacked_size)} unpacked")
    if inspection.replaced_size:
        sizes.append(f"{format_size(inspection.replaced_size)} of it hidden by higher layers")
    yield ["size", ", ".join(sizes)]
    labels = inspection.config.labels.items()
    more = (item for item in sorted(inspection.annotations.items()) if item not in labels)
    yield from (["annotation", f"{name}={value}"] for name, value in more)


def _execution(inspection: Inspection) -> Iterator[list[str]]:
    config = inspection.config
    yield ["command", shlex.join([*config.entrypoint, *config.cmd]) or "none"]
    yield ["user", config.user or "root: the image names none"]
    yield ["directory", config.working_dir or "/"]
    for name, values in (("port", config.ports), ("volume", config.volumes)):
        yield from ([name, value] for value in values)
    if config.stop_signal:
        yield ["signal", config.stop_signal]
    yield from (["env", f"{name}={value}"] for name, value in config.env.items())
    yield from (["label", f"{name}={value}"] for name, value in sorted(config.labels.items()))


def _layer_rows(inspection: Inspection) -> list[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`

    rows = [["", "to pull", "unpacked", "files", "holds"]]
    for layer in inspection.layers:
        size = "?" if layer.unpacked_size is None else format_size(layer.unpacked_size)
        files = "?" if layer.files is None else f"{layer.files:,}"
        rows.append([str(layer.number), format_size(layer.size), size, files, _holds(inspection, layer)])
    return rows


def _holds(inspection: Inspection, layer: LayerEntry) -> str:
    from pycontainer_cli.tables import shortened  # noqa: PLC0415 - not for `--help`

    packages = [f"{each.name} {each.version}" for each in inspection.packages if each.layer == layer.number]
    if not packages:
        return shortened(layer.title or layer.digest, _TITLE)
    more = f" and {len(packages) - _LISTED} more" if len(packages) > _LISTED else ""
    listed = f"{', '.join(packages[:_LISTED])}{more}"
    known = layer.title in {"", f"{len(packages)} packages", listed}
    return listed if known else f"{shortened(layer.title, _TITLE)}: {listed}"


def _package_rows(inspection: Inspection) -> list[list[str]]:
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.tables import amount, shortened  # noqa: PLC0415 - as above

    return [
        [
            each.name,
            each.version,
            shortened(each.license or "no licence declared", _TITLE),
            format_size(each.size),
            amount(each.files, "file"),
            _in_layer(each.layer),
            each.prefix,
        ]
        for each in inspection.packages
    ]


def _in_layer(number: int | None) -> str:
    return f"layer {number}" if number else ""
