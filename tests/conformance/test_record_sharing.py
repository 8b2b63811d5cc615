"""A record cache in a registry: what one machine has made, no other has to make, to fetch or to send.

Promise: a machine that has nothing but the project moves what has changed and nothing else, and its image is the same.
Nothing that is wrong with the cache fails a build.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from bench_debian import ARM64, LIBC, DebianBench, bookworm_like, python_package
from machines import CACHE, LARGE, RECORDS, VERSION, Machine, Machines, came, lock_wheels, put_base, records_of

from pycontainer.builder import BuildResult
from pycontainer.builder.locker import ImageLocker
from pycontainer.config import BuildConfig
from pycontainer.errors import WheelError
from pycontainer.image import ImageIndex
from pycontainer.testing.debs import DebForge
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.testing.wheels import WheelForge


def moved(result: BuildResult) -> set[str]:
    return {how for layer in result.ledger.layers for how in layer.moved}


def test_a_new_machine_with_the_same_project_moves_manifests_only(machine: Machines, registry: FakeRegistry) -> None:
    first = machine("a").push()
    new = machine("b")
    second = new.push("acme/other:1")
    assert second.digest == first.digest
    assert new.wheels == []
    assert new.layers_kept == 0, "neither a layer nor one of the base has touched this disk"
    assert set(came(second).values()) == {"record"}
    assert moved(second) == {"mounted"}
    config = second.images[0].config_blob.descriptor.size
    assert second.ledger.moved == second.ledger.uploaded == config
    assert 0 < first.ledger.shared < 10_000, "layers were mounted"
    assert second.ledger.shared == 0
    assert str(second.ledger).startswith("moved 1.")
    assert [item.path for item in registry.asked("GET", "/blobs/")] == [
        f"/v2/python/blobs/{_config_of(registry, 'python', 'slim')}"
    ]
    assert new.push("acme/other:1").ledger.moved == 0


def test_one_changed_file_moves_one_layer(machine: Machines, shared_project: Bench) -> None:
    machine("a").push()
    shared_project.write("main.py", "print('changed')\n")
    new = machine("b")
    result = new.push()
    assert came(result).pop("project files") == "made"
    assert set(came(result).values()) == {"record", "made"}
    assert new.wheels == []
    own = next(layer for layer in result.ledger.layers if layer.title == "project files")
    assert result.ledger.made == own.size
    assert result.ledger.moved == own.size + result.images[0].config_blob.descriptor.size
    assert machine("c").push().ledger.made == 0, "the third machine has it from the second"


def test_an_upgraded_dependency_is_the_only_one_that_is_fetched(machine: Machines, shared_project: Bench) -> None:
    """Nobody opens the others to look for files that two of them bring."""
    machine("a").push()
    lock_wheels(shared_project, "2.0")
    new = machine("b")
    assert came(new.push())["large 1.0"] == "record"
    assert new.wheels == ["small"]


def test_two_packages_with_one_file_are_still_found_out(machine: Machines, shared_project: Bench) -> None:
    machine("a").push()
    lock_wheels(shared_project, "2.0", large__data=b"", large__other=b"")
    machine("b").push()
    shared_project.locked.clear()
    shared_project.lock_forge(WheelForge(name="large", files={"large/data.bin": LARGE, "large/other.py": b"mine"}))
    shared_project.lock_forge(
        WheelForge(name="small", version="2.0", files={"small/__init__.py": b"", "large/other.py": b""})
    )
    new = machine("c")
    new.push()
    assert any("`/app/.venv/" in warning and "large/other.py" in warning for warning in new.warnings)
    with pytest.raises(WheelError, match="different files of the same path"):
        machine("d").push(strict=True)


def test_bytes_of_known_layers_come_from_the_cache_where_somebody_wants_them(
    machine: Machines, elsewhere: FakeRegistry, tmp_path: Path
) -> None:
    first = machine("a").push()
    new = machine("b")
    layout = new.build(output=f"oci:{tmp_path / 'layout'}")
    assert layout.digest == first.digest
    assert new.wheels == []
    assert came(layout)["large 1.0"] == "record"
    other = machine("c")
    result = other.push(to=elsewhere)
    assert result.digest == first.digest
    assert other.wheels == []
    assert other.layers_kept < len(result.ledger.layers), "what only passes through is not kept"
    assert not any(path.stat().st_size > len(LARGE) for path in other.home.rglob("*"))
    streamed = {layer.title for layer in result.ledger.layers if layer.moved == ("streamed",)}
    assert {"large 1.0", "127.0.0.1"} <= {title.partition(":")[0] for title in streamed}
    assert result.ledger.streamed > len(LARGE)


def test_a_layer_that_has_left_this_host_is_made_again_only_where_it_is_missing(
    machine: Machines, elsewhere: FakeRegistry
) -> None:
    alone = machine("a", cache_registry=None)
    first = alone.push()
    for path in [*alone.home.glob("layers/blobs/*/*"), *alone.home.glob("wheels/blobs/*/*")]:
        path.unlink()
    again = alone.push()
    assert (again.digest, alone.wheels, again.ledger.moved) == (first.digest, [], 0)
    assert set(came(again).values()) == {"record"}
    other = alone.push(to=elsewhere)
    assert other.digest == first.digest
    assert sorted(alone.wheels) == ["large", "small"]
    assert set(came(other).values()) == {"made"}


def test_bytecode_is_known_like_any_other_layer(machine: Machines, shared_project: Bench) -> None:
    first = machine("a").push(compile_bytecode=True)
    new = machine("b")
    second = new.push(compile_bytecode=True)
    assert (second.digest, new.wheels, set(came(second).values())) == (first.digest, [], {"record"})
    shared_project.write("main.py", "print('changed')\n")
    third = machine("c")
    assert came(third.push(compile_bytecode=True))["bytecode of 2 packages"] == "record"
    assert third.wheels == []


COMPOSED = {"base_image": "deb:bookworm", "base_packages": ["python3.11-minimal", "libc6"], "os_packages": ["libdemo1"]}
ADDED = {"os_packages": ["demo-tools"]}


@pytest.mark.parametrize("options", [COMPOSED, ADDED], ids=["composed", "added"])
def test_operating_system_packages_are_known_too(
    debian: DebianBench, registry: FakeRegistry, options: dict[str, Any]
) -> None:
    """With a lock, a new machine asks neither the archive nor the base's layers for anything."""
    put_base(registry, bookworm_like())
    debian.archive.add(python_package())
    debian.archive.add(DebForge(name="libc6", version=LIBC, files={"usr/share/libc": b"libc\n"}))
    debian.archive.publish()
    archive = {"os_archive": [debian.archive.uri], "os_keyring": debian.keyring}
    home, project = debian.bench.root.parent, debian.bench
    first, second = (
        Machine(home=home / name, project=project, registry=registry, options={**archive, **options})
        for name in ("first", "second")
    )
    ImageLocker(BuildConfig(**first.given())).lock()
    made = first.push(locked=True)
    debian.archive.requests.clear()
    known = second.push(locked=True)
    assert known.digest == made.digest
    assert debian.archive.requests == []
    assert set(came(known).values()) == {"record"}
    assert second.layers_kept == 0


