"""A wheel that may be installed: every check that needs no byte of its files' content has passed.

with WheelFile(path, sha256="…") as wheel:
    wheel.identity.name, wheel.commands, wheel.listing.rows["x.py"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.wheels.archive import Archive
from pycontainer.sources.wheels.defects import WheelDefect, reported, shortened
from pycontainer.sources.wheels.entrypoints import Command, parse_entry_points
from pycontainer.sources.wheels.metadata import identify
from pycontainer.sources.wheels.record import Listing, compare_listing, read_record

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.sources.wheels.limits import Limits


class WheelFile:
    """A checked wheel.

    The hashes in its `RECORD` are compared while its files are written, since that is when they are inflated.

    Args:
        path: The file.
        filename: Its name, where `path` has another one (a cache).
        sha256: What it must hash to, in hexadecimal.
        lenient: Whether a `RECORD` that is incomplete or wrong gives warnings; else it is an error.
        limits: What it may unpack to.

    Attributes:
        archive: Its members.
        identity: Who it is.
        listing: Its `RECORD`.
        commands: Scripts to make for its entry points.
        warnings: What is odd about it.

    Raises:
        WheelError: It must not be used.
    """

    def __init__(
        self,
        path: Path,
        *,
        filename: str | None = None,
        sha256: str | None = None,
        lenient: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.archive = Archive(path, filename=filename, sha256=sha256, limits=limits)
        self.lenient = lenient
        try:
            with reported(self.filename):
                self.identity = identify(self.archive)
                self.commands = self._read_commands()
                self.listing, deviations = self._read_listing()
                self.warnings = (*self.archive.warnings, *self.judged(deviations))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.archive.close()

    @property
    def filename(self) -> str:
        """Its name, by which errors call it."""
        return self.archive.filename

    @property
    def name(self) -> str:
        """The normalised name of the project."""
        return normalize(self.identity.name)

    def judged(self, deviations: list[str]) -> tuple[str, ...]:
        """Deviations of `RECORD` as warnings.

        Raises:
            WheelDefect: The wheel is not trusted that far.
        """
        if deviations and not self.lenient:
            raise WheelDefect(
                *deviations,
                hint=f"Use a wheel of `{self.name}` whose RECORD is right, or name it in {{lenient_wheels}}",
            )
        return shortened(deviations)

    def _read_commands(self) -> tuple[Command, ...]:
        name = f"{self.identity.dist_info}/entry_points.txt"
        if name not in self.archive.files:
            return ()
        try:
            text = self.archive.read(name).decode()
        except UnicodeDecodeError:
            raise WheelDefect("its `entry_points.txt` is not UTF-8") from None
        return parse_entry_points(text)

    def _read_listing(self) -> tuple[Listing, list[str]]:
        dist_info = self.identity.dist_info
        files = self.archive.files
        listing = read_record(self.archive.read(f"{dist_info}/RECORD"), dist_info=dist_info, files=files)
        differences = compare_listing(listing.rows, files, dist_info=dist_info)
        return listing, [*differences, *listing.deviations]
