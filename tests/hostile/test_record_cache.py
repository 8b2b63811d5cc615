"""Record caches that lie, break, or are not there.

Promise: no build fails because of one, and no image is another one for what can be verified: size and digest always,
diff_id wherever the bytes pass, and the bytes themselves where they are made here to compare them.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machines import CACHE, Machines, came, records_of

from pycontainer.builder import shared
from pycontainer.errors import IntegrityError
from pycontainer.oci import Reference
from pycontainer.testing.registry import Answer, Corrupt, Effect, FakeRegistry, Fault, Reset, Stall
from pycontainer.transports.record_cache import RecordCache
from pycontainer.transports.registry import RegistryClient


def test_a_record_of_other_bytes_than_the_recipe_gives_is_found_out(machine: Machines, elsewhere: FakeRegistry) -> None:
    alone = machine("a", cache_registry=None)
    first = alone.push()
    _forge_local_record(alone.home, "project files")
    result = alone.push(to=elsewhere)
    assert result.digest == first.digest
    assert any("The record of the layer `project files` was wrong" in warning for warning in alone.warnings)


@pytest.mark.parametrize("method", ["GET", "HEAD"])  # it is read with the one, and written after the other
@pytest.mark.parametrize(
    "effect", [Answer(status=401), Answer(status=403), Answer(status=500), Answer(status=418), Reset(answer=True)]
)
def test_a_cache_that_does_not_work_fails_no_build(
    machine: Machines, registry: FakeRegistry, effect: Effect, method: str
) -> None:
    without = machine("z", cache_registry=None).push()
    registry.faults.add(Fault(effect=effect, path=f"/v2/{CACHE}/", method=method, times=None))
    new = machine("a")
    result = new.push("acme/app:2")
    assert result.digest == without.digest
    assert len(new.warnings) <= 1
    assert all(f"{registry.host}/{CACHE}" in warning for warning in new.warnings)


def test_a_cache_that_is_away_fails_no_build(machine: Machines) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening, so that nobody else gets the port
        new = machine("a", cache_registry=f"127.0.0.1:{nobody.getsockname()[1]}/{CACHE}")
        new.push()
    assert len(new.warnings) == 1
    assert "cannot be read" in new.warnings[0]


@pytest.mark.parametrize("within", [False, True])
def test_a_cache_that_is_slow_is_not_waited_for(
    machine: Machines, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, *, within: bool
) -> None:
    machine("a").push()
    monkeypatch.setattr(shared, "_PATIENCE", 0.1)
    registry.faults.add(Fault(effect=Stall(seconds=600, within=within), method="GET", path=f"/v2/{CACHE}/", times=None))
    new = machine("b")
    new.push("acme/app:2")
    assert len(new.warnings) == 1
    assert "cannot be read" in new.warnings[0]


def test_a_layer_of_a_base_that_breaks_on_its_way_is_not_pushed(
    machine: Machines, registry: FakeRegistry, elsewhere: FakeRegistry
) -> None:
    machine("a").push()
    registry.faults.add(Fault(effect=Corrupt(flip=True), method="GET", path="/v2/python/blobs/", skip=1, times=None))
    with pytest.raises(IntegrityError):
        machine("b").push(to=elsewhere)
    assert elsewhere.store.repository("acme/app").tags == {}


def test_a_layer_that_breaks_on_its_way_from_the_cache_is_made_here(
    machine: Machines, registry: FakeRegistry, elsewhere: FakeRegistry
) -> None:
    first = machine("a").push()
    registry.faults.add(Fault(effect=Corrupt(flip=True), method="GET", path=f"/v2/{CACHE}/blobs/", times=None))
    new = machine("b")
    assert new.push(to=elsewhere).digest == first.digest
    assert set(new.wheels) == {"large", "small"}
    assert any("`large 1.0` of the cache was damaged" in warning for warning in new.warnings)


Change = Callable[[dict[str, Any], dict[str, Any]], object]


def _set(**values: Any) -> Change:
    return lambda record, _: record.update(values)


def _descriptor(**values: Any) -> Change:
    return lambda record, _: record["descriptor"].update(values)


def _manifest(change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda _, manifest: change(manifest)


OTHER = f"sha256:{'0' * 64}"
TAMPERED: dict[str, Change] = {
    "another digest": _descriptor(digest=OTHER),
    "another size": _descriptor(size=1),
    "a negative size": _descriptor(size=-1),
    "another media type": _descriptor(mediaType="text/html"),
    "another key": _set(key="0" * 64),
    "no diff_id": _set(diff_id=None),
    "a digest that is a path": _descriptor(digest="sha256:../../etc/passwd"),
    "a record that is huge": _set(title="x" * (5 << 20)),
    "another artifact": _manifest(lambda manifest: manifest.update(artifactType="application/other")),
    "no layer": _manifest(lambda manifest: manifest.update(layers=manifest["layers"] * 2)),
    "embedded content of another digest": _manifest(lambda manifest: manifest["config"].update(data="e30=")),
    "another type of record": _manifest(lambda manifest: manifest["config"].update(mediaType="application/json")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_record_that_is_not_what_was_asked_for_is_passed_over(
    machine: Machines, registry: FakeRegistry, what: str
) -> None:
    first = machine("a").push()
    _tamper(registry, "project files", TAMPERED[what])
    new = machine("b")
    result = new.push("acme/app:2")
    assert result.digest == first.digest
    assert came(result)["project files"] == "made"
    assert len(new.warnings) == 1
    assert f"A record of the cache `{registry.host}/{CACHE}` was passed over" in new.warnings[0]
    healed = machine("c")
    assert (came(healed.push("acme/app:3"))["project files"], healed.warnings) == ("record", [])


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"libraries": 1}', b'{"python": "3.12"}'])
def test_facts_that_nobody_can_read_are_found_out_here(
    machine: Machines, registry: FakeRegistry, content: bytes
) -> None:
    first = machine("a").push()
    records = RecordCache(RegistryClient(), Reference.parse(f"{registry.host}/{CACHE}"))
    [name] = [tag for tag in registry.store.repository(CACHE).tags if tag.startswith("facts-")]
    records.push_document(name, content)
    assert machine("b").push("acme/app:2").digest == first.digest


def test_a_record_adds_nothing_to_the_image_but_its_layer(machine: Machines, registry: FakeRegistry) -> None:
    first = machine("a").push()
    noise = {"annotations": {"a": "b"}, "urls": ["https://elsewhere.example/"], "data": "e30="}
    _tamper(registry, "project files", _descriptor(**noise))
    _tamper(registry, "small 1.0", _set(title="another title"))
    second = machine("b").push("acme/app:2")
    assert came(second)["small 1.0"] == came(second)["project files"] == "record"
    assert second.digest == first.digest


def test_a_wrong_diff_id_is_found_as_soon_as_the_bytes_pass(
    machine: Machines, registry: FakeRegistry, tmp_path: Path
) -> None:
    first = machine("a").push()
    _tamper(registry, "large 1.0", _set(diff_id=OTHER))
    new = machine("b")
    result = new.build(output=f"oci-archive:{tmp_path / 'image.tar'}")
    assert result.digest == first.digest
    assert any("The record of the layer `large 1.0` was wrong" in warning for warning in new.warnings)


def test_whoever_can_write_the_cache_can_write_layers_and_only_making_them_tells(
    machine: Machines, registry: FakeRegistry
) -> None:
    """The limit of what can be verified, as the documentation states it."""
    first = machine("a").push()
    _poison(registry, "small 1.0", "large 1.0")
    assert machine("b").push("acme/app:2").digest != first.digest
    with pytest.raises(IntegrityError, match="has other layers than were made here") as caught:
        machine("c").push("acme/app:3", verify_cache=True)
    assert any("small 1.0" in fact for fact in caught.value.facts)
    assert "3" not in registry.store.repository("acme/app").tags


def test_a_cache_that_is_verified_and_right_changes_nothing(machine: Machines) -> None:
    first = machine("a").push()
    new = machine("b")
    second = new.push(verify_cache=True)
    assert second.digest == first.digest
    assert sorted(new.wheels) == ["large", "small"]
    assert set(came(second).values()) == {"made"}
    assert new.warnings == []


def _tag_of(registry: FakeRegistry, title: str) -> str:
    return next(tag for tag, record in records_of(registry).items() if json.loads(record)["title"] == title)


def _tamper(registry: FakeRegistry, title: str, change: Change) -> None:
    """Put something else in the place of a record, as whoever can write to the cache can."""
    tag = _tag_of(registry, title)
    repository = registry.store.repository(CACHE)
    manifest = json.loads(repository.manifests[repository.tags[tag]][1])
    record = json.loads(records_of(registry)[tag])
    before = json.dumps(record)
    change(record, manifest)
    if json.dumps(record) != before:
        content = json.dumps(record).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        repository.blobs[digest] = content
        manifest["config"] = {**manifest["config"], "digest": digest, "size": len(content)}
        del manifest["config"]["data"]
    _put(registry, tag, manifest)


def _poison(registry: FakeRegistry, title: str, other: str) -> None:
    """Let a record tell of the layer of another one, consistently."""
    told = json.loads(records_of(registry)[_tag_of(registry, other)])
    layer = {name: told["descriptor"][name] for name in ("mediaType", "digest", "size")}

    def change(record: dict[str, Any], manifest: dict[str, Any]) -> None:
        record.update(descriptor=told["descriptor"], diff_id=told["diff_id"])
        manifest["layers"] = [layer]

    _tamper(registry, title, change)


def _put(registry: FakeRegistry, tag: str, manifest: dict[str, Any]) -> None:
    repository = registry.store.repository(CACHE)
    content = json.dumps(manifest).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    repository.manifests[digest] = (manifest["mediaType"], content)
    repository.tags[tag] = digest


def _forge_local_record(home: Path, title: str) -> None:
    """Let a record of this host tell of a layer that its recipe does not give, and that is not there."""
    for path in home.glob("layers/records/*.json"):
        _, _, content = path.read_bytes().partition(b"\n")
        record = json.loads(content)
        if record.get("title") == title:
            record["descriptor"]["digest"] = OTHER
            content = json.dumps(record).encode()
            path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    for path in home.glob("layers/blobs/*/*"):
        path.unlink()
