"""Bills of materials and provenance say what is in the running container: no more, no less."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from packageurl import PackageURL
from real.samples import SAMPLES
from sbom_checks import VALIDATORS, check_sound

from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from real.command import Pycontainer
    from real.engines import DockerLike
    from real.registry import Registry

# From light to heavy, then with packages of the operating system, and on a base that is made of them.
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "src-scripts": ("src-scripts", ()),
    "flask": ("flask", ()),
    "django": ("django", ()),
    "fastapi": ("fastapi", ()),
    "numbers": ("numbers", ()),
    "os-packages": ("src-scripts", ("--os-package", "libpq5")),
    "composed": ("src-scripts", ("--base-image", "deb:bookworm")),
}
ATTACHED = ["application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.in-toto+json"]
SUFFIXES = {"spdx": "spdx.json", "cyclonedx": "cdx.json"}
# What `importlib.metadata` and dpkg's database, which `dpkg -l` prints, say in the container.
ASK = """
import glob, importlib.metadata, json
installed = [(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()]
database = "/var/lib/dpkg/status"
files = [path for path in glob.glob(database + "*/*") if not path.endswith(".md5sums")] or [database]
paragraphs = "\\n\\n".join(open(path).read() for path in files).split("\\n\\n")
system = [
    dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
    for paragraph in paragraphs
    if paragraph.strip()
]
is_installed = lambda package: package.get("Status", "install ok installed") == "install ok installed"
system = [(p["Package"], p["Version"], p["Architecture"]) for p in system if is_installed(p)]
print(json.dumps([installed, system]))
"""


@pytest.mark.parametrize("case", CASES)
def test_documents_list_what_the_container_has(
    case: str,
    pycontainer: Pycontainer,
    registry: Registry,
    base_image: str,
    podman: DockerLike,
    locked: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    name, options = CASES[case]
    project = locked(name)
    reference = registry.reference(f"documents-{case}:1")
    base = () if "--base-image" in options else ("--base-image", base_image)
    output = ("--output", f"oci:{project / 'dist' / case}", "--push", "--tag", reference, "--provenance")
    documents: dict[str, Path] = {}
    for choice, suffix in SUFFIXES.items():
        pycontainer.build(project, *base, *options, *SAMPLES[name].options, *output, "--sbom", choice)
        documents[choice] = project / "dist" / f"{case}.{suffix}"
    again = ("--output", f"oci:{tmp_path / case}", "--tag", reference, "--provenance", "--sbom", "cyclonedx")
    pycontainer.build(project, *base, *options, *SAMPLES[name].options, *again, "--push", "--no-cache")
    for suffix in ("cdx.json", "provenance.json"):
        assert (tmp_path / f"{case}.{suffix}").read_bytes() == (project / "dist" / f"{case}.{suffix}").read_bytes()
    python, layout = "/app/.venv/bin/python", f"oci:{project / 'dist' / case}:1"
    words = ("run", "--rm", "--network=none", *podman.run_options, "--entrypoint", python, layout, "-c", ASK)
    installed, system = json.loads(podman.command(*words).stdout)
    digest, _ = registry.manifest(f"documents-{case}", "1")
    _, attached = registry.manifest(f"documents-{case}", digest.replace(":", "-"))
    assert sorted(entry["artifactType"] for entry in attached["manifests"]) == ATTACHED, "each document once"

    for choice, path in documents.items():
        VALIDATORS[choice](path)
        purls = check_sound(path)
        assert {(purl.name, purl.version) for purl in purls if purl.type == "pypi"} == {
            (normalize(distribution), version) for distribution, version in installed
        }
        assert {(purl.name, purl.version, purl.qualifiers["arch"]) for purl in purls if purl.type == "deb"} == {
            tuple(package) for package in system
        }
        copied = [purl for purl in purls if purl.type == "generic" and "checksum" in purl.qualifiers]
        assert bool(copied) == (name == "numbers"), "numpy brings libraries of others in `numpy.libs`"
    provenance = json.loads((project / "dist" / f"{case}.provenance.json").read_text())
    check_dependencies(provenance, check_sound(documents["spdx"]), composed=case == "composed")


def check_dependencies(provenance: dict[str, Any], listed: list[PackageURL], *, composed: bool) -> None:
    """Every dependency has a digest, and every package that a build brings is one."""
    dependencies = provenance["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert all(item["digest"] for item in dependencies)
    uris = {item["uri"] for item in dependencies if "uri" in item}
    project = normalize(provenance["predicate"]["buildDefinition"]["externalParameters"]["project"]["name"])
    wheels = {purl.to_string() for purl in listed if purl.type == "pypi" and purl.name != project}
    assert wheels <= uris
    debs = {purl.to_string() for purl in listed if purl.type == "deb"}
    assert (debs <= uris) == composed
    assert any(item["name"] == "base" for item in dependencies) != composed
