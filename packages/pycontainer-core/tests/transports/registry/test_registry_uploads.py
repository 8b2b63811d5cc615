"""Uploads against registries that differ, break, forget and lie."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.errors import DeniedError, HTTPStatusError, IntegrityError, NetworkError, StoreError
from pycontainer.events import Event, TaskAdvanced, TaskFinished, TaskStarted, Verb
from pycontainer.oci import Descriptor, Digest, Reference, media_types
from pycontainer.testing.raw_server import RawServer, answer
from pycontainer.testing.registry import Answer, Corrupt, FakeRegistry, Fault, LoseAnswer, Reset, Rules, Stall
from pycontainer.testing.registry.conformance import make_blob, make_image
from pycontainer.transports.http import HttpSettings, RetryPolicy, Timeouts
from pycontainer.transports.registry import Credential, Pushed, RegistryClient, RegistrySettings
from pycontainer.transports.secrets import Redacted
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP = HttpSettings(environment={}, retries=RetryPolicy(count=3, base=0.001))
SETTINGS = RegistrySettings(http=HTTP, environment={}, home=None)
# For servers that stall. Where none does, a machine that stands still is no such server.
IMPATIENT = replace(SETTINGS, http=replace(HTTP, timeouts=Timeouts(connect=2, read=0.7, progress=0.7)))
CHUNKS = replace(SETTINGS, chunk_size=100_000)
SIZE = 350_000


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        yield made


def target(registry: FakeRegistry, name: str = "acme/api") -> Reference:
    return Reference.parse(f"{registry.host}/{name}")


def stored(registry: FakeRegistry, blob: BytesBlob, name: str = "acme/api") -> bool:
    return registry.store.repository(name).blobs.get(str(blob.descriptor.digest)) == blob.content


class TestRequests:
    def test_a_whole_upload_is_head_post_put(self, registry: FakeRegistry) -> None:
        blob = make_blob(SIZE)
        assert RegistryClient(SETTINGS).push_blob(target(registry), blob) is Pushed.UPLOADED
        head, post, put = registry.requests
        assert (head.method, head.path) == ("HEAD", f"/v2/acme/api/blobs/{blob.descriptor.digest}")
        assert (post.method, post.path) == ("POST", "/v2/acme/api/blobs/uploads/")
        assert post.headers["content-length"] == "0"
        assert put.method == "PUT"
        assert put.query.startswith("state=")
        assert put.query.endswith(f"&digest={blob.descriptor.digest}")
        assert (put.headers["content-type"], put.headers["content-length"]) == ("application/octet-stream", str(SIZE))
        assert put.headers["user-agent"].startswith("pycontainer")

    def test_chunks_are_inclusive_ordered_ranges(self, registry: FakeRegistry) -> None:
        assert RegistryClient(CHUNKS).push_blob(target(registry), blob := make_blob(SIZE)) is Pushed.UPLOADED
        ranges = [item.headers["content-range"] for item in registry.asked("PATCH")]
        assert ranges == ["0-99999", "100000-199999", "200000-299999", "300000-349999"]
        assert stored(registry, blob)

    def test_the_registrys_least_chunk_is_kept_to(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(chunk_minimum=150_000)
        RegistryClient(CHUNKS).push_blob(target(registry), make_blob(SIZE))
        assert [item.received for item in registry.asked("PATCH")] == [150_000, 150_000, 50_000]

    def test_a_sha512_blob_says_so(self, registry: FakeRegistry) -> None:
        content = b"content"
        digest = Digest("sha512", hashlib.sha512(content).hexdigest())
        blob = BytesBlob(Descriptor(media_type=media_types.LAYER, digest=digest, size=len(content)), content)
        RegistryClient(SETTINGS).push_blob(target(registry), blob)
        assert registry.asked("POST")[0].query == "digest-algorithm=sha512"
        assert stored(registry, blob)

    def test_locations_may_be_relative(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(relative_locations=True)
        RegistryClient(CHUNKS).push_blob(target(registry), blob := make_blob(SIZE))
        assert stored(registry, blob)

    @pytest.mark.parametrize(
        ("location", "message"),
        [
            (None, "does not say where"),
            ("http://169.254.169.254/", "plain http"),
            ("https://127.0.0.1:1/upload", "private address"),
            ("https://user:s3cret@cdn.example/", "credentials in it"),
            ("ftp://cdn.example/", "not an http"),
        ],
    )
    def test_a_location_that_nothing_must_be_sent_to(
        self, registry: FakeRegistry, location: str | None, message: str
    ) -> None:
        effect = Corrupt(headers={"Location": location})
        registry.faults.add(Fault(method="POST", effect=effect, times=None))
        with pytest.raises(NetworkError, match=message) as caught:
            RegistryClient(SETTINGS).push_blob(target(registry), make_blob(10))
        assert "s3cret" not in str(caught.value)
        assert not registry.asked("PUT")

    def test_a_location_on_another_host_gets_no_credentials(self, registry: FakeRegistry) -> None:
        with RawServer(answer(201)) as storage:
            registry.rules = Rules(authentication="basic", users={"bob": "s3cret"})
            location = {"Location": f"{storage.url}/bucket?sig=1"}
            registry.faults.add(Fault(method="POST", path="uploads", skip=1, effect=Corrupt(headers=location)))
            registry.faults.add(Fault(method="POST", path="uploads", effect=Corrupt(headers=location)))
            made = replace(
                SETTINGS,
                http=replace(HTTP, allowed_hosts=frozenset({storage.host})),
                credentials={registry.host: Credential(username="bob", password=Redacted("s3cret"))},
            )
            RegistryClient(made).push_blob(target(registry), make_blob(10))
            assert storage.heads[0].startswith(b"PUT /bucket?sig=1&digest=sha256:")
            assert b"authorization" not in storage.heads[0].lower()


class TestMounts:
    @pytest.mark.parametrize("status", [202, 400, 401, 403, 404, 405])
    def test_a_registry_that_does_not_mount_gets_the_bytes(self, registry: FakeRegistry, status: int) -> None:
        registry.rules = Rules(mounts=False, mount_refusal=status)
        client, blob = RegistryClient(SETTINGS), make_blob(SIZE)
        client.push_blob(target(registry, "acme/base"), blob)
        before = len(registry.asked("POST"))
        pushed = client.push_blob(target(registry), blob, origin=target(registry, "acme/base"))
        assert pushed is Pushed.UPLOADED
        assert stored(registry, blob)
        asked = registry.asked("POST")[before:]
        assert asked[0].query == f"mount={blob.descriptor.digest}&from=acme/base"
        # The session that a 202 begins is used; a refusal is followed by a session of its own.
        assert len(asked) == (1 if status == 202 else 2)

    def test_nothing_is_mounted_from_another_registry(self, registry: FakeRegistry) -> None:
        origin = Reference.parse("elsewhere.example/acme/base")
        RegistryClient(SETTINGS).push_blob(target(registry), make_blob(10), origin=origin)
        assert not registry.asked("POST", "mount=")


class TestFailures:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(method="PUT", effect=Answer(status=503), times=2),
            Fault(method="PUT", effect=Answer(status=500, early=True)),
            Fault(method="PUT", effect=Answer(status=429, headers={"Retry-After": "0"}, early=True)),
            Fault(method="PUT", effect=Answer(status=404)),
            Fault(method="PUT", effect=Answer(status=416)),
            Fault(method="PUT", effect=Reset(after=0)),
            Fault(method="PUT", effect=Reset(after=200_000), times=3),
            Fault(method="PUT", effect=Stall(seconds=600)),
            Fault(method="POST", effect=Answer(status=503), times=2),
            Fault(method="POST", effect=Reset()),
            Fault(method="HEAD", effect=Reset()),
        ],
    )
    def test_each_attempt_is_a_new_session(self, registry: FakeRegistry, fault: Fault) -> None:
        registry.faults.add(fault)
        blob = make_blob(SIZE)
        settings = IMPATIENT if isinstance(fault.effect, Stall) else SETTINGS
        assert RegistryClient(settings).push_blob(target(registry), blob) is Pushed.UPLOADED
        assert stored(registry, blob)
        sessions = [item.path for item in registry.asked("PUT")]
        assert len(set(sessions)) == len(sessions)

    @pytest.mark.parametrize("chunk_size", [None, 100_000])
    def test_an_answer_that_is_lost_is_looked_for(self, registry: FakeRegistry, chunk_size: int | None) -> None:
        registry.faults.add(Fault(method="PUT", effect=LoseAnswer()))
        blob = make_blob(SIZE)
        RegistryClient(replace(SETTINGS, chunk_size=chunk_size)).push_blob(target(registry), blob)
        assert stored(registry, blob)
        assert len(registry.asked("PUT")) == 1
        assert registry.requests[-1].method == "HEAD"

    @pytest.mark.parametrize("status", [400, 403, 413])
    def test_a_refusal_is_final(self, registry: FakeRegistry, status: int) -> None:
        registry.faults.add(Fault(method="PUT", effect=Answer(status=status), times=None))
        with pytest.raises((HTTPStatusError, DeniedError)):
            RegistryClient(SETTINGS).push_blob(target(registry), make_blob(10))
        assert len(registry.asked("PUT")) == 1
        assert len(registry.asked("DELETE")) == 1

    def test_too_large_is_said(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PUT", effect=Answer(status=413, early=True)))
        with pytest.raises(HTTPStatusError, match="takes no blob of 350000 bytes"):
            RegistryClient(SETTINGS).push_blob(target(registry), make_blob(SIZE))

    def test_attempts_are_bounded(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PUT", effect=Reset(after=10), times=None))
        with pytest.raises(NetworkError):
            RegistryClient(SETTINGS).push_blob(target(registry), make_blob(SIZE))
        assert len(registry.asked("PUT")) == HTTP.retries.count + 1

    @pytest.mark.parametrize("rules", [Rules(whole_uploads=False)])
    def test_chunks_are_tried_where_whole_uploads_are_refused(self, registry: FakeRegistry, rules: Rules) -> None:
        registry.rules = rules
        blob = make_blob(9_000_000)
        RegistryClient(SETTINGS).push_blob(target(registry), blob)
        assert stored(registry, blob)
        assert [item.received for item in registry.asked("PATCH")] == [4 << 20, 4 << 20, 9_000_000 - (8 << 20)]

    def test_a_token_that_expires_meanwhile_begins_a_new_session(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(authentication="token", users={"bob": "s3cret"}, token_uses=3)
        credentials = {registry.host: Credential(username="bob", password=Redacted("s3cret"))}
        blob, known = make_blob(SIZE), make_blob(10)
        registry.store.repository("acme/api").blobs[str(known.descriptor.digest)] = known.content
        client = RegistryClient(replace(SETTINGS, credentials=credentials))
        assert client.push_blob(target(registry), known) is Pushed.EXISTED
        assert client.push_blob(target(registry), blob) is Pushed.UPLOADED
        assert stored(registry, blob)
        puts = registry.asked("PUT")
        assert [item.status for item in puts] == [401, 201]
        assert puts[0].path != puts[1].path

    def test_a_token_that_never_works_for_the_bytes_is_denied(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(authentication="token", users={"bob": "s3cret"})
        challenge = {"WWW-Authenticate": f'Bearer realm="{registry.url}/token",service="s"'}
        registry.faults.add(Fault(method="PUT", effect=Answer(status=401, headers=challenge), times=None))
        credentials = {registry.host: Credential(username="bob", password=Redacted("s3cret"))}
        with pytest.raises(DeniedError):
            RegistryClient(replace(SETTINGS, credentials=credentials)).push_blob(target(registry), make_blob(10))
        assert len(registry.asked("PUT")) == 2

    def test_a_registry_that_stores_something_else_is_caught(self, registry: FakeRegistry) -> None:
        wrong = {"Docker-Content-Digest": str(Digest.of(b"other"))}
        registry.faults.add(Fault(method="PUT", effect=Corrupt(headers=wrong)))
        with pytest.raises(IntegrityError, match="stored something else"):
            RegistryClient(SETTINGS).push_blob(target(registry), make_blob(10))


class TestChunks:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(method="PATCH", skip=1, effect=Reset(after=50_000)),
            Fault(method="PATCH", skip=1, effect=LoseAnswer()),
            Fault(method="PATCH", skip=2, effect=Answer(status=503), times=2),
            Fault(method="PATCH", skip=2, effect=Answer(status=416)),
            Fault(method="PATCH", effect=Reset()),
        ],
    )
    def test_a_chunk_that_fails_is_sent_again_and_no_other(self, registry: FakeRegistry, fault: Fault) -> None:
        registry.faults.add(fault)
        blob = make_blob(SIZE)
        # The state of a session changes with each chunk; one that is lost must be asked for by its old Location.
        registry.store.uploads = _Forgiving()
        RegistryClient(CHUNKS).push_blob(target(registry), blob)
        assert stored(registry, blob)
        sent = sum(item.received for item in registry.asked("PATCH"))
        assert sent <= SIZE + 2 * 100_000

    def test_a_lost_session_begins_again(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PATCH", skip=1, effect=LoseAnswer()))
        registry.faults.add(Fault(method="GET", path="uploads", effect=Answer(status=404)))
        blob = make_blob(SIZE)
        RegistryClient(CHUNKS).push_blob(target(registry), blob)
        assert stored(registry, blob)
        assert len(registry.asked("POST")) == 2

    def test_a_registry_that_takes_nothing_is_left(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PATCH", effect=Answer(status=416), times=None))
        with pytest.raises(NetworkError):
            RegistryClient(CHUNKS).push_blob(target(registry), make_blob(SIZE))
        assert len(registry.asked("DELETE")) == 1

    def test_a_registry_that_claims_more_is_left(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PATCH", effect=Corrupt(headers={"Range": "0-299999"})))
        with pytest.raises(NetworkError, match="more of the blob than was sent"):
            RegistryClient(CHUNKS).push_blob(target(registry), make_blob(SIZE))


class _Forgiving(dict):  # type: ignore[type-arg]
    """Sessions whose state stays the same, as with registries that keep the upload's address."""

    def __setitem__(self, key: object, upload: object) -> None:
        super().__setitem__(key, _Fixed(upload))


