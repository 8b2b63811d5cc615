"""What the image-spec requires is written, although it is a default."""

import json

from pycontainer.oci import Descriptor, Digest, ImageConfig, Index, Manifest, media_types

EMPTY = Descriptor(media_type=media_types.EMPTY, digest=Digest.of(b"{}"), size=2)


def test_a_manifest_is_written_with_schema_version_media_type_and_layers() -> None:
    written = json.loads(Manifest(config=EMPTY).to_bytes())
    assert written == {
        "schemaVersion": 2,
        "mediaType": media_types.MANIFEST,
        "config": {"mediaType": media_types.EMPTY, "digest": str(EMPTY.digest), "size": 2},
        "layers": [],
    }


def test_an_index_is_written_with_schema_version_and_media_type() -> None:
    written = json.loads(Index(manifests=()).to_bytes())
    assert written == {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": []}


def test_a_config_is_written_with_its_root_file_system() -> None:
    written = json.loads(ImageConfig(architecture="amd64", os="linux").to_bytes())
    assert written["rootfs"] == {"type": "layers", "diff_ids": []}
