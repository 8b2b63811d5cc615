from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.blobs.hashing import VerifyingReader
from pycontainer.errors import DocumentError, IntegrityError
from pycontainer.layers.entries import Entry, Kind
from pycontainer.layers.tar import END, header, read_entries
from pycontainer.oci import Descriptor, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def read(raw: bytes) -> list[tuple[Entry, bytes]]:
    return [(entry, content.read()) for entry, content in read_entries(io.BytesIO(raw))]


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as writer:
        for member, content in members:
            member.size = len(content)
            writer.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def patched(raw: bytes, position: int, field: bytes) -> bytes:
    """A header with another field, and the right checksum."""
    block = bytearray(raw)
    block[position : position + len(field)] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


@pytest.mark.parametrize("form", FORMATS)
def test_every_kind_of_every_format_is_read(form: str) -> None:
    raw = archive(
        (member("./usr/", type=tarfile.DIRTYPE, mode=0o755), b""),
        (member("usr/file", mode=0o4755, uid=1000, gid=20, mtime=12345), b"content"),
        (member("usr/hard", type=tarfile.LNKTYPE, linkname="./usr/file"), b""),
        (member("usr/soft", type=tarfile.SYMTYPE, linkname="../up"), b""),
        (member("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
        (member("dev/disk", type=tarfile.BLKTYPE), b""),
        (member("run/pipe", type=tarfile.FIFOTYPE), b""),
        (member("last"), b"x" * 100_000),
        form=FORMATS[form],
    )
    found = read(raw)
    assert [(entry.path, entry.kind, entry.target, len(content)) for entry, content in found] == [
        ("usr", Kind.DIRECTORY, "", 0),
        ("usr/file", Kind.FILE, "", 7),
        ("usr/hard", Kind.HARD_LINK, "usr/file", 0),
        ("usr/soft", Kind.SYMLINK, "../up", 0),
        ("dev/null", Kind.CHARACTER_DEVICE, "", 0),
        ("dev/disk", Kind.BLOCK_DEVICE, "", 0),
        ("run/pipe", Kind.FIFO, "", 0),
        ("last", Kind.FILE, "", 100_000),
    ]
    assert (found[1][0].mode, found[1][0].uid, found[1][0].gid, found[1][0].mtime) == (0o4755, 1000, 20, 12345)


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("name", ["n" * 300, "ü" * 60, "a/" * 200 + "b"])
def test_long_and_foreign_names_are_read(form: str, name: str) -> None:
    raw = archive((member(name), b"1"), (member("s", type=tarfile.SYMTYPE, linkname=name), b""), form=FORMATS[form])
    ((first, _), (second, _)) = read(raw)
    assert (first.path, second.target) == (name, name)


def test_names_that_are_not_utf8_are_kept() -> None:
    ((entry, _),) = read(patched(header("name", Kind.FILE), 0, b"\xff\xfe") + END)
    assert entry.path.encode("utf-8", "surrogateescape") == b"\xff\xfeme"


def test_global_headers_and_fractions_of_seconds_are_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", pax_headers={"comment": "abc", "mtime": "99"}) as writer:
        info = member("a")
        info.pax_headers = {"mtime": "1700000000.123456789", "SCHILY.xattr.security.capability": "\x01\0\0"}
        writer.addfile(info)
        writer.addfile(member("b"))
    ((first, _), (second, _)) = read(buffer.getvalue())
    assert (first.mtime, second.mtime) == (1_700_000_000, 99)


def test_content_that_nobody_reads_is_skipped() -> None:
    raw = archive(*((member(f"f{number}"), bytes(number * 700)) for number in range(20)))
    assert [entry.path for entry, _ in read_entries(io.BytesIO(raw))] == [f"f{number}" for number in range(20)]


def test_content_expires_with_its_entry() -> None:
    entries = read_entries(io.BytesIO(archive((member("a"), b"x" * 100_000), (member("b"), b""))))
    _, content = next(entries)
    next(entries)
    with pytest.raises(ValueError, match="until the next"):
        content.read()


def test_the_stream_is_read_to_its_end_so_that_its_digest_is_checked() -> None:
    raw = archive((member("a"), b"x"))
    wrong = Descriptor(media_type="x", digest=Digest.of(b"other"), size=len(raw))
    with pytest.raises(IntegrityError):
        list(read_entries(io.BufferedReader(VerifyingReader(io.BytesIO(raw), wrong), 512)))


def test_an_archive_may_end_between_entries() -> None:
    raw = header("a", Kind.FILE, size=3) + b"abc" + bytes(509)
    assert [content for _, content in read(raw)] == [b"abc"]
    assert read(b"") == []
    assert read(raw + bytes(512)) == read(raw + END) == read(raw + bytes(10240))


ORDINARY = header("a", Kind.FILE, size=1000)


def pax(*records: bytes, flag: bytes = b"x") -> bytes:
    body = b"".join(records)
    return patched(header("pax", Kind.FILE, size=len(body)), 156, flag) + body + bytes(-len(body) % 512)


HOSTILE: dict[str, bytes] = {
    "negative size": patched(ORDINARY, 124, b"\xff" * 12) + bytes(1024) + END,
    "negative octal size": patched(ORDINARY, 124, b"-0000000001\0") + bytes(1024) + END,
    "size beyond 63 bits": patched(ORDINARY, 124, b"\x80" + b"\xff" * 11) + END,
    "negative owner": patched(ORDINARY, 108, b"\xff" * 8) + bytes(1024) + END,
    "two sizes": pax(b"12 size=512\n") + ORDINARY + bytes(1024) + END,
    "negative PAX size": pax(b"11 size=-1\n") + ORDINARY + bytes(1024) + END,
    "PAX size that is not a number": pax(b"12 size=1e3\n") + ORDINARY + bytes(1024) + END,
    "PAX size in other digits": pax("14 size=١٢\n".encode()) + ORDINARY + bytes(1024) + END,
    "PAX size beyond 63 bits": pax(b"29 size=99999999999999999999\n") + ORDINARY + END,
    "global size": pax(b"13 size=1000\n", flag=b"g") + ORDINARY + bytes(1024) + END,
    "global path": pax(b"10 path=b\n", flag=b"g") + ORDINARY + bytes(1024) + END,
    "endless headers": pax(b"13 comment=a\n") * 1000 + ORDINARY + bytes(1024) + END,
    "endless long names": (patched(header("x", Kind.FILE, size=2), 156, b"L") + b"n".ljust(512, b"\0")) * 1000 + END,
    "huge header": patched(header("x", Kind.FILE, size=2 << 20), 156, b"x") + bytes(2 << 20) + END,
    "header before nothing": pax(b"10 path=b\n") + END,
    "record without length": pax(b"path=b\n") + ORDINARY + bytes(1024) + END,
    "record longer than the header": pax(b"99 path=b\n") + ORDINARY + bytes(1024) + END,
    "record of length zero": pax(b"0 path=b\n") + ORDINARY + bytes(1024) + END,
    "record with no newline": pax(b"9 path=bc") + ORDINARY + bytes(1024) + END,
    "record without equals sign": pax(b"9 path b\n") + ORDINARY + bytes(1024) + END,
    "record without key": pax(b"5 =b\n") + ORDINARY + bytes(1024) + END,
    "NUL in a PAX path": pax(b"12 path=b\0c\n") + ORDINARY + bytes(1024) + END,
    "sparse file of GNU": patched(ORDINARY, 156, b"S") + bytes(1024) + END,
    "sparse file of PAX": pax(b"22 GNU.sparse.major=1\n") + ORDINARY + bytes(1024) + END,
    "unknown type": patched(ORDINARY, 156, b"?") + bytes(1024) + END,
    "wrong checksum": ORDINARY[:100] + b"7" + ORDINARY[101:] + bytes(1024) + END,
    "checksum that is not a number": ORDINARY[:148] + b"zzzzzz\0 " + ORDINARY[156:] + bytes(1024) + END,
    "mode that is not a number": patched(ORDINARY, 100, b"0o644\0\0\0") + bytes(1024) + END,
    "block of zeros between entries": header("a", Kind.FILE) + bytes(512) + header("b", Kind.FILE) + END,
    "not a tar": b"<html>login</html>" * 100,
    "half a block": b"x" * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(name: str) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read(HOSTILE[name])


def test_every_cut_inside_an_entry_is_found() -> None:
    raw = header("ü" * 80, Kind.FILE, size=700) + bytes(1024)
    for end in (1, 100, 511, 512, 600, 1024, 1500, 1536, 1537, 2000, 2235, 2500):
        with pytest.raises(DocumentError, match="cannot be read"):
            read(raw[:end])


def test_too_many_entries_are_refused() -> None:
    raw = header("a", Kind.FILE) * 50 + END
    with pytest.raises(DocumentError, match="more than 40 entries"):
        list(read_entries(io.BytesIO(raw), max_entries=40))


def test_a_size_in_pax_alone_is_believed_where_ustar_has_no_room() -> None:
    """Nine gigabytes, announced and not sent: the header is right, the archive is cut off."""
    entries = read_entries(io.BytesIO(header("large", Kind.FILE, size=9 << 30) + bytes(512)))
    entry, _ = next(entries)
    assert entry.size == 9 << 30
    with pytest.raises(DocumentError):
        next(entries)


@given(raw=st.binary(max_size=3000))
def test_noise_raises_nothing_else(raw: bytes) -> None:
    attempt(lambda: read(raw))


@given(position=st.integers(0, 3000), bit=st.integers(0, 7))
def test_a_flipped_bit_raises_nothing_else(position: int, bit: int) -> None:
    raw = bytearray(pax(b"10 path=b\n") + header("ü", Kind.FILE, size=5) + b"12345" + bytes(507) + END)
    raw[position % len(raw)] ^= 1 << bit
    attempt(lambda: read(bytes(raw)))


def attempt(work: Callable[[], object]) -> None:
    try:
        work()
    except DocumentError:
        return


@pytest.mark.parametrize("form", FORMATS)
def test_names_of_owners_are_told(form: str) -> None:
    raw = archive((member("x", uname="mail", gname="sch\u00f6n" if form == "pax" else "tty"), b""), form=FORMATS[form])
    [(entry, _)] = read(raw)
    assert (entry.user, entry.group) == ("mail", "sch\u00f6n" if form == "pax" else "tty")


def test_paths_are_made_by_who_asks() -> None:
    raw = archive((member("./a"), b""), (member("b", type=tarfile.LNKTYPE, linkname="./a"), b""))
    entries = [entry for entry, _ in read_entries(io.BytesIO(raw), contain=lambda path: f"<{path}>")]
    assert [(entry.path, entry.target) for entry in entries] == [("<./a>", ""), ("<b>", "<./a>")]
