from __future__ import annotations

import pytest

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.package import BinaryPackage

LEAST = {"Package": "libpq5", "Version": "15.14-0+deb12u1", "Architecture": "amd64"}
ALL = Paragraph.parse(b"""\
Package: libpq5
Source: postgresql-15 (15.14)
Version: 15.14-0+deb12u1
Architecture: amd64
Multi-Arch: same
Essential: yes
Priority: optional
Section: libs
Depends: libc6 (>= 2.25)
Pre-Depends: a
Provides: b
Conflicts: c
Breaks: d
Replaces: e
Filename: pool/main/p/postgresql-15/libpq5_15.14-0+deb12u1_amd64.deb
Size: 187000
SHA256: ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789
Status: install ok installed
""")


def test_every_field_is_read() -> None:
    assert BinaryPackage.of(ALL) == BinaryPackage(
        name="libpq5",
        version="15.14-0+deb12u1",
        architecture="amd64",
        depends="libc6 (>= 2.25)",
        pre_depends="a",
        provides="b",
        conflicts="c",
        breaks="d",
        replaces="e",
        multi_arch="same",
        essential=True,
        priority="optional",
        section="libs",
        source="postgresql-15 (15.14)",
        filename="pool/main/p/postgresql-15/libpq5_15.14-0+deb12u1_amd64.deb",
        size=187000,
        sha256="abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789",
        status="install ok installed",
    )


def test_names_of_fields_may_be_in_any_case_in_any_mapping() -> None:
    assert BinaryPackage.of({name.upper(): value for name, value in LEAST.items()}) == BinaryPackage.of(LEAST)


@pytest.mark.parametrize("missing", list(LEAST))
def test_a_package_has_a_name_a_version_and_an_architecture(missing: str) -> None:
    with pytest.raises(DocumentError, match=f"has no `{missing.lower()}`"):
        BinaryPackage.of({name: value for name, value in LEAST.items() if name != missing})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Package", "../x"),
        ("Package", "a b"),
        ("Package", ""),
        ("Version", "1 2"),
        ("Version", ""),
        ("Architecture", "amd64 arm64"),
        ("Size", "-1"),
        ("Size", "9" * 5000),
        ("Size", "٣"),
        ("SHA256", "abc"),
        ("Filename", "/etc/passwd"),
        ("Filename", "../../x.deb"),
        ("Filename", "pool/../x.deb"),
        ("Filename", "pool/x\n.deb"),
    ],
)
def test_what_cannot_be_is_refused(field: str, value: str) -> None:
    with pytest.raises(DocumentError):
        BinaryPackage.of(LEAST | {field: value})


def test_a_flat_archive_names_files_beside_its_index() -> None:
    assert BinaryPackage.of(LEAST | {"Filename": "./libpq5..x.deb"}).filename == "./libpq5..x.deb"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("", True),
        ("install ok installed", True),
        ("hold ok installed", True),
        ("install ok unpacked", True),
        ("install ok triggers-pending", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
        ("install reinstreq half-installed", False),
    ],
)
def test_only_what_is_there_is_installed(status: str, expected: bool) -> None:  # noqa: FBT001
    assert BinaryPackage.of(LEAST | {"Status": status}).is_installed is expected
