"""What an archive says of one suite: its `Release` (DebianRepository/Format of Debian's wiki).

release = Release.parse(text, source=source, in_release=content)
release.check(now=now, seen=None)            # expired, of tomorrow, older than one that was seen: refused
release.files["main/binary-amd64/Packages.xz"].sha256
"""

from __future__ import annotations

import email.utils
import hashlib
import re
from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError, PackageError
from pycontainer.sources.debian.control import Paragraph

if TYPE_CHECKING:
    from pycontainer.sources.debian.archive.apt_sources import AptSource

_SHA256_LINE: Final = re.compile(r"\s*([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)\s*")
# Debian's unstable lists 700 kB of files.
_MAX_TABLE: Final = 16 << 20
# Hosts whose clock is a little behind exist; a release of next week must not be able to lock out all others.
_TOLERANCE: Final = timedelta(days=1)
_NEXT: Final = "Look at this host's clock first; else the mirror is out of date: set {os_archive} to another one"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFile:
    """A file that a release vouches for: its sha256 in hexadecimal, its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A suite at a point of time.

    Attributes:
        uri: Of the archive that gave it.
        asked: The suite as the source names it.
        suite: `Suite`: `stable`, `oldstable-security`.
        codename: `Codename`: `bookworm`.
        origin: `Origin`: `Debian`.
        label: `Label`: `Debian-Security`.
        version: `Version`: `12.15`.
        date: `Date`: when it was made.
        valid_until: `Valid-Until`: when it must not be believed any more; the main archive of a stable suite has none.
        architectures: `Architectures`.
        components: `Components`.
        by_hash: `Acquire-By-Hash`: its files can be asked for by their sha256.
        all_apart: The index of an architecture lacks the packages of architecture `all`; they have their own.
        files: The table `SHA256`, by path beside the `Release`.
        sha256: Of the whole `InRelease`.
    """

    uri: str
    asked: str
    date: datetime
    suite: str = ""
    codename: str = ""
    origin: str = ""
    label: str = ""
    version: str = ""
    valid_until: datetime | None = None
    architectures: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    by_hash: bool = False
    all_apart: bool = False
    files: Mapping[str, ListedFile] = field(default_factory=dict, repr=False)
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.asked} of {self.date:%Y-%m-%d %H:%M} UTC"

    @property
    def identity(self) -> str:
        """What mirrors and later releases have in common: `Debian/Debian-Security/bookworm-security`."""
        return f"{self.origin}/{self.label}/{self.asked}"

    @classmethod
    def parse(cls, text: bytes, *, source: AptSource, uri: str, in_release: bytes) -> Release:
        """Read the text that was signed.

        Args:
            text: As the verifier gave it.
            source: What was asked for.
            uri: Who answered.
            in_release: The whole file, for its digest.

        Raises:
            DocumentError: Not a release, or without what cannot be done without.
            PackageError: It is of another suite than was asked for.
        """
        try:
            fields = Paragraph.parse(text, max_field=_MAX_TABLE)
        except DocumentError as error:
            raise DocumentError(
                f"The release of `{source.suite}` is malformed", facts=[f"archive: {source}", error.message]
            ) from error
        suite, codename = fields.get("Suite", ""), fields.get("Codename", "")
        if not source.is_flat and source.suite not in {suite, codename}:
            # The same keys sign all suites: an old one must not pass for this one.
            raise PackageError(
                f"The archive answers with another suite than `{source.suite}`",
                facts=[f"archive: {source}", f"its release: suite `{suite[:100]}`, codename `{codename[:100]}`"],
            )
        architectures = tuple(fields.get("Architectures", "").split())
        separate = (
            "all" in architectures and "packages" not in fields.get("No-Support-for-Architecture-all", "").lower()
        )
        return cls(
            uri=uri,
            asked=source.suite,
            suite=suite,
            codename=codename,
            origin=fields.get("Origin", ""),
            label=fields.get("Label", ""),
            version=fields.get("Version", ""),
            date=_date(fields.get("Date", ""), "Date", source),
            valid_until=_date(fields["Valid-Until"], "Valid-Until", source) if "Valid-Until" in fields else None,
            architectures=architectures,
            components=tuple(fields.get("Components", "").split()),
            by_hash=fields.get("Acquire-By-Hash", "").lower() == "yes",
            all_apart=separate,
            files=_table(fields.get("sha256", ""), source),
            sha256=hashlib.sha256(in_release).hexdigest(),
        )

    def check(self, source: AptSource, *, now: datetime, seen: datetime | None) -> None:
        """Refuse what a mirror could use to hold back updates.

        Args:
            source: May turn off the check of `Valid-Until`, as archives that do not change any more need it.
            now: This host's clock.
            seen: The date of a release of this suite that is known already.

        Raises:
            PackageError: Expired, dated in the future, or older than the known one.
        """
        dates = [f"archive: {self.uri}", f"dated: {_shown(self.date)}"]
        if self.valid_until is not None and self.valid_until <= now and not source.says_no("check-valid-until"):
            raise PackageError(
                f"The release of `{self.asked}` has expired",
                facts=[*dates, f"valid until: {_shown(self.valid_until)}", f"now: {_shown(now)}"],
                hint=_NEXT,
            )
        if self.date > now + _TOLERANCE and not source.says_no("check-date"):
            raise PackageError(
                f"The release of `{self.asked}` is dated in the future",
                facts=[*dates, f"now: {_shown(now)}"],
                hint=_NEXT,
            )
        if seen is not None and self.date < seen:
            raise PackageError(
                f"The release of `{self.asked}` is older than one that was seen before",
                facts=[*dates, f"seen: {_shown(seen)}"],
                hint="The mirror is out of date, or somebody holds back updates: set {os_archive} to another one, "
                "or try again later",
            )


def _shown(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _date(text: str, name: str, source: AptSource) -> datetime:
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        raise DocumentError(
            f"The `{name}` of the release of `{source.suite}` is no date", facts=[f"value: {text[:100]!r}"]
        ) from None
    return when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)


def _table(text: str, source: AptSource) -> dict[str, ListedFile]:
    found = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _SHA256_LINE.fullmatch(line)
        if match is None:
            raise DocumentError(
                f"The table of the release of `{source.suite}` is malformed", facts=[f"line: {line[:200]!r}"]
            )
        found[match[3]] = ListedFile(sha256=match[1], size=int(match[2]))
    if not found:
        raise DocumentError(f"The release of `{source.suite}` has no sha256 of any file", facts=[f"archive: {source}"])
    return found
