from __future__ import annotations

from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from pycontainer.attest.components import Component, Materials
from pycontainer.attest.cyclonedx import cyclonedx_document
from pycontainer.attest.materials import ProjectFiles, materials_of
from pycontainer.attest.parts import files_of_project
from pycontainer.attest.purl import canonical_purl, purl
from pycontainer.attest.spdx import spdx_document
from pycontainer.builder.documents import document_paths
from pycontainer.config import BuildConfig
from pycontainer.image import Image
from pycontainer.layers.layer import Layer
from pycontainer.layers.record import BundledPart, LayerContents, PackageContents
from pycontainer.oci import Digest, Platform, Reference
from pycontainer.sources.base import Base
from pycontainer.sources.base.facts import BaseFacts
from pycontainer.sources.locks import Artifact, Chosen, LockedPackage, Url, Vcs
from pycontainer.sources.locks.model import Registry, Source
from pycontainer.sources.target import Libc, PythonVersion, Target
from pycontainer.testing.images import debian_like, forge_layer

SHA256 = "ab" * 32
TARGET = Target(platform=Platform("linux", "amd64"), python=PythonVersion(3, 12, 4), libc=Libc("glibc", 2, 36))
WHEEL = "demo-1.0-py3-none-any.whl"


def image_with(*packages: PackageContents) -> Image:
    made = forge_layer([])
    contents = LayerContents(packages=packages)
    return debian_like().append([Layer(blob=made.blob, diff_id=made.diff_id, title="wheels", contents=contents)])


def materials(*packages: PackageContents, chosen: tuple[Chosen, ...] = (), **options: object) -> Materials:
    digest = Digest.of(b"base")
    facts = BaseFacts(
        python=None, interpreter=None, libc=None, user="", shell=None, passwd=b"", group=b"", os_release={}
    )
    named = options.pop("base_name", None)
    assert named is None or isinstance(named, str)
    base = Base(image=debian_like(), facts=facts, reference="base", digest=digest, top=digest, registry_reference=named)
    given: dict[str, object] = {
        "project": ProjectFiles(component=files_of_project("Api", "0.1")),
        "target": TARGET,
        "reference": Reference.parse("ghcr.io/acme/api:1.4"),
        **options,
    }
    return materials_of(image_with(*packages), base=base, chosen=chosen, **given)  # type: ignore[arg-type]


def demo(source: Source, *, filename: str | None = WHEEL, url: str | None = None, kind: str = "wheel") -> Component:
    artifact = Artifact(filename=filename, url=url, hashes={"sha256": SHA256}) if filename else None
    package = LockedPackage(name="demo", version="1.0", source=source)
    found = materials(
        PackageContents(name="demo", version="1.0", sha256=SHA256),
        chosen=(Chosen(package=package, artifact=artifact, kind=kind),),  # type: ignore[arg-type]
    )
    return next(component for component in found.contents if component.name == "demo")


def test_a_wheel_of_an_index_has_its_address_without_secrets() -> None:
    found = demo(Registry(), url=f"https://me:p@ss@files.example:8443/a/{WHEEL}?token=abc#sha256={SHA256}")

    assert found.origin is not None
    assert (found.origin.kind, found.origin.url) == ("wheel", f"https://files.example:8443/a/{WHEEL}")
    assert found.purl == "pkg:pypi/demo@1.0"


def test_a_wheel_that_was_built_names_its_sdist() -> None:
    found = demo(Registry(), filename="demo-1.0.tar.gz", url="https://files.example/demo-1.0.tar.gz", kind="sdist")

    assert found.origin is not None
    assert (found.origin.kind, found.origin.digest) == ("sdist", Digest("sha256", SHA256))


def test_a_package_from_an_address_is_told_from_one_of_the_index() -> None:
    address = f"https://me:secret@files.example/{WHEEL}"

    assert demo(Url(url=address), url=address).purl == (f"pkg:pypi/demo@1.0?download_url=https://files.example/{WHEEL}")


@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("https://token@code.example/acme/demo?private_token=x", "https://code.example/acme/demo"),
        ("ssh://git@code.example/acme/demo", "ssh://git@code.example/acme/demo"),
    ],
)
def test_a_package_from_a_commit_names_it(address: str, recorded: str) -> None:
    found = demo(Vcs(url=address, commit="c0ffee", subdirectory="python"), filename=None, kind="vcs")

    location = f"git+{recorded}@c0ffee#python"
    assert found.origin is not None
    assert found.origin.url == location
    assert PackageURL.from_string(found.purl).qualifiers == {"vcs_url": location}


@pytest.mark.parametrize("address", [None, f"file:///home/me/{WHEEL}", f"https://[/{WHEEL}", f"https://h/é/{WHEEL}"])
def test_what_is_no_public_address_is_left_out(address: str | None) -> None:
    assert demo(Registry(), url=address).origin is None


