"""The rules of what goes into an image as the project's own: files, variables, labels.

Files that are copied are read where they are, before anything is made. What is installed as a package stands in a
layer by then, and is read there: what its backend put into the wheel counts, not what lies beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pycontainer.blobs.compression import open_decompressed
from pycontainer.config.secrets import looks_secret
from pycontainer.errors import ProjectError
from pycontainer.layers.entries import Kind
from pycontainer.layers.tar_reader import read_entries
from pycontainer.policy.detectors import Finding, scan, scan_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.config import BuildConfig
    from pycontainer.layers.layer import Layer
    from pycontainer.plan import BuildPlan
    from pycontainer.sources.files import PlacedFile

_NO_FINDINGS: Final[tuple[Finding, ...]] = ()


class Scanned(NamedTuple):
    """A file or a setting, and the secrets that are in it; `path` is what `allowed-files` calls it."""

    path: str
    findings: tuple[Finding, ...]
    is_file: bool = True

    def tell(self, finding: Finding) -> str:
        """Where a secret is, and what it is."""
        line = f", line {finding.line}" if finding.line and self.is_file else ""
        return f"`{self.path}`{line}: {finding.what}"


def scan_plan(plan: BuildPlan, *, contents: bool) -> Iterator[Scanned]:
    """The files that a build copies, and its settings; their contents are read only where somebody asks for them.

    Raises:
        ProjectError: A file cannot be read.
    """
    for placed in plan.files:
        yield _scan_file(placed, placed.file.path, contents=contents)
    for placed in plan.extra_files:
        yield _scan_file(placed, placed.destination, contents=contents)
    if contents:
        yield from _scan_settings(plan.config, plan)


def scan_layers(layers: Iterable[Layer], *, contents: bool) -> Iterator[Scanned]:
    """The files of layers, by their absolute paths.

    Raises:
        PyContainerError: A layer cannot be read.
    """
    for layer in layers:
        with open_decompressed(layer.open(), layer.descriptor.media_type) as tar:
            for entry, stream in read_entries(tar):
                if entry.kind is Kind.FILE:
                    path = f"/{entry.path}"
                    yield Scanned(path, tuple(scan(stream, path=path)) if contents else _NO_FINDINGS)


def _scan_file(placed: PlacedFile, path: str, *, contents: bool) -> Scanned:
    if not contents or placed.file.target is not None:
        return Scanned(path, _NO_FINDINGS)
    try:
        with placed.file.source.open("rb") as stream:
            return Scanned(path, tuple(scan(stream, path=path)))
    except OSError as error:
        raise ProjectError(f"`{path}` cannot be read", facts=[f"file: {placed.file.source}", str(error)]) from error


def _scan_settings(config: BuildConfig, plan: BuildPlan) -> Iterator[Scanned]:
    tables = {"env": config.env, "labels": config.labels, "annotations": plan.annotations}
    for table, values in tables.items():
        for name, value in values.items():
            findings = tuple(scan_text(value))
            if not findings and value and looks_secret(name):
                findings = (Finding(what="a secret, by its name"),)
            yield Scanned(f"{table}.{name}", findings, is_file=False)
    for option, words in {"entrypoint": config.entrypoint, "cmd": config.cmd}.items():
        yield Scanned(option, tuple(scan_text("\n".join(words or ()))), is_file=False)
