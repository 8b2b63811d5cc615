"""Images are immutable: appending and configuring give new ones, and config and layers always agree."""

from __future__ import annotations

import json

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.errors import DocumentError
from pycontainer.image import Image, ImageIndex
from pycontainer.layers.layer import Layer
from pycontainer.oci import Digest, ImageConfig, media_types

BARE = Image(config=ImageConfig(architecture="amd64", os="linux"))


def layer(content: bytes, media_type: str = media_types.LAYER_GZIP) -> Layer:
    return Layer(
        blob=BytesBlob.of(content, media_type), diff_id=Digest.of(b"tar of " + content), title=content.decode()
    )


def test_appending_gives_a_new_image_with_history_and_diff_ids() -> None:
    image = BARE.append([layer(b"one"), layer(b"two")], created="1970-01-01T00:00:00Z")
    assert BARE.layers == ()
    assert image.config.rootfs.diff_ids == (Digest.of(b"tar of one"), Digest.of(b"tar of two"))
    assert [line.comment for line in image.config.history] == ["one", "two"]
    assert [entry.digest for entry in image.manifest.layers] == [Digest.of(b"one"), Digest.of(b"two")]


def test_layers_of_dockers_media_type_get_their_oci_name_and_keep_their_bytes() -> None:
    image = BARE.append([layer(b"one", media_types.DOCKER_LAYER_GZIP)])
    assert image.manifest.layers[0].media_type == media_types.LAYER_GZIP
    assert image.manifest.layers[0].digest == Digest.of(b"one")


def test_config_and_layers_that_disagree_are_refused() -> None:
    with pytest.raises(DocumentError, match="do not agree"):
        Image(config=BARE.config, layers=(layer(b"one"),))


def test_execution_parameters_land_in_the_config_document() -> None:
    image = BARE.with_config(user="65532:65532", entrypoint=("python",), created="2024-01-01T00:00:00Z")
    document = json.loads(image.config_blob.content)
    assert document["config"] == {"Entrypoint": ["python"], "User": "65532:65532"}
    assert document["created"] == "2024-01-01T00:00:00Z"


def test_an_index_names_every_image_with_its_platform() -> None:
    arm = Image(config=ImageConfig(architecture="arm64", os="linux", variant="v8"))
    index = ImageIndex(images=(BARE, arm), annotations={"a": "b"})
    document = json.loads(index.index.to_bytes())
    assert [entry["digest"] for entry in document["manifests"]] == [str(BARE.digest), str(arm.digest)]
    assert document["manifests"][1]["platform"] == {"architecture": "arm64", "os": "linux", "variant": "v8"}
    assert index.digest == Digest.of(index.index.to_bytes())
