"""The forms that a layer can have besides the default, which `test_layer_writer.py` and its neighbours are about."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import sys
import tarfile
import zlib
from importlib import import_module
from typing import Any

import deflate
import pytest

from pycontainer.blobs import compression
from pycontainer.blobs.compression import open_decompressed
from pycontainer.errors import DocumentError, ToolError
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.forms import Compression
from pycontainer.layers.forms.spliced import CHUNK
from pycontainer.layers.member import SMALL, DeflatedMember
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.layers.splice import JOIN_MAX
from pycontainer.layers.writer import LayerWriter
from pycontainer.oci import Descriptor, Digest, media_types
from pycontainer.testing.estargz import read_estargz

# A change of any is a change of every image of that form: it needs another RECIPE_VERSION.
GOLDEN = {
    Compression.ESTARGZ: "sha256:b1a643156157a45a6407d242521056aee955867e182d4741af9a51f2e2e29b7a",
    Compression.ZSTD: "sha256:4ea93d88a3bf55d22183b2345acb7eb48ed92d36eaeaa9781e761f057d226115",
}
OTHERS = pytest.mark.parametrize("form", list(GOLDEN), ids=lambda form: form.value)


def text(size: int, seed: int = 0) -> bytes:
    numbers = random.Random(seed)  # noqa: S311 - not a secret
    words = b" ".join(b"name%d" % numbers.randrange(5000) for _ in range(20_000))
    return (words * (size // len(words) + 1))[:size]


def noise(size: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(size)


def contents() -> dict[str, bytes]:
    sizes = [0, 1, 512, SMALL, SMALL + 1, 300_000, JOIN_MAX + 1, CHUNK, CHUNK + 7]
    files = {f"d/text{size}": text(size) for size in sizes}
    files |= {f"d/noise{size}": noise(size) for size in (512, SMALL, SMALL + 1)}
    return files | {f"d/zeros{size}": bytes(size) for size in (512, SMALL + 1, 2 * CHUNK)}


def write(form: Compression, files: dict[str, bytes], make_member: Any) -> tuple[bytes, Descriptor, Digest]:
    """A layer of files, each as it comes and as a member of a wheel, stored and deflated."""
    sink = io.BytesIO()
    with LayerWriter(sink, compression=form) as writer:
        writer.directory("d", mode=0o700, uid=65532, gid=65533)
        for path, content in files.items():
            writer.stream(f"{path}.file", io.BytesIO(content), len(content), mode=0o4755, uid=7, gid=3_000_000)
            found = writer.deflated(f"{path}.deflated", make_member(content, level=1))
            assert found.sha256 == hashlib.sha256(content).digest()
            writer.deflated(f"{path}.stored", make_member(content, stored=True))
        writer.symlink("d/link", "/usr/bin/../größe")
        writer.hard_link("d/hard", "d/text1.deflated")
        writer.whiteout("d/gone")
        descriptor, diff_id = writer.finish()
    blob = sink.getvalue()
    assert (descriptor.digest, descriptor.size) == (Digest.of(blob), len(blob))
    return blob, descriptor, diff_id


@pytest.fixture(scope="module")
def written(make_member: Any) -> dict[Compression, tuple[bytes, Descriptor, Digest]]:
    """The same files in every form."""
    files = contents()
    return {form: write(form, files, make_member) for form in Compression}


@OTHERS
def test_every_form_holds_what_the_default_does(form: Compression, written: Any) -> None:
    blob, _, diff_id = written[form]
    tar = open_decompressed(io.BytesIO(blob)).read()
    default = open_decompressed(io.BytesIO(written[Compression.GZIP][0])).read()

    assert Digest.of(tar) == diff_id
    own = {".no.prefetch.landmark", "stargz.index.json"} if form is Compression.ESTARGZ else set()
    assert listing(tar).keys() - listing(default).keys() == own
    assert {name: entry for name, entry in listing(tar).items() if name not in own} == listing(default)


def listing(tar: bytes) -> dict[str, tuple[Any, ...]]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        return {
            member.name: (
                member.type,
                member.mode,
                member.uid,
                member.gid,
                member.mtime,
                member.linkname,
                hashlib.sha256(archive.extractfile(member).read()).digest() if member.isreg() else None,  # type: ignore[union-attr]
            )
            for member in archive
        }


def test_an_estargz_layer_can_be_read_file_by_file(written: Any) -> None:
    blob, descriptor, _ = written[Compression.ESTARGZ]
    found = read_estargz(blob, descriptor.annotations)

    assert descriptor.media_type == media_types.LAYER_GZIP
    ways = ("file", "deflated", "stored")
    assert found == {
        ".no.prefetch.landmark": b"\x0f",
        "d/.wh.gone": b"",
        **{f"{path}.{way}": content for path, content in contents().items() for way in ways},
    }


def test_streams_of_wheels_go_into_estargz_as_they_are(make_member: Any) -> None:
    """Compressing them again would take ten times as long."""
    member = make_member(text(2_000_000), level=1)
    sink = io.BytesIO()
    with LayerWriter(sink, compression=Compression.ESTARGZ) as writer:
        writer.deflated("large", member)
        writer.finish()
    assert bytes(member.data) in sink.getvalue()


@pytest.mark.parametrize("path", [".no.prefetch.landmark", "stargz.index.json"])
def test_estargz_refuses_files_in_the_place_of_its_own(path: str, make_member: Any) -> None:
    with LayerWriter(io.BytesIO(), compression=Compression.ESTARGZ) as writer:
        writer.file(f"app/{path}", b"")
        with pytest.raises(DocumentError, match="has one of its own"):
            writer.file(path, b"")
        with pytest.raises(DocumentError):
            writer.deflated(path, make_member(b"x"))


def test_a_zstd_layer_is_one_frame(written: Any) -> None:
    blob, descriptor, diff_id = written[Compression.ZSTD]
    assert descriptor.media_type == media_types.LAYER_ZSTD
    tar = import_module("zstandard").ZstdDecompressor().decompressobj().decompress(blob)
    assert Digest.of(tar) == diff_id


@OTHERS
@pytest.mark.parametrize("inflate_with", ["zlib", "isal.isal_zlib"])
def test_the_bytes_of_every_form_never_change(
    form: Compression, inflate_with: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What inflates gives pieces of other sizes; that must not be seen."""
    monkeypatch.setattr(compression, "_inflating_module", lambda: import_module(inflate_with))

    def same(content: bytes, *, stored: bool = False, **_: int) -> DeflatedMember:
        """zlib may differ from host to host, so that it is not asked."""
        data = content if stored else bytes(deflate.deflate_compress(content, 6))
        return DeflatedMember(data=data, method=0 if stored else 8, size=len(content), crc32=zlib.crc32(content))

    files = {f"d/text{size}": text(size) for size in (0, 1, 5000, 300_000, 3_000_000)} | {"d/zeros": bytes(5_000_000)}
    assert str(write(form, files, same)[1].digest) == GOLDEN[form]


