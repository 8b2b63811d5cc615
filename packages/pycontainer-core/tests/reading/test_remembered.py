"""A layer is read once; what is remembered of it says the same, and nothing that is wrong with it does any harm."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.errors import DocumentError
from pycontainer.image import Image
from pycontainer.layers.layer import Layer
from pycontainer.oci import Reference
from pycontainer.reading import ImageReader, Inspection, inspect
from pycontainer.reading import remembered as module
from pycontainer.reading.difference import compare_files
from pycontainer.reading.explain import explain, read_image
from pycontainer.reading.remembered import Readings
from pycontainer.testing.images import AMD64, File, debian_like, forge_image, forge_layer, forge_tar, layer_of_tar
from pycontainer.testing.registry import FakeRegistry
from pycontainer.transports.registry import RegistryClient


@dataclass
class Host:
    """A host with a cache, or none, and an image in a registry."""

    registry: FakeRegistry
    client: RegistryClient
    reference: str
    cache: Path | None
    heard: int = 0

    def reader(self) -> ImageReader:
        """That of another command."""
        return ImageReader(self.client, home=self.cache, platform=AMD64)

    def inspect(self, *, pull: bool = True) -> Inspection:
        """As `pycontainer inspect` does."""
        reader = self.reader()
        return inspect(reader, reader.open(self.reference), pull=pull)

    def pulled(self) -> list[str]:
        """The layers that were asked for since the last call."""
        layers = {str(layer.descriptor.digest) for layer in IMAGE.layers}
        requests = self.registry.requests
        asked = [each.path.rpartition("/")[2] for each in requests[self.heard :] if each.method == "GET"]
        self.heard = len(requests)
        return [digest for digest in asked if digest in layers]


IMAGE = debian_like().append([forge_layer([File("app/main.py", b"print()\n")])])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host whose cache is empty."""
    with FakeRegistry() as registry:
        client = RegistryClient()
        reference = Reference.parse(f"{registry.host}/acme/api:1")
        RegistryDestination(client, [reference]).write(IMAGE)
        (tmp_path / "cache").mkdir()
        host = Host(registry, client, str(reference), tmp_path / "cache")
        host.pulled()
        yield host
        client.close()


def kept(host: Host) -> list[Path]:
    assert host.cache is not None
    return sorted(path for path in host.cache.rglob("*") if path.is_file())


def test_a_layer_is_pulled_by_the_first_command_alone(host: Host) -> None:
    first = host.inspect()
    assert sorted(host.pulled()) == sorted(str(layer.descriptor.digest) for layer in IMAGE.layers)
    assert host.inspect() == first
    opened = host.reader().open(host.reference)
    again = explain(read_image(opened), "/etc/passwd")
    assert host.pulled() == []
    assert again == explain(
        read_image(ImageReader(host.client, home=None, platform=AMD64).open(host.reference)), "/etc/passwd"
    )


def test_what_is_remembered_is_known_without_pulling(host: Host) -> None:
    assert {layer.known for layer in host.inspect(pull=False).layers} == {"unknown"}
    whole = host.inspect()
    host.pulled()
    assert host.inspect(pull=False) == whole
    assert host.pulled() == []


def test_hashes_of_files_are_asked_for_once_and_answer_for_all(host: Host) -> None:
    host.inspect()
    host.pulled()
    for expected in (3, 0):
        reader = host.reader()
        one, other = reader.open(host.reference), reader.open(host.reference)
        assert len(one.readings.of(one.layers, hashed=True)) == 3
        assert len(host.pulled()) == expected
        assert all(reading and reading.hashed for reading in other.readings.of(other.layers))
    assert host.pulled() == []


def test_without_a_cache_one_command_reads_each_layer_once(host: Host) -> None:
    host.cache = None
    reader = host.reader()
    before, after = reader.open(host.reference), reader.open(host.reference)
    other = IMAGE.with_config(user="7")
    reference = Reference.parse(host.reference).with_tag("2")
    RegistryDestination(host.client, [reference]).write(other)
    host.pulled()
    after = reader.open(str(reference))
    assert compare_files(before, after) == ()
    assert inspect(reader, before).packages == inspect(reader, after).packages
    assert len(host.pulled()) == 3


def test_a_damaged_reading_is_read_again(host: Host) -> None:
    first = host.inspect()
    for path in kept(host):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    host.pulled()
    assert host.inspect() == first
    assert len(host.pulled()) == 3
    assert host.inspect() == first
    assert host.pulled() == []


def test_readings_of_another_version_are_not_believed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    first = host.inspect()
    host.pulled()
    monkeypatch.setattr(module, "_VERSION", 0)
    assert host.inspect() == first
    assert len(host.pulled()) == 3


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_folder_that_others_can_write_is_not_believed(host: Host) -> None:
    first = host.inspect()
    host.pulled()
    assert host.cache is not None
    (host.cache / "readings").chmod(0o777)
    assert host.inspect() == first
    assert len(host.pulled()) == 3


def test_where_nothing_can_be_kept_it_is_read_all_the_same(host: Host) -> None:
    assert host.cache is not None
    (host.cache / "readings").write_text("in the way")
    host.inspect()
    host.inspect()
    assert len(host.pulled()) == 6


def test_how_a_layer_is_compressed_does_not_count(tmp_path: Path) -> None:
    tar = forge_tar([File("a", b"x")])

    class Untouchable:
        descriptor = layer_of_tar(tar, compress=False).descriptor

        def open(self) -> io.BytesIO:
            raise AssertionError

    packed = layer_of_tar(tar)
    plain = Layer(blob=Untouchable(), diff_id=packed.diff_id, title="")
    first = Readings(tmp_path).of([packed])
    assert Readings(tmp_path).of([plain]) == first


def test_a_layer_whose_names_are_no_text_is_read_and_not_remembered(tmp_path: Path) -> None:
    layer = forge_layer([File(b"caf\xe9".decode("utf-8", "surrogateescape"))])
    [reading] = Readings(tmp_path).of([layer])
    assert reading is not None
    assert [os.fsencode(item.entry.path) for item in reading.entries] == [b"caf\xe9"]
    assert list(tmp_path.iterdir()) == []


def test_a_reading_that_no_record_can_hold_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = forge_layer([File("a", b"x")])
    monkeypatch.setattr(module, "MAX_CONTENT", 10)
    assert Readings(tmp_path).of([layer]) == Readings(None).of([layer])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("remembered", [False, True])
def test_all_layers_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, remembered: bool) -> None:
    layers = [forge_layer([File(f"{layer}{number}") for number in range(3)]) for layer in "ab"]
    if remembered:
        Readings(tmp_path).of(layers)
    monkeypatch.setattr(module, "MAX_ENTRIES", 5)
    with pytest.raises(DocumentError, match="entries"):
        Readings(tmp_path).of(layers)


def test_an_image_of_no_layers_has_no_readings(tmp_path: Path) -> None:
    image: Image = forge_image([])
    assert Readings(tmp_path).of(image.layers) == []
