"""What of others a wheel brings is told by its `.libs` and its own bills of materials, whatever stands in them."""

from __future__ import annotations

import json

import pytest

from pycontainer.layers.record import BundledPart
from pycontainer.sources.wheels.bundled import bundled_library, read_sbom

GFORTRAN = {
    "name": "libgfortran",
    "version": "8.5.0-22.el8_10",
    "purl": "pkg:rpm/almalinux/libgfortran@8.5.0-22.el8_10",
    "licenses": [{"license": {"id": "GPL-3.0-or-later"}}],
}


def read(document: object) -> tuple[BundledPart, ...]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_sbom(lambda: raw, len(raw), owner="numpy")


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("numpy.libs/libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran.so.5.0.0"),
        ("numpy/.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so", "libopenblas64_p-r0.3.23.dev.so"),
        ("numpy/core/_multiarray_umath.so", None),
    ],
)
def test_a_copied_library_is_one_in_libs(member: str, name: str | None) -> None:
    found = bundled_library(member, "ab" * 32)
    assert (found.name if found else None) == name


def test_parts_of_cyclonedx_are_read_those_within_parts_too() -> None:
    inner = {"name": "inner", "version": "1", "licenses": [{"expression": "MIT OR Apache-2.0"}]}
    own = {"name": "NumPy", "version": "2.1.0", "purl": "pkg:pypi/numpy@2.1.0?file_name=numpy.whl"}
    found = read({"bomFormat": "CycloneDX", "components": [own, {**GFORTRAN, "components": [inner]}]})
    assert [(part.name, part.version, part.license) for part in found] == [
        ("libgfortran", "8.5.0-22.el8_10", "GPL-3.0-or-later"),
        ("inner", "1", "MIT OR Apache-2.0"),
    ]
    assert found[0].purl == GFORTRAN["purl"]


def test_parts_of_spdx_are_read() -> None:
    reference = {"referenceType": "purl", "referenceLocator": "pkg:cargo/serde@1.0.1"}
    package = {"name": "serde", "versionInfo": "1.0.1", "licenseDeclared": "NOASSERTION", "externalRefs": [reference]}
    assert read({"spdxVersion": "SPDX-2.3", "packages": [package]}) == (
        BundledPart(name="serde", version="1.0.1", purl="pkg:cargo/serde@1.0.1"),
    )


@pytest.mark.parametrize(
    "document",
    [
        b"not json",
        b"[" * 100_000,
        b'{"a":1,"a":2}',
        [],
        {},
        {"bomFormat": "CycloneDX", "components": 7},
        {"bomFormat": "CycloneDX", "components": [7]},
        {"bomFormat": "CycloneDX", "components": [{"name": {"a": 1}}, {"name": "\x1b[2J"}, {"name": "x" * 9999}]},
        {"spdxVersion": "SPDX-2.3", "packages": "x"},
    ],
)
def test_what_cannot_be_read_tells_nothing(document: object) -> None:
    assert read(document) == ()


def test_a_document_that_is_too_large_is_not_even_read() -> None:
    assert read_sbom(lambda: pytest.fail("it was read"), 1 << 40, owner="numpy") == ()
