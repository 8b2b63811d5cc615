"""`RECORD`: what a wheel says it holds, compared both ways with what it does hold.

    listing = read_record(content, dist_info="x-1.dist-info")
    compare_listing(listing.rows, archive.files, …)      # before anything is used
    mismatch(listing.rows["x.py"], "x.py", …)            # while it is written

PyPA specifications: *Binary distribution format*, The .dist-info directory; *Recording installed projects*.
"""

from __future__ import annotations

import hashlib
import io
import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

from pycontainer.sources.wheels.defects import WheelDefect, shown
from pycontainer.sources.wheels.members import is_contained

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator

    from pycontainer.blobs.hashing import BytesLike

_ALGORITHMS = {"sha256": 43, "sha384": 64, "sha512": 86}  # → length in base64 without padding
_DIGITS = 20  # of a size; no file has as many bytes
# What nearly every row has.
_COMMON = re.compile(r"sha256=([A-Za-z0-9_-]{43})", re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z0-9_-]*={0,2}", re.ASCII)
# Signatures of RECORD itself, which it cannot list.
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


class Row(NamedTuple):
    """What `RECORD` says of a file.

    Attributes:
        algorithm: `sha256`, `sha384`, `sha512`, or nothing.
        digest: In URL-safe base64 without padding.
        size: Bytes; none where the row leaves it out.
    """

    algorithm: str
    digest: str
    size: int | None


class Listing(NamedTuple):
    """A `RECORD`.

    Attributes:
        rows: What is said of each file, by path.
        deviations: What breaks the specification without harm for those who trust the wheel.
    """

    rows: dict[str, Row]
    deviations: tuple[str, ...]


def read_record(content: bytes, *, dist_info: str, files: Container[str] = ()) -> Listing:
    """Read a `RECORD`; rows of the files that it cannot list are left out.

    Args:
        content: The file.
        dist_info: The directory that it lies in.
        files: Names that are known to be harmless, since the archive was checked.

    Raises:
        WheelDefect: It is not UTF-8 or not CSV, or a path in it leaves the environment.
    """
    rows: dict[str, Row] = {}
    deviations: list[str] = []
    unlisted = {f"{dist_info}/{name}" for name in _UNLISTED}
    for path, hashed, size in _lines(content):
        if path not in files and not is_contained(path):
            raise WheelDefect(f"its RECORD has a row for `{shown(path)}`, which is not a plain relative path")
        if path in unlisted:
            continue
        if path in rows:
            deviations.append(f"its RECORD lists `{shown(path)}` twice")
        rows[path] = _row(path, hashed, size, deviations)
    return Listing(rows, tuple(deviations))


def compare_listing(rows: Collection[str], files: Collection[str], *, dist_info: str) -> list[str]:
    """The files that only one of a `RECORD` and its wheel knows, a sentence each."""
    unlisted = {f"{dist_info}/{name}" for name in _UNLISTED}
    listed, found = set(rows), set(files) - unlisted
    return [
        *(f"its RECORD does not list `{shown(name)}`" for name in sorted(found - listed)),
        *(f"its RECORD lists `{shown(name)}`, which it does not have" for name in sorted(listed - found)),
    ]


def mismatch(row: Row, path: str, *, sha256: bytes, size: int, chunks: Iterable[BytesLike]) -> str | None:
    """What differs between a row and a file, if anything.

    Args:
        row: What `RECORD` says.
        path: Of the file.
        sha256: Of the file, known from writing it.
        size: Of the file, in bytes.
        chunks: Its content again, drawn only where the row has another hash than sha256.
    """
    if row.size is not None and row.size != size:
        return f"`{shown(path)}` has {size} bytes, {row.size} in its RECORD"
    if not row.algorithm:
        return None  # known as a deviation since the RECORD was read
    if row.algorithm == "sha256":
        digest = sha256
    else:
        hashing = hashlib.new(row.algorithm, usedforsecurity=False)
        for chunk in chunks:
            hashing.update(chunk)
        digest = hashing.digest()
    if encoded(digest) != row.digest:
        return f"`{shown(path)}` has another {row.algorithm} than its RECORD says"
    return None


def encoded(digest: bytes) -> str:
    """A hash as `RECORD` writes it."""
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def write_record(rows: Iterable[tuple[str, str, int]], *, record: str) -> bytes:
    """A `RECORD`: paths, their encoded sha256 and sizes, sorted by path, and the row of `record` itself."""
    lines = [f"{_quoted(path)},sha256={digest},{size}\n" for path, digest, size in rows]
    lines.append(f"{_quoted(record)},,\n")
    lines.sort()
    return "".join(lines).encode()


def _lines(content: bytes) -> Iterator[tuple[str, str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WheelDefect("its RECORD is not UTF-8") from None
    if '"' in text:
        yield from _quoted_lines(text)
        return
    for line in text.replace("\r\n", "\n").split("\n"):
        if line:
            parts = line.split(",")
            if len(parts) != 3:  # noqa: PLR2004 - path, hash and size
                raise _malformed(line)
            yield parts[0], parts[1], parts[2]


def _quoted_lines(text: str) -> Iterator[tuple[str, str, str]]:
    import csv  # noqa: PLC0415 - few wheels need it

    try:
        for parts in csv.reader(io.StringIO(text, newline=""), strict=True):
            if not parts:
                continue
            if len(parts) != 3:  # noqa: PLR2004 - path, hash and size
                raise _malformed(",".join(parts))
            yield parts[0], parts[1], parts[2]
    except csv.Error as error:
        raise WheelDefect(f"its RECORD is not CSV: {error}") from error


def _row(path: str, hashed: str, size: str, deviations: list[str]) -> Row:
    if (
        (common := _COMMON.fullmatch(hashed)) is not None
        and size.isdecimal()
        and size.isascii()
        and len(size) < _DIGITS
    ):
        return Row("sha256", common[1], int(size))
    algorithm, _, digest = hashed.partition("=")
    digest = digest.rstrip("=")
    if algorithm == "sha256" and _HEXADECIMAL.fullmatch(digest):
        digest = encoded(bytes.fromhex(digest))  # as gmsh 4 writes them: the wrong form, and as good a proof
    if not algorithm:
        deviations.append(f"its RECORD has no hash for `{shown(path)}`")
    elif algorithm not in _ALGORITHMS:
        deviations.append(f"its RECORD has a hash for `{shown(path)}` that proves nothing: `{shown(algorithm)}`")
        algorithm = digest = ""
    elif len(digest) != _ALGORITHMS[algorithm] or _DIGEST.fullmatch(digest) is None:
        deviations.append(f"its RECORD has a malformed hash for `{shown(path)}`")
        algorithm = digest = ""
    if not size:
        return Row(algorithm, digest, None)
    if not (size.isascii() and size.isdigit() and len(size) < _DIGITS):
        raise WheelDefect(f"its RECORD has an impossible size for `{shown(path)}`: `{shown(size)}`")
    return Row(algorithm, digest, int(size))


def _malformed(line: str) -> WheelDefect:
    return WheelDefect(f"its RECORD has a row that is not path, hash and size: `{shown(line)}`")


def _quoted(path: str) -> str:
    if any(character in path for character in ',"\r\n'):
        return '"' + path.replace('"', '""') + '"'
    return path
