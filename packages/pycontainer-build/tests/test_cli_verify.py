"""`pycontainer verify`: what holds, and every way in which an image can have been tampered with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.attest.signing.attachments import signed_attachment
from pycontainer.attest.signing.keys import KeySigner
from pycontainer.attest.signing.sign import sign_image
from pycontainer.attest.statement import SIGNED, Statement
from pycontainer.destinations.attachments import attach
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.image import Attachment, Image, ImageIndex
from pycontainer.oci import Digest, Platform, Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.transports.registry import RegistryClient, RegistrySettings

Run: TypeAlias = Callable[..., Any]
NAME = "acme/api"
SBOM = "https://spdx.dev/Document"


@dataclass(frozen=True)
class Signed:
    """An index of two platforms in a registry, signed, with a bill of materials for each, signed too."""

    registry: FakeRegistry
    image: ImageIndex
    signer: KeySigner
    public: Path

    @property
    def reference(self) -> Reference:
        return Reference.parse(f"{self.registry.host}/{NAME}:1")

    @property
    def stored(self) -> Any:
        return self.registry.store.repository(NAME)

    def attach(self, statement: Statement, digest: Digest) -> None:
        images: list[Image | ImageIndex] = [self.image, *self.image.images]
        subject = next(each.descriptor for each in images if each.digest == digest)
        with_client(lambda client: attach(client, subject, self.reference, signed_attachment(statement, self.signer)))


def with_client(use: Callable[[RegistryClient], Any]) -> Any:
    client = RegistryClient(RegistrySettings(environment={}, home=None))
    try:
        return use(client)
    finally:
        client.close()


def make_key(folder: Path, name: str) -> tuple[Path, Path]:
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "genpkey", *curve, "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def sbom(platform: Platform) -> Attachment:
    content = json.dumps({"spdxVersion": "SPDX-2.3", "name": str(platform)}).encode()
    return Attachment(artifact_type="application/spdx+json", media_type="application/spdx+json", content=content)


@pytest.fixture(params=[False, True], ids=["referrers tag", "referrers API"])
def signed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Signed]:
    private, public = make_key(tmp_path, "signing")
    platforms = (Platform.parse("linux/amd64"), Platform.parse("linux/arm64"))
    image = ImageIndex(images=tuple(debian_like(platform=each).with_attachments([sbom(each)]) for each in platforms))
    with FakeRegistry(Rules(referrers=request.param)) as registry:
        made = Signed(registry, image, KeySigner.read(private, passphrase=None), public)
        complete = sign_image(image, made.signer)
        with_client(lambda client: RegistryDestination(client, [made.reference]).write(complete))
        yield made


def verify(run: Run, signed: Signed, *more: str) -> Any:
    return run("verify", str(signed.reference), "--key", str(signed.public), "--json", *more)


def failures(done: Any) -> list[str]:
    findings = json.loads(done.out)["findings"]
    return [f"{finding['subject']}: {finding['text']}" for finding in findings if finding["verdict"] == "fails"]


def test_an_image_that_is_what_it_says_is_verified(run: Run, signed: Signed) -> None:
    done = verify(run, signed, "--require", "sbom")
    report = json.loads(done.out)
    assert (done.code, failures(done), report["holds"]) == (0, [], True)
    assert report["digest"] == str(signed.image.digest)
    assert report["image"] == str(signed.reference)

    told = run("verify", str(signed.reference), "--key", str(signed.public))
    assert told.code == 0
    assert "signature of index: it is signed with key" in told.out
    assert told.out.splitlines()[-1].startswith("verified: ")


def test_every_part_is_looked_at(run: Run, signed: Signed) -> None:
    looked_at = {finding["digest"] for finding in json.loads(verify(run, signed).out)["findings"]}
    for image in signed.image.images:
        assert str(image.digest) in looked_at
        assert {str(layer.descriptor.digest) for layer in image.layers} <= looked_at
        assert str(image.config_blob.descriptor.digest) in looked_at


@pytest.mark.parametrize("part", ["layer", "config", "manifest", "attachment", "signature"])
def test_a_changed_part_is_found_and_named(run: Run, signed: Signed, part: str) -> None:
    image = signed.image.images[1]
    stored = signed.stored
    if part in {"layer", "config"}:
        blob = image.layers[0].blob if part == "layer" else image.config_blob
        change(stored.blobs, str(blob.descriptor.digest))
    elif part == "manifest":
        kind, content = stored.manifests[str(image.digest)]
        stored.manifests[str(image.digest)] = kind, content.replace(b"linux", b"Linux") + b" "
    else:
        wanted = SBOM.encode() if part == "attachment" else SIGNED.encode()
        for digest, content in list(stored.blobs.items()):
            if b"dsseEnvelope" in content and about(content, wanted, image.digest):
                change(stored.blobs, digest)
    done = verify(run, signed)
    assert done.code != 0
    if part == "manifest":
        assert str(image.digest) in done.err + done.out
    else:
        named = {"layer": "layer 1", "config": "config", "attachment": "signature of", "signature": "signature of"}
        assert any(text.startswith(named[part]) for text in failures(done)), failures(done)


def change(blobs: dict[str, bytes], digest: str) -> None:
    content = bytearray(blobs[digest])
    content[len(content) // 2] ^= 1
    blobs[digest] = bytes(content)


def about(bundle: bytes, kind: bytes, digest: Digest) -> bool:
    import base64  # noqa: PLC0415

    payload = base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"])
    return kind in payload and digest.hex.encode() in payload


def test_another_image_under_the_same_tag_is_not_signed(run: Run, signed: Signed) -> None:
    other = ImageIndex(images=signed.image.images[:1])
    with_client(lambda client: RegistryDestination(client, [signed.reference]).write(other))
    done = verify(run, signed)
    assert done.code == 1
    assert failures(done) == ["signature of index: Nobody who counts has signed it"]


def test_a_signature_that_was_moved_to_another_image_is_found(run: Run, signed: Signed) -> None:
    # Rightly signed, about the index, attached to a platform.
    platform = signed.image.images[0]
    signed.attach(Statement.about(signed.image.digest, predicate_type=SIGNED, predicate={}), platform.digest)
    done = verify(run, signed)
    assert failures(done) == [f"signature of {platform.platform}: It is signed, and about another image"]


def test_signatures_of_others_count_for_nothing_and_break_nothing(run: Run, signed: Signed, tmp_path: Path) -> None:
    private, public = make_key(tmp_path, "mallory")
    mallory = Signed(signed.registry, signed.image, KeySigner.read(private, passphrase=None), public)
    digest = signed.image.digest
    mallory.attach(Statement.about(digest, predicate_type="https://slsa.dev/provenance/v1", predicate={}), digest)
    with_client(
        lambda client: attach(
            client,
            signed.image.descriptor,
            signed.reference,
            Attachment(artifact_type="application/spdx+json", media_type="application/spdx+json", content=b"{}"),
        )
    )
    assert verify(run, signed).code == 0
    missing = verify(run, signed, "--require", "provenance")
    assert failures(missing) == ["provenance of index: There is none that is signed"]
    open_ = [each for each in json.loads(missing.out)["findings"] if each["verdict"] == "open"]
    assert {(each["subject"], each["text"]) for each in open_} == {
        ("provenance of index", "It is signed with another key"),
        ("bill of materials (SPDX) of index", "It is not signed"),
    }


@pytest.mark.parametrize(
    ("base", "platform", "says"),
    [
        ("sha256:" + "1" * 64, "linux/amd64", "It names another base than the image"),
        ("sha256:" + "0" * 64, "linux/s390x", "It names other platforms than the image"),
        ("sha256:" + "0" * 64, "linux/amd64", None),
    ],
)
def test_provenance_that_contradicts_the_image_fails_though_it_is_signed(
    run: Run, tmp_path: Path, base: str, platform: str, says: str | None
) -> None:
    private, public = make_key(tmp_path, "signing")
    signer = KeySigner.read(private, passphrase=None)
    named = {"org.opencontainers.image.base.digest": "sha256:" + "0" * 64}
    image = debian_like().with_annotations(named)
    algorithm, _, value = base.partition(":")
    definition = {
        "externalParameters": {"configuration": {"platform": [platform]}},
        "resolvedDependencies": [{"name": "base", "digest": {algorithm: value}}],
    }
    statement = Statement.about(
        image.digest, predicate_type="https://slsa.dev/provenance/v1", predicate={"buildDefinition": definition}
    )
    with FakeRegistry() as registry:
        made = Signed(registry, ImageIndex(images=(image,)), signer, public)
        complete = sign_image(image.with_attachments([signed_attachment(statement, signer)]), signer)
        with_client(lambda client: RegistryDestination(client, [made.reference]).write(complete))
        found = failures(verify(run, made, "--require", "provenance"))
    assert found == ([f"provenance of linux/amd64: {says}"] if says else [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No image is named"),
        (["acme/api:1"], "It must be said, once, whose signature counts"),
        (["acme/api:1", "--key", "a", "--digests-only"], "It must be said, once, whose signature counts"),
        (["acme/api:1", "--identity", "someone"], "An identity is a name and who vouched for it"),
        (["acme/api:1", "--key", "nothing.pub"], "The public key cannot be read: No such file or directory"),
        (["./nothing", "--digests-only"], "There is no such image"),
        (["acme/API", "--digests-only"], "`acme/API` is not the name of an image"),
    ],
)
def test_what_cannot_be_asked_is_told(run: Run, words: list[str], message: str) -> None:
    done = run("verify", *words)
    assert (done.code, done.out) == (2, "")
    assert f"error: {message}" in done.err
