"""Referrers as registries list them, and as clients do where registries do not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pycontainer.destinations.attachments import attach, list_attachments, read_attachment
from pycontainer.errors import DocumentError, HTTPStatusError, IntegrityError, NetworkError
from pycontainer.oci import Descriptor, Digest, Index, Reference, canonical_json, media_types
from pycontainer.testing.registry import Answer, Corrupt, FakeRegistry, Fault, LoseAnswer, Rules
from pycontainer.testing.registry.conformance import make_attachment, make_image
from pycontainer.transports.http import HttpSettings, RetryPolicy
from pycontainer.transports.registry import RegistryClient, RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD = Rules(referrers=False)
SUBJECT = make_image(10).descriptor
TAG = f"sha256-{SUBJECT.digest.hex}"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        yield made


def client_that(sleeps: Callable[[float], object] = lambda _: None) -> RegistryClient:
    """A client that does this instead of waiting."""

    def sleep(seconds: float) -> None:
        sleeps(seconds)

    http = HttpSettings(
        environment={},
        retries=RetryPolicy(count=2, base=0.001, sleep=sleep),
    )
    return RegistryClient(RegistrySettings(http=http, environment={}, home=None))


def repository_of(registry: FakeRegistry) -> Reference:
    return Reference.parse(f"{registry.host}/acme/api")


def put_tag(registry: FakeRegistry, document: dict[str, Any], tag: str = TAG) -> None:
    """What another client did to a tag."""
    raw, repository = canonical_json(document), registry.store.repository("acme/api")
    digest = str(Digest.of(raw))
    repository.manifests[digest] = (document["mediaType"], raw)
    repository.tags[tag] = digest


def tagged(registry: FakeRegistry) -> dict[str, Any]:
    repository = registry.store.repository("acme/api")
    found: dict[str, Any] = json.loads(repository.manifests[repository.tags[TAG]][1])
    return found


def index_of(*entries: object, **fields: object) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": list(entries), **fields}


def other_entry(number: int, **fields: object) -> dict[str, Any]:
    digest = str(Digest.of(b"other %d" % number))
    return {"mediaType": media_types.MANIFEST, "digest": digest, "size": 10, **fields}


class TestApi:
    def test_the_registry_keeps_the_list(self, registry: FakeRegistry) -> None:
        attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        assert not registry.store.repository("acme/api").tags

    @pytest.mark.parametrize("filters", [True, False])
    @pytest.mark.parametrize("page", [1, 2, None])
    def test_all_pages_are_read_and_only_the_kind_is_given(
        self, registry: FakeRegistry, page: int | None, *, filters: bool
    ) -> None:
        """C24."""
        client, repository = client_that(), repository_of(registry)
        registry.rules = Rules(referrers_page=page, referrers_filter=filters)
        kinds = ["application/vnd.example.a+json", "application/vnd.example.b"] * 3
        attached = [
            attach(client, SUBJECT, repository, make_attachment(number, kind=kind)) for number, kind in enumerate(kinds)
        ]
        assert list(list_attachments(client, repository, SUBJECT.digest)) == attached
        assert list(list_attachments(client, repository, SUBJECT.digest, kinds[0])) == attached[::2]

    def test_pages_without_end_are_given_up(self, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pycontainer.transports.registry.referrers._MAX_PAGES", 5)
        headers = {"Link": f'</v2/acme/api/referrers/{SUBJECT.digest}>; rel="next"', "Content-Type": media_types.INDEX}
        answer = Answer(status=200, body=canonical_json(index_of()), headers=headers)
        registry.faults.add(Fault(path="/referrers/", effect=answer, times=None))
        with pytest.raises(NetworkError, match="without an end"):
            list_attachments(client_that(), repository_of(registry), SUBJECT.digest)

    def test_a_next_page_elsewhere_is_not_asked_for(self, registry: FakeRegistry) -> None:
        headers = {"Link": '<http://10.0.0.1/v2/x>; rel="next"', "Content-Type": media_types.INDEX}
        answer = Answer(status=200, body=canonical_json(index_of()), headers=headers)
        registry.faults.add(Fault(path="/referrers/", effect=answer))
        with pytest.raises(NetworkError, match=r"10\.0\.0\.1"):
            list_attachments(client_that(), repository_of(registry), SUBJECT.digest)

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=404),
            Answer(status=405),
            Answer(status=200, body=b"<html>sign in</html>", headers={"Content-Type": "text/html"}),
            Answer(status=200, body=b'{"manifests":7}', headers={"Content-Type": media_types.INDEX}),
        ],
        ids=["404", "405", "login-page", "no-index"],
    )
    def test_without_the_api_the_tag_is_read(self, registry: FakeRegistry, answer: Answer) -> None:
        """C23."""
        put_tag(registry, index_of(other_entry(1)))
        registry.faults.add(Fault(path="/referrers/", effect=answer))
        (found,) = list_attachments(client_that(), repository_of(registry), SUBJECT.digest)
        assert str(found.digest) == other_entry(1)["digest"]

    def test_a_registry_that_promises_and_does_not_list_gets_the_tag(self, registry: FakeRegistry) -> None:
        """ECR sent OCI-Subject before it had the API."""
        registry.faults.add(Fault(path="/referrers/", effect=Answer(status=404), times=None))
        attached = attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        assert [entry["digest"] for entry in tagged(registry)["manifests"]] == [str(attached.digest)]

    def test_a_server_in_trouble_is_no_empty_list(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(path="/referrers/", effect=Answer(status=500), times=None))
        with pytest.raises(HTTPStatusError):
            list_attachments(client_that(), repository_of(registry), SUBJECT.digest)


class TestTag:
    def test_lines_of_others_stay_as_they_were_written(self, registry: FakeRegistry) -> None:
        """C22, C35: also what nobody here knows."""
        registry.rules = OLD
        registry.store.repository("acme/api").manifests[other_entry(1)["digest"]] = (media_types.MANIFEST, b"{}")
        line = other_entry(1, artifactType="application/x", annotations={"a": "b"}, **{"org.example.future": [1, {}]})
        put_tag(registry, index_of(line, annotations={"who": "others"}, future=True))
        attachment = make_attachment()
        attached = attach(client_that(), SUBJECT, repository_of(registry), attachment)
        own = {
            "mediaType": media_types.MANIFEST,
            "digest": str(attached.digest),
            "size": attached.size,
            "artifactType": attachment.artifact_type,
            "annotations": dict(attachment.annotations),
        }
        assert tagged(registry) == index_of(line, own, annotations={"who": "others"}, future=True)

    def test_a_line_that_is_there_is_not_written_again(self, registry: FakeRegistry) -> None:
        registry.rules = OLD
        for _ in range(2):
            attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        assert len(registry.asked("PUT", f"manifests/{TAG}")) == 1

    @pytest.mark.parametrize("media_type", [media_types.MANIFEST, media_types.DOCKER_INDEX])
    def test_a_tag_that_is_something_else_is_left_alone(self, registry: FakeRegistry, media_type: str) -> None:
        """C22: fail and skip; C23: and there are no referrers."""
        registry.rules = OLD
        document = index_of(mediaType=media_type)
        if media_type == media_types.MANIFEST:
            document = {"schemaVersion": 2, "mediaType": media_type, "config": other_entry(1)}
        put_tag(registry, document)
        with pytest.raises(DocumentError, match="not a list of referrers") as caught:
            attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        assert caught.value.hint is not None
        assert tagged(registry) == document
        assert list_attachments(client_that(), repository_of(registry), SUBJECT.digest) == ()

    def test_a_line_that_another_client_lost_is_written_again(self, registry: FakeRegistry) -> None:
        """C25: who read the list before us and wrote it after us."""
        registry.rules = OLD
        registry.store.repository("acme/api").manifests[other_entry(1)["digest"]] = (media_types.MANIFEST, b"{}")
        theirs = [index_of(other_entry(1))]
        client = client_that(lambda _: put_tag(registry, theirs.pop()) if theirs else None)
        attached = attach(client, SUBJECT, repository_of(registry), make_attachment())
        found = [entry["digest"] for entry in tagged(registry)["manifests"]]
        assert found == [other_entry(1)["digest"], str(attached.digest)]

    def test_a_list_that_never_rests_is_an_error(self, registry: FakeRegistry) -> None:
        registry.rules = OLD
        client = client_that(lambda _: put_tag(registry, index_of()))
        with pytest.raises(NetworkError, match="lost a line that was written 12 times"):
            attach(client, SUBJECT, repository_of(registry), make_attachment())

    def test_where_there_are_etags_nothing_is_overwritten(self, registry: FakeRegistry) -> None:
        """C25: the other client's line came between our reading and our writing."""
        registry.rules = replace(OLD, etags=True)
        put_tag(registry, index_of())
        registry.faults.add(Fault(method="PUT", path=TAG, effect=Answer(status=412)))
        attached = attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        written = registry.asked("PUT", TAG)
        assert [item.status for item in written] == [412, 201]
        assert {item.headers["if-match"] for item in written} == {f'"{Digest.of(canonical_json(index_of()))}"'}
        assert [entry["digest"] for entry in tagged(registry)["manifests"]] == [str(attached.digest)]

    def test_an_answer_that_is_lost_loses_no_line(self, registry: FakeRegistry) -> None:
        registry.rules = OLD
        registry.faults.add(Fault(method="PUT", path=TAG, effect=LoseAnswer()))
        attach(client_that(), SUBJECT, repository_of(registry), make_attachment())
        assert len(tagged(registry)["manifests"]) == 1

    def test_the_tag_of_a_long_digest_is_cut(self, registry: FakeRegistry) -> None:
        """128 characters are too many for a tag."""
        registry.rules = OLD
        digest = Digest.of(b"an image", "sha512")
        subject = Descriptor(media_type=media_types.MANIFEST, digest=digest, size=8)
        attached = attach(client_that(), subject, repository_of(registry), make_attachment())
        assert list(registry.store.repository("acme/api").tags) == [f"sha512-{digest.hex[:64]}"]
        assert list_attachments(client_that(), repository_of(registry), digest) == (attached,)