@pytest.mark.parametrize("kind", ["sdist", "vcs"])
def test_what_was_built_is_valid_in_both_formats(kind: str, tmp_path: Path) -> None:
    source = Vcs(url="https://code.example.org/acme/demo", commit="c0ffee", subdirectory="python")
    archive = Artifact(filename="demo.zip", url="https://files.example.org/demo.zip", hashes={"sha256": SHA256})
    package = LockedPackage(name="demo", version="1.0", source=source if kind == "vcs" else Registry())
    chosen = Chosen(package=package, artifact=None if kind == "vcs" else archive, kind=kind)  # type: ignore[arg-type]
    made = PackageContents(name="demo", version="1.0", sha256=SHA256, license="LicenseRef-Acme OR MIT")
    path = tmp_path / "image.spdx.json"

    found = materials(made, chosen=(chosen,), published=True, base_name="docker.io/library/python:3.12-slim")

    path.write_bytes(spdx_document(found))
    assert not [message.validation_message for message in validate_full_spdx_document(parse_file(str(path)))]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(cyclonedx_document(found).decode()) is None


def test_a_project_that_is_a_package_is_the_application() -> None:
    found = materials(PackageContents(name="api", version="0.1", sha256=SHA256))

    python = ("interpreter", "pkg:generic/cpython@3.12.4")
    assert [(part.kind, part.purl) for part in found.contents] == [("application", "pkg:pypi/api@0.1"), python]


def test_a_part_that_a_wheel_claims_to_bring_hides_nothing_that_is_there() -> None:
    base = f"pkg:oci/base@{Digest.of(b'base')}?arch=amd64"
    claims = tuple(BundledPart(name="claimed", purl=purl) for purl in (base, "pkg:pypi/zope@1", "pkg:pypi/Liar@1"))
    liar = PackageContents(name="liar", version="1", sha256=SHA256, bundled=claims)

    found = materials(liar, PackageContents(name="zope", version="1", sha256=SHA256))

    purls = [component.purl for component in found.components]
    assert len(purls) == len(set(purls))
    assert [part.kind for part in found.components].count("part") == 0
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(cyclonedx_document(found).decode()) is None


def test_a_package_that_was_made_before_licences_were_written_down_is_listed() -> None:
    *_, old = materials(PackageContents(name="zope", version="1")).contents

    assert (old.name, old.license, old.digest) == ("zope", None, None)


def test_only_what_is_published_names_its_registry() -> None:
    here = materials().image.purl
    there = materials(published=True, base_name="docker.io/library/python:3.12-slim")

    assert here.endswith("?arch=amd64&tag=1.4")
    assert there.image.purl.endswith("?arch=amd64&repository_url=ghcr.io/acme/api&tag=1.4")
    assert there.base.purl == (
        f"pkg:oci/python@{Digest.of(b'base')}?arch=amd64&repository_url=docker.io/library/python&tag=3.12-slim"
    )


def test_an_image_without_a_path_has_its_document_where_a_layout_would_be(tmp_path: Path) -> None:
    config = BuildConfig(context_path=tmp_path, tag="ghcr.io/acme/api:1", push=True, platform="linux/arm/v7")

    assert tmp_path / "dist" / "image.spdx.json" in document_paths(config)
    assert tmp_path / "dist" / "image-linux-arm-v7.cdx.json" in document_paths(config)
    assert Platform.parse("linux/arm/v7") in config.platforms


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("pkg:PyPI/Foo_Bar@1.0", "pkg:pypi/foo-bar@1.0"),
        (
            "pkg:rpm/almalinux/libgfortran@8.5.0-22.el8_10?file_name=numpy.libs/libgfortran-1.so.5",
            "pkg:rpm/almalinux/libgfortran@8.5.0-22.el8_10?file_name=numpy.libs/libgfortran-1.so.5",
        ),
        ("pkg:cargo/ring@0.17.8?download_url=file://.#src/lib.rs", "pkg:cargo/ring@0.17.8?download_url=file://."),
        ("pkg:npm/%40angular/core@1.0", "pkg:npm/%40angular/core@1.0"),
        ("pkg:generic/a b@1+2?z=1&a=2&=3&c", "pkg:generic/a%20b@1%2B2?a=2&z=1"),
    ],
)
def test_package_urls_of_others_are_brought_into_one_form(written: str, canonical: str) -> None:
    assert canonical_purl(written) == canonical
    assert PackageURL.from_string(canonical).to_string() == canonical


@pytest.mark.parametrize("text", ["", "pkg:", "pkg:pypi", "https://example.org/a", "pkg:pypi/", "pkg:generic/a\nb"])
def test_what_is_no_package_url_is_none(text: str) -> None:
    assert canonical_purl(text) is None


# Spaces and slashes at the ends of a name are none of it, says the reference implementation.
VISIBLE = st.text(st.characters(categories=("L", "M", "N", "P", "S"), exclude_characters="/"))


@given(VISIBLE.filter(bool), VISIBLE, VISIBLE)
def test_package_urls_say_what_they_were_given(name: str, version: str, address: str) -> None:
    parsed = PackageURL.from_string(purl("generic", name, version, download_url=address))

    assert (parsed.name, parsed.version or "") == (name, version)
    assert parsed.qualifiers == ({"download_url": address} if address else {})
