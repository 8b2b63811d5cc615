"""Documents keep the bytes they were read from, and what is not strict JSON is refused."""

from __future__ import annotations

import json

import msgspec
import pytest

from pycontainer.errors import DocumentError, IntegrityError
from pycontainer.oci import Descriptor, Digest, ImageConfig, Index, Manifest, Platform, canonical_json, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE

EMPTY = Descriptor(media_type=media_types.EMPTY, digest=Digest.of(b"{}"), size=2)
FOREIGN = (
    b'{ "schemaVersion": 2, "config": {"mediaType": "x", "digest": "%s", "size": 2, "new": 1},'
    b' "layers": null, "x": [] }'
)


def test_a_document_read_from_elsewhere_keeps_its_bytes() -> None:
    raw = FOREIGN % str(EMPTY.digest).encode()
    manifest = Manifest.from_bytes(raw)
    assert manifest.to_bytes() == raw
    assert manifest.describe(media_types.MANIFEST).digest == Digest.of(raw)
    assert manifest.layers == ()


def test_a_changed_document_is_serialised_canonically() -> None:
    manifest = Manifest.from_bytes(FOREIGN % str(EMPTY.digest).encode())
    changed = msgspec.structs.replace(manifest, annotations={"b": "ä", "a": "1"})
    assert changed.to_bytes() == canonical_json(json.loads(changed.to_bytes()))
    assert '"annotations":{"a":"1","b":"ä"}'.encode() in changed.to_bytes()


def test_an_index_prints_the_platform_of_each_manifest() -> None:
    entry = Descriptor(
        media_type=media_types.MANIFEST, digest=EMPTY.digest, size=2, platform=Platform("linux", "arm64")
    )
    again = Index.from_bytes(Index(manifests=(entry,)).to_bytes())
    assert again.manifests == (entry,)
    assert json.loads(again.to_bytes())["manifests"][0]["platform"] == {"architecture": "arm64", "os": "linux"}


def test_a_config_reads_docker_s_null_fields_and_unknown_ones() -> None:
    config = ImageConfig.from_bytes(
        b'{"architecture":"amd64","os":"linux","config":{"Env":["A=1","B=x=y"],"Cmd":null,"OnBuild":null,"Image":""},'
        b'"container_config":{},"rootfs":{"type":"layers","diff_ids":null},"created":"2024-01-01T00:00:00+02:00"}'
    )
    assert config.config.environment == {"A": "1", "B": "x=y"}
    assert config.config.cmd == ()
    assert config.platform == Platform("linux", "amd64")


def test_an_unknown_root_file_system_is_refused() -> None:
    with pytest.raises(DocumentError, match="unknown type `tree`"):
        ImageConfig.from_bytes(b'{"architecture":"amd64","os":"linux","rootfs":{"type":"tree"}}')


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"a":1,"a":2}', "appears twice"),
        (b'{"manifests":[],"x":NaN}', "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"manifests":[]}' + b" " * MAX_DOCUMENT_SIZE, "larger than 4 MiB"),
        (b'{"manifests":"\xff"}', "not valid JSON"),
        (b'{"manifests":[{"mediaType":"x","digest":"sha256:00","size":1}]}', "is not a digest"),
        (b'{"manifests":[{"mediaType":"x","digest":"sha256:%b","size":-1}]}' % (b"0" * 64), "malformed"),
        (
            b'{"manifests":[{"mediaType":"x","digest":"sha256:%b","size":99999999999999999999}]}' % (b"0" * 64),
            "malformed",
        ),
        (b"<html>", "not valid JSON"),
        (b"[]", "malformed"),
    ],
    ids=["twice", "nan", "deep", "large", "utf8", "digest", "negative", "huge", "html", "list"],
)
def test_what_is_not_a_strict_document_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        Index.from_bytes(raw)


@pytest.mark.parametrize(("data", "right"), [(None, True), (b"{}", True), (b"[]", False), (b"{} ", False)])
def test_content_that_stands_in_a_descriptor_is_that_of_its_digest(data: bytes | None, *, right: bool) -> None:
    manifest = Manifest(config=msgspec.structs.replace(EMPTY, data=data))
    config = Manifest.from_bytes(manifest.to_bytes()).config
    if right:
        assert config.embedded == data
        return
    with pytest.raises(IntegrityError, match="embedded content"):
        _ = config.embedded