def test_several_platforms_share_what_they_can(machine: Machines, registry: FakeRegistry) -> None:
    put_base(registry, ImageIndex(images=(debian_like(VERSION), debian_like(VERSION, platform=ARM64))))
    both = ["linux/amd64", "linux/arm64"]
    first = machine("a").push(platform=both)
    new = machine("b")
    second = new.push(platform=both)
    assert (second.digest, new.wheels) == (first.digest, [])
    asked = [item.path for item in registry.asked("GET", RECORDS)]
    assert len(asked) == len(set(asked)), "a record of both is asked for once"


@pytest.mark.parametrize(
    "rules",
    [
        Rules(mounts=False),
        Rules(mounts=False, mount_refusal=401),
        Rules(digest_headers=False, relative_locations=True),
        Rules(immutable_tags=True),
        Rules(ranges=False, chunks=False),
    ],
)
def test_any_registry_will_do(machine: Machines, registry: FakeRegistry, rules: Rules) -> None:
    registry.rules = rules
    first = machine("a").push()
    new = machine("b")
    second = new.push("acme/app:2")
    assert (second.digest, new.wheels, new.warnings) == (first.digest, [], [])
    assert set(came(second).values()) == {"record"}


def test_whoever_only_reads_puts_nothing_there(machine: Machines, registry: FakeRegistry) -> None:
    machine("a", cache_read_only=True).push()
    assert [item.method for item in registry.requests if CACHE in item.path and item.method != "GET"] == []
    assert CACHE not in registry.store.repositories or not registry.store.repository(CACHE).tags


def test_what_was_told_by_a_cache_counts_only_while_it_is_used(machine: Machines, registry: FakeRegistry) -> None:
    machine("a").push()
    new = machine("b")
    new.push()
    assert set(came(new.push()).values()) == {"record"}
    assert registry.asked("GET", f"/v2/{CACHE}/") == [], "the second build knows it by itself"
    alone = new.push(cache_registry=None)
    assert set(came(alone).values()) == {"made"}
    assert machine("c").push(cache=False).ledger.recorded == 0
    assert registry.asked("GET", f"/v2/{CACHE}/") == [], "no cache is none at all"


def test_records_tell_what_is_in_layers(machine: Machines) -> None:
    bills = [machine(name).push(generate_sbom="spdx").sboms[0].read_bytes() for name in ("a", "b")]
    assert bills[0] == bills[1]


def test_records_tell_nothing_of_the_host(machine: Machines, registry: FakeRegistry, tmp_path: Path) -> None:
    machine("a").push()
    told = b"".join(content for _, content in registry.store.repository(CACHE).manifests.values())
    told += b"".join(records_of(registry).values())
    for secret in (str(tmp_path), machine("a").project.index.url, "root@"):
        assert secret.encode() not in told


def test_the_result_for_programs_has_the_ledger(machine: Machines) -> None:
    result = machine("a").push()
    ledger = result.to_json()["ledger"]
    assert ledger["downloaded"] > len(LARGE)
    assert {"made", "reused", "recorded", "mounted", "streamed", "uploaded", "moved", "total"} <= ledger.keys()
    own = next(layer for layer in ledger["layers"] if layer["title"] == "large 1.0")
    assert (own["came"], own["moved"]) == ("made", ["uploaded"])


def _config_of(registry: FakeRegistry, name: str, tag: str) -> str:
    repository = registry.store.repository(name)
    return str(json.loads(repository.manifests[repository.tags[tag]][1])["config"]["digest"])