@pytest.mark.parametrize("version", [(1, 5, 6), None])
def test_another_zstd_is_not_asked(version: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if version is None:
        monkeypatch.setitem(sys.modules, "zstandard", None)
    else:
        monkeypatch.setattr("zstandard.ZSTD_VERSION", version)
    with pytest.raises(ToolError, match="cannot be compressed with zstd") as caught:
        LayerWriter(io.BytesIO(), compression=Compression.ZSTD)
    assert "`pycontainer-core[zstd]`" in (caught.value.hint or "")


class Sample:
    key = recipe_key("sample", ["a"])
    title = "sample"

    def write(self, writer: LayerWriter) -> LayerContents:
        writer.file("a", b"content")
        return LayerContents(files=1)


def test_layers_of_several_forms_share_a_cache_and_are_never_taken_for_each_other(tmp_path: Any) -> None:
    caches = {form: LayerCache(tmp_path, form) for form in Compression}
    made = {form: cache.make(Sample()) for form, cache in caches.items()}

    assert len({record.key for record in made.values()}) == len({r.descriptor.digest for r in made.values()}) == 3
    assert made[Compression.GZIP].key == Sample.key, "the default's key is the recipe's: what is cached stays known"
    for form, cache in caches.items():
        assert cache.get(Sample.key) == cache.make(Sample()) == made[form]
    layer = caches[Compression.ESTARGZ].layer(made[Compression.ESTARGZ])
    assert read_estargz(layer.open().read(), layer.descriptor.annotations)["a"] == b"content"


@OTHERS
def test_memory_stays_small_whatever_the_size(form: Compression) -> None:
    class Largest:
        largest = 0

        def write(self, data: bytes | bytearray | memoryview, /) -> None:
            self.largest = max(self.largest, len(data))

    sink = Largest()
    with subprocess.Popen(["head", "-c", str(50 << 20), "/dev/zero"], stdout=subprocess.PIPE) as zeros:
        assert zeros.stdout is not None
        with LayerWriter(sink, compression=form) as writer:
            writer.stream("x", zeros.stdout, 50 << 20)
            for number in range(10_000):
                writer.symlink(f"link{number}", "x")
            writer.finish()
    assert sink.largest <= CHUNK + CHUNK // 100