class _Fixed:
    def __init__(self, upload: object) -> None:
        object.__setattr__(self, "_upload", upload)

    def __getattr__(self, name: str) -> object:
        return getattr(self._upload, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "state":
            setattr(self._upload, name, value)


class _Source:
    """A blob that is not what its descriptor says, or cannot be read."""

    def __init__(self, descriptor: Descriptor, content: bytes, error: Exception | None = None) -> None:
        self.descriptor = descriptor
        self._content = content
        self._error = error

    def open(self) -> BinaryIO:
        if self._error is None:
            return io.BytesIO(self._content)
        error = self._error

        class Broken(io.BytesIO):
            def read(self, _size: int | None = -1, /) -> bytes:
                raise error

        return Broken()


class TestSources:
    @pytest.mark.parametrize("chunk_size", [None, 100_000])
    @pytest.mark.parametrize("change", [-1, 1])
    def test_a_blob_of_another_size_is_not_pushed(
        self, registry: FakeRegistry, chunk_size: int | None, change: int
    ) -> None:
        descriptor = make_blob(SIZE).descriptor
        source = _Source(descriptor, b"x" * (SIZE + change))
        with pytest.raises(IntegrityError):
            RegistryClient(replace(SETTINGS, chunk_size=chunk_size)).push_blob(target(registry), source)
        assert not registry.store.repository("acme/api").blobs

    def test_a_blob_of_other_bytes_is_refused_by_the_registry(self, registry: FakeRegistry) -> None:
        source = _Source(make_blob(SIZE).descriptor, b"x" * SIZE)
        with pytest.raises(HTTPStatusError, match="did not take"):
            RegistryClient(SETTINGS).push_blob(target(registry), source)

    def test_a_disk_that_fails_is_not_the_networks_fault(self, registry: FakeRegistry) -> None:
        source = _Source(make_blob(10).descriptor, b"", OSError(5, "Input/output error"))
        with pytest.raises(StoreError, match="cannot be read"):
            RegistryClient(SETTINGS).push_blob(target(registry), source)

    def test_a_large_blob_takes_constant_memory(self) -> None:
        class Endless(io.RawIOBase):
            left = 64 << 20

            def read(self, size: int | None = -1, /) -> bytes:
                assert size is not None
                assert size > 0
                count = min(size, self.left)
                self.left -= count
                return bytes(count)

        digest = hashlib.sha256(bytes(64 << 20)).hexdigest()
        descriptor = Descriptor(media_type=media_types.LAYER, digest=Digest("sha256", digest), size=64 << 20)
        peaks: list[int] = []

        class Source:
            def __init__(self) -> None:
                self.descriptor = descriptor

            def open(self) -> BinaryIO:
                return Endless()  # type: ignore[return-value]

        # The server is in this process and keeps the body, so the peak is taken from our side alone: a discarding one.
        def discard(connection: object) -> None:
            left = (64 << 20) - len(server.heads[-1].partition(b"\r\n\r\n")[2])
            while left > 0 and (data := connection.recv(1 << 20)):  # type: ignore[attr-defined]
                left -= len(data)
            connection.sendall(answer(201))  # type: ignore[attr-defined]

        with RawServer(answer(404), b"", discard) as server:
            server._scripts = (answer(404), answer(202, b"", f"Location: {server.url}/up"), discard)
            client = RegistryClient(SETTINGS)
            tracemalloc.start()
            client.push_blob(Reference.parse(f"{server.host}/acme/api"), Source())
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert max(peaks) < 8 << 20


class TestManifests:
    def put(self, registry: FakeRegistry, tag: str = "1") -> Digest:
        client, image = RegistryClient(SETTINGS), make_image(10)
        for blob in (image.config_blob, image.layers[0].blob):
            client.push_blob(target(registry), blob)
        return client.push_manifest(target(registry).with_tag(tag), image.manifest.to_bytes(), media_types.MANIFEST)

    def test_its_content_type_is_its_media_type(self, registry: FakeRegistry) -> None:
        self.put(registry)
        assert registry.asked("PUT", "/manifests/")[0].headers["content-type"] == media_types.MANIFEST

    @pytest.mark.parametrize("effect", [LoseAnswer(), Reset(), Answer(status=503)])
    def test_it_is_put_again_after_a_failure(self, registry: FakeRegistry, effect: LoseAnswer | Reset | Answer) -> None:
        registry.faults.add(Fault(method="PUT", path="/manifests/", effect=effect))
        assert registry.store.repository("acme/api").tags.get("1") is None
        digest = self.put(registry)
        assert registry.store.repository("acme/api").tags["1"] == str(digest)

    @pytest.mark.parametrize("status", [400, 404, 413])
    def test_a_refusal_is_final(self, registry: FakeRegistry, status: int) -> None:
        registry.faults.add(Fault(method="PUT", path="/manifests/", effect=Answer(status=status), times=None))
        with pytest.raises(HTTPStatusError):
            self.put(registry)
        assert len(registry.asked("PUT", "/manifests/")) == 1

    def test_too_large_is_said(self, registry: FakeRegistry) -> None:
        registry.rules = Rules(manifest_limit=10)
        with pytest.raises(HTTPStatusError, match="takes no manifest of"):
            self.put(registry)

    def test_a_registry_that_stores_something_else_is_caught(self, registry: FakeRegistry) -> None:
        wrong = {"Docker-Content-Digest": str(Digest.of(b"other"))}
        registry.faults.add(Fault(method="PUT", path="/manifests/", effect=Corrupt(headers=wrong)))
        with pytest.raises(IntegrityError, match="stored something else"):
            self.put(registry)


class TestEvents:
    def test_bytes_are_told_once_though_sent_twice(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(method="PUT", effect=Reset(after=300_000)))
        events: list[Event] = []
        RegistryClient(SETTINGS, emit=events.append).push_blob(target(registry), make_blob(SIZE), title="numpy")
        advanced = [event.count for event in events if isinstance(event, TaskAdvanced)]
        assert sum(advanced) == SIZE
        assert min(advanced) > 0
        assert [event for event in events if not isinstance(event, TaskAdvanced)] == [
            TaskStarted(verb=Verb.UPLOAD, name="numpy", total=SIZE),
            TaskFinished(verb=Verb.UPLOAD, name="numpy", size=SIZE, reused=False),
        ]

    def test_a_listener_can_stop_an_upload(self, registry: FakeRegistry) -> None:
        class StopError(Exception):
            pass

        def stop(count: int) -> None:
            if count:
                raise StopError

        blob = make_blob(SIZE)
        with pytest.raises(StopError):
            RegistryClient(SETTINGS).push_blob(target(registry), blob, advance=stop)
        assert registry.hears("PUT")
        assert not stored(registry, blob)
