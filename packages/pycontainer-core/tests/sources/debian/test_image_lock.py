from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import LockError
from pycontainer.sources.debian.image_lock import (
    FILENAME,
    ImageLock,
    LockedBase,
    LockedDeb,
    LockedPlatform,
    LockedRelease,
    LockedSystem,
    read_image_lock,
    write_image_lock,
)

LIBPQ = LockedDeb(
    name="libpq5",
    version="1:15.14-0+deb12u1",
    architecture="amd64",
    path="pool/main/p/postgresql-15/libpq5_15.14-0+deb12u1_amd64.deb",
    size=190_000,
    sha256="ab" * 32,
)
LOCK = ImageLock(
    base=LockedBase(image="python:3.12-slim", digest="sha256:" + "0" * 64),
    system=LockedSystem(
        distribution="debian",
        suite="bookworm",
        packages=("libpq5",),
        exclude=("krb5-locales",),
        upgrades=("gcc-12-base",),
        releases=(LockedRelease(name="Debian/Debian/bookworm", date="2026-11-20T10:00:00Z", sha256="cd" * 32),),
        platforms={"linux/arm/v7": LockedPlatform(installed="sha256:" + "1" * 64, packages=(LIBPQ,))},
    ),
)
TEXT = f"""\
# Written by `pycontainer lock`; not for editing. Commit it with the project.
version = 1

[base]
image = "python:3.12-slim"
digest = "sha256:{"0" * 64}"

[system]
distribution = "debian"
suite = "bookworm"
packages = ["libpq5"]
exclude = ["krb5-locales"]
upgrades = ["gcc-12-base"]
releases = [
    {{ name = "Debian/Debian/bookworm", date = "2026-11-20T10:00:00Z", sha256 = "{"cd" * 32}" }},
]

[system.platforms."linux/arm/v7"]
installed = "sha256:{"1" * 64}"
packages = [
    {{ name = "libpq5", version = "1:15.14-0+deb12u1", architecture = "amd64", \
path = "pool/main/p/postgresql-15/libpq5_15.14-0+deb12u1_amd64.deb", size = 190000, sha256 = "{"ab" * 32}" }},
]
"""


def test_a_lock_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    assert write_image_lock(path, LOCK)
    assert path.read_text() == TEXT
    assert read_image_lock(path) == LOCK
    assert not write_image_lock(path, LOCK)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_of_a_base_survives(tmp_path_factory: pytest.TempPathFactory, image: str) -> None:
    path = tmp_path_factory.mktemp("lock") / FILENAME
    base = LockedBase(image=image, digest="sha256:" + "0" * 64)
    lock = ImageLock(base=base)
    write_image_lock(path, lock)
    assert read_image_lock(path) == lock


def test_no_file_is_no_lock(tmp_path: Path) -> None:
    assert read_image_lock(tmp_path / FILENAME) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1\n", "version = 2\n", "has version `2`"),
        ("version = 1\n", "", "has version `None`"),
        ("[base]", "[base", "is not a TOML document"),
        ("pool/main", "../../etc", "does not have the form"),
        ("pool/main", "/pool/main", "does not have the form"),
        ("ab" * 32, "ab" * 16, "does not have the form"),
        ("size = 190000", "size = -1", "does not have the form"),
        ('name = "libpq5"', 'name = "../libpq5"', "does not have the form"),
        ("sha256:" + "1" * 64, "md5:" + "1" * 32, "does not have the form"),
    ],
)
def test_what_was_not_written_by_us_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / FILENAME
    assert old in TEXT
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(LockError, match=message) as caught:
        read_image_lock(path)
    assert FILENAME in caught.value.message
