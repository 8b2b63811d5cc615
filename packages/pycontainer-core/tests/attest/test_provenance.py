"""Provenance says what a build was made of, in the words of in-toto and SLSA, and nothing that is secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from jsonschema import Draft202012Validator

from pycontainer.builder import BuildResult
from pycontainer.destinations.attachments import list_attachments, read_attachment
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Digest, Platform, Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer
from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.transports.registry import RegistryClient, RegistrySettings

IN_TOTO = "application/vnd.in-toto+json"
PLANTED = "pl4nted-s3cret"
# in-toto Attestation Framework, *Statement v1*, *ResourceDescriptor v1*, *DigestSet*.
DIGESTS = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "gitCommit": {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"},
    },
    "additionalProperties": False,
}
RESOURCE = {
    "type": "object",
    "anyOf": [{"required": ["uri"]}, {"required": ["digest"]}, {"required": ["content"]}],
    "properties": {
        "name": {"type": "string"},
        "uri": {"type": "string", "format": "uri"},
        "digest": DIGESTS,
        "content": {"type": "string"},
        "downloadLocation": {"type": "string", "format": "uri"},
        "mediaType": {"type": "string"},
        "annotations": {"type": "object"},
    },
    "additionalProperties": False,
}
# SLSA v1.0, *Provenance*, Schema.
PREDICATE = {
    "type": "object",
    "required": ["buildDefinition", "runDetails"],
    "properties": {
        "buildDefinition": {
            "type": "object",
            "required": ["buildType", "externalParameters"],
            "properties": {
                "buildType": {"type": "string", "format": "uri"},
                "externalParameters": {"type": "object", "minProperties": 1},
                "internalParameters": {"type": "object"},
                "resolvedDependencies": {"type": "array", "items": RESOURCE, "uniqueItems": True},
            },
            "additionalProperties": False,
        },
        "runDetails": {
            "type": "object",
            "required": ["builder"],
            "properties": {
                "builder": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string", "format": "uri"},
                        "version": {"type": "object", "additionalProperties": {"type": "string"}},
                        "builderDependencies": {"type": "array", "items": RESOURCE},
                    },
                    "additionalProperties": False,
                },
                "metadata": {
                    "type": "object",
                    "properties": {
                        "invocationId": {"type": "string"},
                        "startedOn": {"type": "string", "format": "date-time"},
                        "finishedOn": {"type": "string", "format": "date-time"},
                    },
                    "additionalProperties": False,
                },
                "byproducts": {"type": "array", "items": RESOURCE},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
STATEMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["_type", "subject", "predicateType"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "items": {"allOf": [RESOURCE, {"type": "object", "required": ["digest"]}]},
        },
        "predicateType": {"const": "https://slsa.dev/provenance/v1"},
        "predicate": PREDICATE,
    },
    "additionalProperties": False,
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


def build(workshop: Workshop, cache: str = "cache", **options: object) -> tuple[BuildResult, dict[str, Any]]:
    """The result and the statement, which is valid."""
    result = workshop.build(cache, **{"provenance": True, "generate_sbom": None, **options})
    (path,) = result.provenance
    statement: dict[str, Any] = json.loads(path.read_text())
    Draft202012Validator(STATEMENT, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(statement)
    return result, statement


def definition(statement: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = statement["predicate"]["buildDefinition"]
    return found


def dependencies(statement: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in definition(statement)["resolvedDependencies"]}


def test_it_says_what_was_built_of_what(workshop: Workshop, installed: Installed) -> None:
    workshop.lock("demo")
    workshop.lock("other", "2.0")

    result, statement = build(workshop, platform="linux/amd64", created=1_700_000_000)

    assert statement["subject"] == [{"name": "ghcr.io/acme/api", "digest": {"sha256": result.digest.hex}}]
    assert definition(statement)["externalParameters"] == {
        "configuration": {
            "base-image": f"oci:{workshop.base.name}",
            "platform": ["linux/amd64"],
            "created": 1_700_000_000,
        },
        "inImage": [],
        "project": {"name": "Api", "version": "0.1"},
    }
    found = dependencies(statement)
    base = json.loads((workshop.base / "index.json").read_text())["manifests"][0]["digest"]
    assert found["base"]["digest"] == {"sha256": Digest.parse(base).hex}
    lock = Digest.of((workshop.root / "pylock.toml").read_bytes())
    assert found["lock"] == {"name": "lock", "digest": {"sha256": lock.hex}, "annotations": {"file": "pylock.toml"}}
    for name, version in installed(workshop.root / "dist" / "image"):
        wheel = f"{name}-{version}-py3-none-any.whl"
        assert found[f"{name} {version}"] == {
            "name": f"{name} {version}",
            "uri": f"pkg:pypi/{name}@{version}",
            "digest": {"sha256": Digest.of(workshop.index.files[name][wheel]).hex},
            "downloadLocation": f"{workshop.index.url}/files/{wheel}",
        }
    assert set(found) == {"base", "lock", "demo 1.0", "other 2.0"}
    assert result.to_json()["provenance"] == [str(result.provenance[0])]


def test_two_builds_say_the_same_and_the_image_stays_what_it_was(workshop: Workshop) -> None:
    workshop.lock("demo")
    first, _ = build(workshop, "one")
    said = first.provenance[0].read_bytes()
    again, _ = build(workshop, "two", output="oci:dist/other")
    warm, _ = build(workshop, "two")
    plain = workshop.build(generate_sbom=None)
    assert said == again.provenance[0].read_bytes() == warm.provenance[0].read_bytes()
    assert first.digest == plain.digest
    assert plain.provenance == ()


@pytest.mark.parametrize("referrers", [True, False], ids=["with-api", "without-api"])
def test_it_is_found_from_the_index_and_from_every_platform(
    workshop: Workshop, tmp_path: Path, *, referrers: bool
) -> None:
    both = tmp_path / "both"
    arm = debian_like("3.12.4", platform=Platform("linux", "arm64"))
    LayoutDestination(both).write(ImageIndex(images=(debian_like("3.12.4"), arm)))
    workshop.lock("demo")
    with FakeRegistry(Rules(referrers=referrers)) as registry:
        name = Reference.parse(f"{registry.host}/acme/api:1.4")
        platforms = ("linux/amd64", "linux/arm64")

        result, statement = build(
            workshop, base_image=f"oci:{both}", platform=platforms, push=True, tag=str(name), generate_sbom="spdx"
        )

        client = RegistryClient(RegistrySettings(environment={}, home=None))
        digests = [result.digest, *(image.digest for image in result.images)]
        documents = []
        for digest in digests:
            (attached,) = list_attachments(client, name, digest, IN_TOTO)
            documents.append(read_attachment(client, name, attached))
        boms = [len(list_attachments(client, name, digest, "application/spdx+json")) for digest in digests]
    assert documents == [result.provenance[0].read_bytes()] * 3
    assert boms == [0, 1, 1], "a bill of materials is one platform's"
    assert [item["digest"]["sha256"] for item in statement["subject"]] == [digest.hex for digest in digests]
    bases = [item for item in definition(statement)["resolvedDependencies"] if item["name"] == "base"]
    index = json.loads((both / "index.json").read_text())["manifests"][0]["digest"]
    assert [base["annotations"] for base in bases] == [{"index": index}] * 2
    assert set(definition(statement)["internalParameters"]["platforms"]) == {"linux/amd64", "linux/arm64"}


def test_the_commit_is_told_and_whether_the_checkout_was_clean(workshop: Workshop) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=workshop.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    workshop.lock("demo")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    git("remote", "add", "origin", f"https://me:{PLANTED}@code.example/acme/api.git")
    commit = git("rev-parse", "HEAD")

    result, statement = build(workshop)

    assert dependencies(statement)["source"] == {
        "name": "source",
        "uri": f"git+https://code.example/acme/api@{commit}",
        "digest": {"gitCommit": commit},
    }
    assert definition(statement)["externalParameters"]["project"]["directory"] == "."
    assert PLANTED not in result.provenance[0].read_text()
    (workshop.root / "main.py").write_text("print('changed')\n")
    _, statement = build(workshop)
    assert dependencies(statement)["source"]["annotations"] == {"dirty": True}


@pytest.mark.parametrize("choice", ["spdx", "cyclonedx"])
def test_secrets_are_in_no_document(choice: str, workshop: Workshop) -> None:
    workshop.index.user = ("me", PLANTED)
    workshop.lock("demo", address=workshop.index.url.replace("://", f"://me:{PLANTED}@"))
    (workshop.root / ".env").write_text(f"TOKEN={PLANTED}\n")
    (workshop.root / "settings.py").write_text(f"PASSWORD = '{PLANTED}'\n")
    with FakeRegistry(Rules(authentication="basic", users={"me": PLANTED})) as registry:
        result, statement = build(
            workshop,
            generate_sbom=choice,
            env={"DATABASE": f"postgres://me:{PLANTED}@host/db", "PORT": "80"},
            labels={"note": PLANTED},
            annotations={"note": PLANTED},
            cmd=f"--token {PLANTED}",
            index_url=f"https://me:{PLANTED}@index.example/simple?sig={PLANTED}",
            os_archive=f"https://me:{PLANTED}@archive.example/debian bookworm main",
            username="me",
            password=PLANTED,
            push=True,
            output="oci:dist/image",
            tag=f"{registry.host}/acme/api:1",
        )
        manifests = registry.store.repository("acme/api").manifests
        attached = [raw for _, raw in manifests.values() if b'"subject"' in raw]
    documents = [path.read_text() for path in (*result.sboms, *result.provenance)]
    assert len(documents) == len(attached) == 2
    assert not [text for text in (*documents, *map(bytes.decode, attached)) if PLANTED in text]
    parameters = definition(statement)["externalParameters"]
    assert parameters["configuration"]["index-url"] == "https://index.example/simple"
    assert parameters["configuration"]["os-archive"] == ["https://archive.example/debian bookworm main"]
    assert parameters["inImage"] == ["annotations.note", "cmd", "env.DATABASE", "env.PORT", "labels.note"]


def test_settings_of_this_host_are_not_told(workshop: Workshop) -> None:
    workshop.lock("demo")
    _, statement = build(
        workshop, jobs=2, cache_dir=workshop.root.parent / "cache", exclude_paths=("*.log",), workdir="/srv"
    )
    configuration = definition(statement)["externalParameters"]["configuration"]
    assert set(configuration) == {"base-image", "platform", "exclude", "workdir"}
    assert configuration["exclude"] == ["*.log"]
