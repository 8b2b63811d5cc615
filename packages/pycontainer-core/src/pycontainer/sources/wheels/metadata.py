"""What a wheel says of itself: its file name, `WHEEL`, `METADATA`, and that all of them agree.

PyPA specifications: *Binary distribution format*, *Core metadata*.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pycontainer.sources.locks.filenames import normalize, parse_wheel
from pycontainer.sources.wheels.defects import WheelDefect, shown
from pycontainer.sources.wheels.license import declared_license

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycontainer.sources.wheels.archive import Archive

_DIST_INFO = ".dist-info"
_DATA = ".data"


class Identity(NamedTuple):
    """What a wheel is.

    Attributes:
        name: As its author writes it, from `METADATA`.
        version: From `METADATA`.
        stem: `Name-1.0`, what its directories begin with.
        pure: `Root-Is-Purelib`.
        license: As `METADATA` declares it: an SPDX expression where that is possible.
        requires: What it needs, `Requires-Dist` as written.
    """

    name: str
    version: str
    stem: str
    pure: bool
    license: str | None = None
    requires: tuple[str, ...] = ()

    @property
    def dist_info(self) -> str:
        """The directory of its metadata, without a slash."""
        return self.stem + _DIST_INFO

    @property
    def data(self) -> str:
        """The directory of the files that go elsewhere, without a slash."""
        return self.stem + _DATA


def identify(archive: Archive) -> Identity:
    """Read who a wheel is, and check that its file name, its directories and its metadata say the same.

    Raises:
        WheelDefect: They do not, a part is missing, or the wheel is of a format that nobody knows yet.
    """
    stem = _stem(archive.files)
    wheel = headers(archive.read(f"{stem}{_DIST_INFO}/WHEEL"))
    content = archive.read(f"{stem}{_DIST_INFO}/METADATA")
    metadata = headers(content)
    major = wheel.get("wheel-version", "").partition(".")[0].strip()
    if major != "1":
        version = shown(wheel.get("wheel-version", "none"))
        raise WheelDefect(f"its Wheel-Version is {version}; only 1.x is known")
    name, version = metadata.get("name", ""), metadata.get("version", "")
    _check_names(archive.filename, stem, name, version)
    pure = wheel.get("root-is-purelib", "").lower()
    if pure not in ("true", "false"):
        raise WheelDefect("its `WHEEL` does not say whether its root is purelib")
    return Identity(name, version, stem, pure == "true", declared_license(content), _requires(content))


def headers(content: bytes) -> dict[str, str]:
    """The fields in front of the first empty line, by lower-case name; of a repeated field the first one.

    Raises:
        WheelDefect: The text is not UTF-8.
    """
    fields: dict[str, str] = {}
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WheelDefect("its `METADATA` or `WHEEL` is not UTF-8") from None
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(key.strip().lower(), value.strip())
    return fields


def _requires(metadata: bytes) -> tuple[str, ...]:
    head = metadata.decode("utf-8-sig", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    lines = (line.partition(":") for line in head.split("\n"))
    return tuple(value.strip() for key, _, value in lines if key.strip().lower() == "requires-dist")


def _stem(names: Iterable[str]) -> str:
    """`Name-1.0` of the one `Name-1.0.dist-info` at the root."""
    tops = {name.partition("/")[0] for name in names if "/" in name}
    found = sorted(top for top in tops if top.lower().endswith(_DIST_INFO))
    if not found:
        raise WheelDefect("it has no `.dist-info` directory")
    if len(found) > 1 or not found[0].endswith(_DIST_INFO):
        raise WheelDefect(f"it has several `.dist-info` directories: {', '.join(f'`{shown(top)}`' for top in found)}")
    stem = found[0][: -len(_DIST_INFO)]
    # Installers disagree about a directory of data that bears another name: some install it as a package.
    strange = sorted(top for top in tops if top.lower().endswith(_DATA) and top != stem + _DATA)
    if strange:
        raise WheelDefect(f"its directory `{shown(strange[0])}` is not named `{shown(stem + _DATA)}`")
    return stem


def _check_names(filename: str, stem: str, name: str, version: str) -> None:
    parsed = parse_wheel(filename)
    if parsed is None:
        raise WheelDefect(f"`{shown(filename)}` is no name for a wheel")
    stem_name, _, stem_version = stem.rpartition("-")
    for what, found_name, found_version in (
        ("`METADATA`", name, version),
        (f"`{shown(stem)}.dist-info`", stem_name, stem_version),
    ):
        if normalize(found_name) != parsed.name:
            raise WheelDefect(f"name in its file name: `{parsed.name}`", f"name in {what}: `{shown(found_name)}`")
        if not same_version(found_version, parsed.version):
            raise WheelDefect(
                f"version in its file name: `{parsed.version}`", f"version in {what}: `{shown(found_version)}`"
            )


@lru_cache(maxsize=1024)
def same_version(found: str, expected: str) -> bool:
    """Whether two versions are equal; an archive may spell one with an underscore, or leave zeros out."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - slow to import

    if found == expected:
        return True
    try:
        return Version(found.replace("_", "-")) == Version(expected.replace("_", "-"))
    except InvalidVersion:
        return False