class TestRead:
    def test_other_bytes_are_refused(self, registry: FakeRegistry) -> None:
        client, repository = client_that(), repository_of(registry)
        attached = attach(client, SUBJECT, repository, make_attachment())
        registry.faults.add(Fault(method="GET", path="/blobs/", effect=Corrupt(flip=True)))
        with pytest.raises(IntegrityError):
            read_attachment(client, repository, attached)

    def test_an_image_is_not_read_as_a_document(self, registry: FakeRegistry) -> None:
        put_tag(registry, index_of(), tag="1")
        descriptor = Index(manifests=()).describe(media_types.INDEX)
        with pytest.raises(DocumentError, match="does not hold one document"):
            read_attachment(client_that(), repository_of(registry), descriptor)

    def test_a_document_without_end_is_not_asked_for(self, registry: FakeRegistry) -> None:
        layer = {"mediaType": "application/json", "digest": str(Digest.of(b"x")), "size": 1 << 40}
        manifest = {"schemaVersion": 2, "mediaType": media_types.MANIFEST, "config": layer, "layers": [layer]}
        put_tag(registry, manifest)
        raw = canonical_json(manifest)
        descriptor = Descriptor(media_type=media_types.MANIFEST, digest=Digest.of(raw), size=len(raw))
        with pytest.raises(DocumentError, match="larger than 64 MiB"):
            read_attachment(client_that(), repository_of(registry), descriptor)
        assert not registry.asked("GET", "/blobs/")
