"""Bills of materials of real builds, judged by the formats' own validators and by what really is in the layers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest
import uv
from sbom_checks import VALIDATORS, check_sound, check_spdx, nodes_and_edges

from pycontainer.attest import FORMATS as FORMAT_OF
from pycontainer.builder import BuildResult
from pycontainer.destinations.attachments import list_attachments, read_attachment
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Digest, Platform, Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer
from pycontainer.testing.registry import FakeRegistry
from pycontainer.transports.oci_layout import OCILayout
from pycontainer.transports.registry import RegistryClient, RegistrySettings

ROOT = Path(__file__).parents[4]
FORMATS = {"spdx": "image.spdx.json", "cyclonedx": "image.cdx.json"}
LICENSES = {
    "plain": ("License-Expression: Apache-2.0 OR MIT\n", "Apache-2.0 OR MIT"),
    "old": ("License: BSD\nClassifier: License :: OSI Approved :: MIT License\n", "MIT"),
    "vague": ("Classifier: License :: OSI Approved :: BSD License\n", "BSD License"),
    "own": ("License-Expression: LicenseRef-Acme-1 AND MIT\n", "LicenseRef-Acme-1 AND MIT"),
    "text": ("License: Copyright\n        All rights reserved\n", None),
    "none": ("", None),
}


class Workshop(Protocol):
    root: Path
    base: Path
    index: IndexServer

    def lock(
        self,
        name: str,
        version: str = ...,
        *,
        metadata: str = ...,
        address: str | None = ...,
        files: Mapping[str, bytes] | None = ...,
    ) -> None: ...
    def build(self, cache: str = ..., **options: object) -> BuildResult: ...


Installed = Callable[[Path], dict[tuple[str, str], str]]


def distributions(path: Path) -> set[tuple[str, str]]:
    return {(purl.name, str(purl.version)) for purl in check_sound(path) if purl.type == "pypi"}


@pytest.mark.parametrize("choice", FORMATS)
def test_a_valid_document_stands_beside_the_layout_and_lists_what_is_in_it(
    choice: str, workshop: Workshop, installed: Installed
) -> None:
    for name, (metadata, _) in LICENSES.items():
        workshop.lock(f"licensed-{name}", metadata=metadata)
    workshop.lock("Mixed.Case_name", "2!1.0rc1.post2+cpu.1")

    result = workshop.build(generate_sbom=choice)

    layout = workshop.root / "dist" / "image"
    assert result.sboms == (layout.with_name(FORMATS[choice]),)
    assert result.to_json()["sboms"] == [str(result.sboms[0])]
    VALIDATORS[choice](result.sboms[0])
    expected = {(f"licensed-{name}", "1.0") for name in LICENSES} | {("mixed-case-name", "2!1.0rc1.post2+cpu.1")}
    assert distributions(result.sboms[0]) == set(installed(layout)) == expected


@pytest.mark.once
@pytest.mark.parametrize("choice", FORMATS)
def test_a_large_set_is_valid_and_complete(choice: str, workshop: Workshop, installed: Installed) -> None:
    licenses = [metadata for metadata, _ in LICENSES.values()]
    for number in range(150):
        workshop.lock(f"part-{number}", f"{number}.{number % 7}", metadata=licenses[number % len(licenses)])

    result = workshop.build(generate_sbom=choice)

    VALIDATORS[choice](result.sboms[0])
    assert distributions(result.sboms[0]) == set(installed(workshop.root / "dist" / "image"))
    assert len(distributions(result.sboms[0])) == 150


@pytest.mark.network
@pytest.mark.parametrize("choice", FORMATS)
def test_packages_as_they_are_published_give_a_valid_document(
    choice: str, workshop: Workshop, installed: Installed, tmp_path: Path
) -> None:
    root = tmp_path / "fastapi"
    shutil.copytree(ROOT / "examples" / "fastapi", root)
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet"], cwd=root, check=True)

    result = workshop.build(context_path=root, generate_sbom=choice)

    VALIDATORS[choice](result.sboms[0])
    found = distributions(result.sboms[0])
    assert found == set(installed(root / "dist" / "image"))
    assert {"fastapi", "pydantic-core", "uvicorn"} <= {name for name, _ in found}


def test_every_package_has_the_hash_of_its_wheel_and_its_address(workshop: Workshop) -> None:
    workshop.lock("demo", "1.0+local")
    digest = Digest.of(workshop.index.files["demo"]["demo-1.0+local-py3-none-any.whl"]).hex

    (path,) = workshop.build().sboms

    (demo,) = (package for package in json.loads(path.read_text())["packages"] if package["name"] == "demo")
    assert demo["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]
    assert demo["downloadLocation"] == f"{workshop.index.url}/files/demo-1.0%2Blocal-py3-none-any.whl"
    assert demo["primaryPackagePurpose"] == "LIBRARY"


@pytest.mark.parametrize("cold", [True, False])
def test_licences_are_those_that_the_wheels_declare(workshop: Workshop, *, cold: bool) -> None:
    for name, (metadata, _) in LICENSES.items():
        workshop.lock(name, metadata=metadata)
    if not cold:
        workshop.build(generate_sbom=None)

    (spdx,) = workshop.build().sboms
    (cyclonedx,) = workshop.build(generate_sbom="cyclonedx").sboms

    packages = {package["name"]: package for package in json.loads(spdx.read_text())["packages"]}
    components = {part["name"]: part for part in json.loads(cyclonedx.read_text())["components"]}
    for name, (_, expected) in LICENSES.items():
        is_expression = expected not in (None, "BSD License")
        assert packages[name]["licenseDeclared"] == (expected if is_expression else "NOASSERTION")
        assert components[name].get("licenses") == (
            [{"expression": expected}] if is_expression else [{"license": {"name": expected}}] if expected else None
        )
    assert packages["vague"]["licenseComments"] == "Declared as: BSD License"


@pytest.mark.parametrize("choice", FORMATS)
def test_two_builds_give_the_same_bytes(choice: str, workshop: Workshop) -> None:
    for name in ("b", "a", "c"):
        workshop.lock(name, metadata="License-Expression: MIT\n")
    (path,) = workshop.build("one", generate_sbom=choice).sboms
    first = path.read_bytes()

    (again,) = workshop.build("another", generate_sbom=choice, output="oci:dist/other").sboms
    (warm,) = workshop.build("another", generate_sbom=choice).sboms

    assert again.name == path.name.replace("image", "other")
    assert first == again.read_bytes() == warm.read_bytes()


def test_another_image_has_another_document_and_its_own_time(workshop: Workshop) -> None:
    workshop.lock("demo")
    (path,) = workshop.build().sboms
    first = json.loads(path.read_text())

    workshop.build(created=1_700_000_000)
    second = json.loads(path.read_text())

    assert first["documentNamespace"] != second["documentNamespace"]
    assert first["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert second["creationInfo"]["created"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("choice", FORMATS)
def test_credentials_of_indexes_stay_out(choice: str, workshop: Workshop) -> None:
    workshop.index.user = ("me", "s3cr3t-plant")
    workshop.lock("demo", address=workshop.index.url.replace("://", "://me:s3cr3t-plant@"))

    (path,) = workshop.build(generate_sbom=choice).sboms

    document = path.read_text()
    assert "s3cr3t-plant" not in document
    assert f'"{workshop.index.url}/files/demo-1.0-py3-none-any.whl"' in document


def test_the_image_its_base_and_the_project_are_named(workshop: Workshop) -> None:
    workshop.lock("demo")

    result = workshop.build()

    purls = {purl.type: purl for purl in check_sound(result.sboms[0]) if purl.name in ("api", "Api")}
    assert purls["oci"].to_string() == f"pkg:oci/api@{result.digest}?arch=amd64&tag=1.4"
    assert purls["generic"].to_string() == "pkg:generic/Api@0.1"
    document = json.loads(result.sboms[0].read_text())
    assert {"DESCRIBES", "DESCENDANT_OF", "CONTAINS"} == {
        item["relationshipType"] for item in document["relationships"]
    }
    base = json.loads((workshop.base / "index.json").read_text())["manifests"][0]["digest"]
    assert f"pkg:oci/base@{base}?arch=amd64" in result.sboms[0].read_text()
    assert str(workshop.base) not in result.sboms[0].read_text()


def test_each_platform_has_its_own_document(workshop: Workshop, tmp_path: Path) -> None:
    arm = Platform("linux", "arm64")
    both = tmp_path / "both"
    LayoutDestination(both).write(ImageIndex(images=(debian_like("3.12.4"), debian_like("3.12.4", platform=arm))))
    workshop.lock("demo")

    result = workshop.build(base_image=f"oci:{both}", platform=("linux/amd64", "linux/arm64"))

    assert [path.name for path in result.sboms] == ["image-linux-amd64.spdx.json", "image-linux-arm64.spdx.json"]
    for path, image in zip(result.sboms, result.images, strict=True):
        check_spdx(path)
        assert f"pkg:oci/api@{image.digest}?arch={image.platform.architecture}" in path.read_text()


def test_archives_have_theirs_beside_them(workshop: Workshop) -> None:
    workshop.lock("demo")

    result = workshop.build(output=("oci-archive:out/api.tar", "docker-archive:out/docker.tar", "oci:dist/image"))

    names = ["out/api.tar.spdx.json", "out/docker.tar.spdx.json", "dist/image.spdx.json"]
    assert result.sboms == tuple(workshop.root / name for name in names)
    assert len({path.read_bytes() for path in result.sboms}) == 1


@pytest.mark.parametrize("exclude", [(), ("!dist/",)])
def test_documents_of_earlier_builds_are_no_files_of_the_project(workshop: Workshop, exclude: tuple[str, ...]) -> None:
    first = workshop.build(output="oci:out", exclude_paths=exclude)
    workshop.build(output="oci:out", exclude_paths=exclude, generate_sbom="cyclonedx")

    again = workshop.build(output="oci:out", exclude_paths=exclude, generate_sbom=None)

    assert (workshop.root / "out.spdx.json").exists()
    assert (workshop.root / "out.cdx.json").exists()
    assert again.digest == first.digest
    assert again.sboms == ()


@pytest.mark.parametrize("choice", FORMATS)
def test_who_needs_whom_and_who_brings_what(choice: str, workshop: Workshop) -> None:
    crate = {"name": "serde", "version": "1.0.1", "purl": "pkg:cargo/serde@1.0.1"}
    brought = {"bomFormat": "CycloneDX", "components": [crate, {"name": "zlib", "version": "1.3"}]}
    path = "engine-1.0.dist-info/sboms/build.cdx.json"
    workshop.lock("client", metadata="Requires-Dist: engine[fast]\nRequires-Dist: absent\n")
    workshop.lock(
        "engine", metadata="Requires-Dist: booster; extra == 'fast'\n", files={path: json.dumps(brought).encode()}
    )
    workshop.lock("booster")
    pyproject = workshop.root / "pyproject.toml"
    pyproject.write_text(f'{pyproject.read_text()}dependencies = ["client"]\n')

    (sbom,) = workshop.build(generate_sbom=choice).sboms

    VALIDATORS[choice](sbom)
    check_sound(sbom)
    document = json.loads(sbom.read_text())
    _, purls, edges = nodes_and_edges(document)
    found = {(purls[start], purls[end]) for start, end in edges if start in purls}
    assert {
        ("pkg:generic/Api@0.1", "pkg:pypi/client@1.0"),
        ("pkg:pypi/client@1.0", "pkg:pypi/engine@1.0"),
        ("pkg:pypi/engine@1.0", "pkg:pypi/booster@1.0"),
        ("pkg:pypi/engine@1.0", "pkg:cargo/serde@1.0.1"),
        ("pkg:pypi/engine@1.0", "pkg:generic/zlib@1.3"),
    } <= found
    image = next(purl for purl in purls.values() if purl.startswith("pkg:oci/api@"))
    directly = (image, "pkg:pypi/booster@1.0")
    assert (directly in found) == (choice == "spdx"), "the image contains all, and depends on what nothing else needs"
    reference = f"/app/.venv/lib/python3.12/site-packages/{path}"
    assert reference in sbom.read_text(), "the wheel's own bill of materials is named"


@pytest.mark.parametrize("choice", FORMATS)
def test_the_documents_are_attached_wherever_the_image_goes(choice: str, workshop: Workshop) -> None:
    workshop.lock("demo")
    with FakeRegistry() as registry:
        name = Reference.parse(f"{registry.host}/acme/api:1.4")

        result = workshop.build(generate_sbom=choice, push=True, output="oci:dist/image", tag=str(name))

        client = RegistryClient(RegistrySettings(environment={}, home=None))
        media_type = FORMAT_OF[choice].media_type
        (attached,) = list_attachments(client, name, result.digest, media_type)
        document = read_attachment(client, name, attached)
    assert document == result.sboms[0].read_bytes()
    assert attached.annotations == {"org.opencontainers.image.created": "1970-01-01T00:00:00Z"}
    layout = OCILayout.at(workshop.root / "dist" / "image")
    assert [entry.digest for entry in layout.index().manifests] == [result.digest, attached.digest]
    plain = workshop.build(generate_sbom=None)
    assert plain.digest == result.digest, "what is attached changes no digest"
