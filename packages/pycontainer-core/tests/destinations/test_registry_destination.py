"""An image in a registry: all of it, once, in the right order, or not named at all."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import random
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from pycontainer.destinations.attachments import list_attachments
from pycontainer.destinations.destination import Moved
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.errors import ConfigError, DeniedError, IntegrityError, PyContainerError
from pycontainer.events import Event, TaskFinished, Verb
from pycontainer.image import Image, ImageIndex
from pycontainer.layers.layer import Layer
from pycontainer.oci import Descriptor, Digest, ImageConfig, Reference, RootFS, media_types
from pycontainer.testing.registry import (
    Answer,
    Corrupt,
    Effect,
    FakeRegistry,
    Fault,
    LoseAnswer,
    Reset,
    Rules,
)
from pycontainer.testing.registry.conformance import make_attachment, make_image
from pycontainer.testing.registry.store import Repository
from pycontainer.transports.http import HttpSettings, RetryPolicy, Timeouts
from pycontainer.transports.registry import Credential, RegistryClient, RegistrySettings
from pycontainer.transports.secrets import Redacted
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pycontainer.blobs.blob import Blob

HTTP = HttpSettings(environment={}, retries=RetryPolicy(count=3, base=0.0005))
SETTINGS = RegistrySettings(http=HTTP, environment={}, home=None)
# For servers that stop in the middle of an answer. Where none does, a machine that stands still is no such server.
IMPATIENT = replace(SETTINGS, http=replace(HTTP, timeouts=Timeouts(connect=2, read=0.4, progress=0.4)))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        yield made


def named(registry: FakeRegistry, text: str = "acme/api:1") -> Reference:
    return Reference.parse(f"{registry.host}/{text}")


def index_of(*architectures: str) -> ImageIndex:
    return ImageIndex(images=tuple(make_image(2000, 3000, architecture=name) for name in architectures))


class TestOrder:
    def test_blobs_children_index_and_names_in_this_order(self, registry: FakeRegistry) -> None:
        image = index_of("amd64", "arm64")
        references = [named(registry, "acme/api:1"), named(registry, "acme/api:latest")]
        written = RegistryDestination(RegistryClient(SETTINGS), references).write(image)
        puts = [item for item in registry.requests if item.method == "PUT"]
        kinds = ["blob" if "/blobs/" in item.path else item.path.rpartition("/")[2] for item in puts]
        children = [str(child.digest) for child in image.images]
        assert kinds == ["blob"] * 6 + [*children, str(image.digest), "1", "latest"]
        configs = {str(child.config_blob.descriptor.digest) for child in image.images}
        assert configs < {item.query.rpartition("digest=")[2] for item in puts[:6]}
        assert written.digest == image.digest
        assert written.reference == f"{registry.host}/acme/api@{image.digest}"
        assert written.moved == written.total == 2 * 5000 + sum(len(c.config_blob.content) for c in image.images)

    def test_what_is_attached_goes_before_the_name(self, registry: FakeRegistry) -> None:
        image = make_image(2000).with_attachments([make_attachment(1), make_attachment(2)])
        reference = named(registry)
        written = RegistryDestination(RegistryClient(SETTINGS), [reference]).write(image)
        puts = [item.path.rpartition("/")[2] for item in registry.requests if item.method == "PUT"]
        attached = list_attachments(RegistryClient(SETTINGS), reference, written.digest)
        assert puts.index(str(image.digest)) < min(puts.index(str(entry.digest)) for entry in attached)
        assert (len(attached), puts[-1]) == (2, "1")

    def test_each_layer_goes_once(self, registry: FakeRegistry) -> None:
        shared = make_image(5000).layers[0]
        images = []
        for name in ("amd64", "arm64"):
            config = ImageConfig(architecture=name, os="linux", rootfs=RootFS(diff_ids=(shared.diff_id,) * 2))
            images.append(Image(config=config, layers=(shared, shared)))
        RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(ImageIndex(images=tuple(images)))
        assert len(registry.asked("PUT", str(shared.descriptor.digest))) == 1

    def test_what_is_there_is_not_moved(self, registry: FakeRegistry) -> None:
        image = make_image(1000, 2000)
        events: list[Event] = []
        client = RegistryClient(SETTINGS, emit=events.append)
        RegistryDestination(client, [named(registry)]).write(image)
        events.clear()
        before = len(registry.requests)
        written = RegistryDestination(client, [named(registry)]).write(image)
        assert written.moved == 0
        # Of each blob whether it is there, and of the name what it names: that tells of the manifest, too.
        asked = sorted((item.method, item.path.split("/")[4]) for item in registry.requests[before:])
        assert asked == [("GET", "manifests"), *[("HEAD", "blobs")] * 3]
        finished = [event for event in events if isinstance(event, TaskFinished)]
        assert len(finished) == 3
        assert all(event.reused for event in finished)

    def test_layers_of_a_base_in_the_same_registry_are_mounted(self, registry: FakeRegistry) -> None:
        client = RegistryClient(SETTINGS)
        base = named(registry, "library/python:3")
        image = make_image(4000, origin=base)
        RegistryDestination(client, [base]).write(image)
        events: list[Event] = []
        client = RegistryClient(SETTINGS, emit=events.append)
        unreadable = replace(image, layers=(replace(image.layers[0], blob=_Unreadable(image.layers[0].descriptor)),))
        written = RegistryDestination(client, [named(registry)]).write(unreadable)
        assert written.moved == len(image.config_blob.content)
        assert any(isinstance(event, TaskFinished) and event.verb is Verb.MOUNT for event in events)

    def test_layers_their_makers_host_are_not_uploaded(self, registry: FakeRegistry) -> None:
        foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        descriptor = Descriptor(media_type=foreign, digest=Digest.of(b"x"), size=1, urls=("https://cdn.example/x",))
        diff_id = Digest.of(b"tar")
        layer = Layer(blob=_Unreadable(descriptor), diff_id=diff_id, title="windows")
        config = ImageConfig(architecture="amd64", os="windows", rootfs=RootFS(diff_ids=(diff_id,)))
        RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(Image(config=config, layers=(layer,)))
        assert not [item for item in registry.requests if str(descriptor.digest) in item.target]

    def test_several_repositories_and_registries_are_named_after_all_have_it(self, registry: FakeRegistry) -> None:
        with FakeRegistry() as second:
            image = make_image(1000)
            references = [named(registry, "a/x:1"), named(registry, "b/y:2"), named(second, "c/z:3")]
            written = RegistryDestination(RegistryClient(SETTINGS), references).write(image)
            assert written.moved == 2 * written.total  # the second repository takes all from the first
            for server, name, tag in ((registry, "a/x", "1"), (registry, "b/y", "2"), (second, "c/z", "3")):
                assert server.store.repository(name).tags == {tag: str(image.digest)}

    def test_a_name_without_tag_is_latest(self, registry: FakeRegistry) -> None:
        image = make_image(10)
        RegistryDestination(RegistryClient(SETTINGS), [named(registry, "acme/api")]).write(image)
        assert registry.store.repository("acme/api").tags == {"latest": str(image.digest)}

    def test_a_name_is_needed(self) -> None:
        with pytest.raises(ConfigError):
            RegistryDestination(RegistryClient(SETTINGS), [])


class TestAhead:
    def test_layers_may_go_before_their_image_is_made(self, registry: FakeRegistry) -> None:
        image = make_image(1000, 2000)
        with RegistryDestination(RegistryClient(SETTINGS), [named(registry)]) as destination:
            for layer in image.layers:
                destination.begin(layer)
            _eventually(lambda: len(registry.store.repository("acme/api").blobs) == 2)
            assert not registry.asked("PUT", "/manifests/")
            written = destination.write(image)
        assert written.moved == written.total == 3000 + len(image.config_blob.content)
        assert set(written.blobs.values()) == {Moved.UPLOADED}
        assert len(registry.asked("HEAD", "/blobs/")) == 3, "each blob is asked for once"
        assert registry.store.repository("acme/api").tags == {"1": str(image.digest)}

    def test_an_image_that_does_not_come_has_no_name_and_ends_what_was_begun(self, registry: FakeRegistry) -> None:
        layer = make_image(4_000_000).layers[0]
        opened = threading.Event()

        class Waiting:
            descriptor = layer.descriptor

            def open(self) -> BinaryIO:
                opened.set()
                pushes = destination._pushes
                _eventually(lambda: pushes is not None and pushes._failure is not None)  # nobody wants it any more
                return layer.open()

        with RegistryDestination(RegistryClient(SETTINGS), [named(registry)]) as destination:
            destination.begin(replace(layer, blob=Waiting()))
            assert opened.wait(60)
        assert registry.hears("PUT")
        assert registry.store.repository("acme/api") == Repository()
        assert not [each for each in threading.enumerate() if each.name.startswith("push")]

    def test_whoever_makes_layers_hears_that_pushing_has_failed(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="POST", path="/blobs/uploads/", effect=Answer(status=403), times=None))
        image = make_image(1000, 2000)
        with RegistryDestination(RegistryClient(SETTINGS), [named(registry)]) as destination:
            destination.begin(image.layers[0])
            assert registry.hears("POST")
            with pytest.raises(DeniedError):  # noqa: PT012 - it is heard when the answer was read
                while True:
                    destination.begin(image.layers[0])
            with pytest.raises(DeniedError):
                destination.write(image)
        assert not registry.asked("PUT")


def _eventually(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestAllOrNothing:
    @pytest.mark.parametrize("path", ["/blobs/uploads/", "/manifests/sha256", "/manifests/1"])
    def test_no_name_points_to_an_incomplete_image(self, registry: FakeRegistry, path: str) -> None:
        registry.faults.add(Fault(method="PUT", path=path, effect=Answer(status=403), times=None))
        with pytest.raises(DeniedError):
            RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(index_of("amd64", "arm64"))
        assert not registry.store.repository("acme/api").tags

    def test_the_first_failure_stops_the_others(self, registry: FakeRegistry) -> None:
        image = make_image(*[1000] * 40)
        registry.faults.add(Fault(method="PUT", effect=Answer(status=403), times=None))
        with pytest.raises(DeniedError):
            RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(image)
        assert len(registry.asked("PUT")) <= SETTINGS.jobs, "those that run when the first one fails are the last"

    def test_a_name_that_is_not_what_was_pushed_is_caught(self, registry: FakeRegistry) -> None:
        other = make_image(10)
        client = RegistryClient(SETTINGS)
        RegistryDestination(client, [named(registry, "acme/api:other")]).write(other)
        raw = other.manifest.to_bytes()
        effect = Answer(status=200, body=raw, headers={"Content-Type": media_types.MANIFEST})
        registry.faults.add(Fault(method="GET", path="/manifests/1", skip=1, effect=effect))
        with pytest.raises(IntegrityError, match="is not what was pushed"):
            RegistryDestination(client, [named(registry)]).write(make_image(20))

    def test_immutable_tags_can_be_pushed_again(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(immutable_tags=True)
        image = make_image(10)
        for _ in range(2):
            RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(image)
        with pytest.raises(PyContainerError, match="did not take"):
            RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(make_image(20))

    def test_blobs_move_in_parallel(self, registry: FakeRegistry) -> None:
        """None of eight is sent before all of them are opened."""
        image, opened, all_are = make_image(*[100] * 8), set[Digest](), threading.Event()

        class Waiting:
            def __init__(self, blob: Blob) -> None:
                self.descriptor, self._blob = blob.descriptor, blob

            def open(self) -> BinaryIO:
                opened.add(self.descriptor.digest)
                if len(opened) == 8:
                    all_are.set()
                assert all_are.wait(60), "the others wait for this one"
                return self._blob.open()

        image = replace(image, layers=tuple(replace(layer, blob=Waiting(layer.blob)) for layer in image.layers))
        RegistryDestination(RegistryClient(replace(SETTINGS, jobs=8)), [named(registry)]).write(image)
        assert registry.store.repository("acme/api").tags == {"1": str(image.digest)}


class _Unreadable:
    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor

    def open(self) -> BinaryIO:
        raise AssertionError("the bytes were asked for")


def some_effect(chance: random.Random) -> Effect:
    headers: Mapping[str, str | None] = chance.choice(
        [
            {"Location": None},
            {"Docker-Content-Digest": None},
            {"Docker-Content-Digest": str(Digest.of(b"other"))},
            {"Content-Type": "text/html"},
            {"Content-Length": "3"},
        ]
    )
    effects: list[Effect] = [
        Answer(status=chance.choice([400, 403, 404, 408, 413, 416, 429, 500, 502, 503, 504])),
        Answer(status=chance.choice([401, 413, 500, 503]), early=True),
        Answer(status=200, body=b"<html>", headers={"Content-Type": "text/html"}),
        Reset(after=chance.choice([0, 1, 500, 5000])),
        Reset(after=chance.choice([0, 10, 1000]), answer=True),
        LoseAnswer(),
        Corrupt(flip=True),
        Corrupt(cut=1),
        Corrupt(headers=headers),
    ]
    return chance.choice(effects)


class TestFaults:
    ROUNDS = 250
    FAULTS = 4

    def test_a_thousand_faults_make_no_wrong_push_and_no_hang(self) -> None:
        """Either the push fails with a named error, or what the tag names is the whole image, byte for byte."""
        outcomes: dict[str, int] = {}
        with FakeRegistry() as registry:
            for seed in range(self.ROUNDS):
                outcome = self.push_with_faults(registry, seed)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
        assert outcomes.get("pushed", 0) > self.ROUNDS // 10, outcomes
        assert outcomes.get("failed", 0) > self.ROUNDS // 10, outcomes

    def push_with_faults(self, registry: FakeRegistry, seed: int) -> str:
        chance = random.Random(seed)  # noqa: S311 - a seed, not a secret
        registry.faults.clear()
        for _ in range(self.FAULTS):
            method, path = chance.choice(
                [
                    ("PUT", "/blobs/"),
                    ("PATCH", ""),
                    ("POST", ""),
                    ("HEAD", "/blobs/"),
                    ("HEAD", "/manifests/"),
                    ("PUT", "/manifests/sha256"),
                    ("PUT", "/manifests/1"),
                    ("GET", "/manifests/1"),
                    ("GET", "/uploads/"),
                ]
            )
            registry.faults.add(
                Fault(
                    method=method,
                    path=path,
                    skip=chance.randrange(3),
                    times=chance.choice([1, 1, 2]),
                    effect=some_effect(chance),
                )
            )
        repository = f"acme/seed-{seed}"
        settings = replace(IMPATIENT, chunk_size=chance.choice([None, None, 1000]))
        image = make_image(10, 2500)
        client = RegistryClient(settings)
        begin = time.monotonic()
        try:
            RegistryDestination(client, [named(registry, f"{repository}:1")]).write(image)
        except PyContainerError:
            outcome = "failed"
        else:
            outcome = "pushed"
        finally:
            client.close()
        assert time.monotonic() - begin < 60, f"seed {seed} hangs"
        held = registry.store.repository(repository)
        if outcome == "pushed":
            assert held.tags.get("1") == str(image.digest), seed
        for digest in held.tags.values():
            assert digest == str(image.digest), seed
            assert held.manifests[digest][1] == image.manifest.to_bytes(), seed
            for layer in (*(layer.blob for layer in image.layers), image.config_blob):
                assert held.blobs[str(layer.descriptor.digest)] == layer.content, seed  # type: ignore[attr-defined]
        return outcome


PLANTED = [f"planted-secret-{number:02d}" for number in range(12)]
# What a server has seen, and may repeat to get it into a log.
SEEN = " ".join(PLANTED[2:8])


class TestSecrets:
    """Twelve secrets, each where a user or a server could put one, against every way to fail."""

    EFFECTS: tuple[Effect, ...] = (
        Answer(status=401),
        Answer(status=403, body=SEEN.encode(), headers={"Content-Type": "text/plain"}),
        Answer(status=400, body=b'{"errors":[{"code":"X","message":"%s"}]}' % SEEN.encode()),
        Answer(status=500, body=SEEN.encode(), headers={"Warning": f'299 - "{SEEN}"'}),
        Answer(status=302, headers={"Location": f"https://{PLANTED[0]}:{PLANTED[1]}@127.0.0.1:1/?sig={PLANTED[8]}"}),
        Answer(status=302, headers={"Location": f"http://cdn.example/?sig={PLANTED[8]}"}),
        Answer(status=200, body=b"<html>", headers={"Content-Type": "text/html"}),
        Reset(),
        Corrupt(headers={"Location": f"http://cdn.example/?X-Amz-Signature={PLANTED[8]}&_state={PLANTED[9]}"}),
        Corrupt(headers={"Content-Length": "1"}),
        Corrupt(headers={"Docker-Content-Digest": str(Digest.of(b"other"))}),
    )

    @pytest.mark.parametrize("scheme", ["none", "basic", "token", "identity", "registry token"])
    def test_nothing_that_failed_gave_one_away(
        self, scheme: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        entry = {"auth": base64.b64encode(f"bob:{PLANTED[10]}".encode()).decode(), "identitytoken": PLANTED[11]}
        (tmp_path / "auth.json").write_text(json.dumps({"auths": {"elsewhere.example": entry}}))
        said: list[str] = []
        failures = 0
        for effect in self.EFFECTS:
            for method in ("HEAD", "POST", "PUT", "GET"):
                failures += self.fail(scheme, method, effect, said, tmp_path / "auth.json")
        shown = capsys.readouterr()
        text = "\n".join([*said, caplog.text, shown.out, shown.err])
        assert failures > 10
        assert "127.0.0.1" in text
        for secret in PLANTED:
            assert not [line for line in text.splitlines() if secret in line][:3]

    def fail(self, scheme: str, method: str, effect: Effect, said: list[str], auth_file: Path) -> int:
        events: list[Any] = []
        rules, credential = self.world(scheme)
        with FakeRegistry(rules) as registry:
            registry.faults.add(Fault(method=method, path="/v2/.+", effect=effect, times=None))
            environment = {
                "REGISTRY_PASSWORD": PLANTED[6],
                "GITHUB_TOKEN": PLANTED[7],
                "REGISTRY_AUTH_FILE": str(auth_file),
            }
            settings = replace(
                SETTINGS,
                http=replace(
                    HTTP,
                    retries=RetryPolicy(count=1, base=0.0001),
                    timeouts=Timeouts(connect=1, read=0.1, progress=0.1),
                    environment={"HTTPS_PROXY": f"http://bob:{PLANTED[5]}@proxy.example"},
                ),
                credentials={
                    "other.example": Credential(
                        username="bob",
                        password=Redacted(PLANTED[5]),
                        identity_token=Redacted(PLANTED[3]),
                        registry_token=Redacted(PLANTED[4]),
                    ),
                    registry.host: credential,
                },
                environment=environment,
            )
            client = RegistryClient(settings, emit=events.append)
            try:
                RegistryDestination(client, [named(registry)]).write(make_image(10))
            except PyContainerError as error:
                said += [str(error), repr(error), str(error.hint), "".join(traceback.format_exception(error))]
                return 1
            finally:
                said += [repr(event) for event in events]
                said += [repr(client.settings), str(client.explain(named(registry)))]
                said.append(str(client.explain(Reference.parse("elsewhere.example/x"))))
                client.close()
        return 0

    @staticmethod
    def world(scheme: str) -> tuple[Rules, Credential]:
        users = {"bob": PLANTED[2]}
        used = Credential(
            username="bob",
            password=Redacted(PLANTED[2]),
            identity_token=Redacted(PLANTED[3]) if scheme == "identity" else None,
            registry_token=Redacted(PLANTED[4]) if scheme == "registry token" else None,
        )
        rules = {
            "none": Rules(),
            "basic": Rules(authentication="basic", users=users),
            "token": Rules(authentication="token", users=users),
            "identity": Rules(authentication="token", identity_tokens=frozenset({PLANTED[3]})),
            "registry token": Rules(authentication="token"),
        }
        return rules[scheme], used


@pytest.mark.parametrize("status", [201, 403])
def test_threads_end(registry: FakeRegistry, status: int) -> None:
    """No upload outlives its push."""
    if status == 403:
        registry.faults.add(Fault(method="PUT", effect=Answer(status=status), times=None))
    with contextlib.suppress(DeniedError):
        RegistryDestination(RegistryClient(SETTINGS), [named(registry)]).write(make_image(*[1000] * 8))
    assert status in {item.status for item in registry.asked("PUT")}  # others may have been stopped in the middle
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("push")]
