"""Signatures with keys: made here, checked by openssl as well as by ourselves."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pycontainer.attest.signing.bundle import key_bundle, read_bundle
from pycontainer.attest.signing.keys import KeySigner, KeyVerifier
from pycontainer.attest.statement import SIGNED, Statement
from pycontainer.errors import ConfigError, DocumentError, IntegrityError, SignatureError
from pycontainer.oci import Digest
from pycontainer.transports.secrets import Redacted

DIGEST = Digest.of(b"an image")
PASSPHRASE = Redacted("correct horse")
KINDS = {
    "P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "P-521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "RSA": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "Ed25519": ["-algorithm", "ED25519"],
}


def make_key(folder: Path, *options: str, kind: str = "P-256", name: str = "signing") -> tuple[Path, Path]:
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    openssl("genpkey", *KINDS[kind], *options, "-out", str(private))
    secret = ["-passin", f"pass:{PASSPHRASE.reveal()}"] if options else []
    openssl("pkey", "-in", str(private), *secret, "-pubout", "-out", str(public))
    return private, public


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def statement(digest: Digest = DIGEST) -> Statement:
    return Statement.about(digest, predicate_type=SIGNED, predicate={})


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_of_every_kind_of_key_holds_for_ourselves_and_for_openssl(tmp_path: Path, kind: str) -> None:
    private, public = make_key(tmp_path, kind=kind)
    content = KeySigner.read(private, passphrase=None).sign(statement())
    bundle = read_bundle(content)

    assert KeyVerifier.read(public).verify(bundle) == f"key {bundle.key_hint}"
    said = Statement.read(bundle.envelope.payload)
    assert said.predicate_type == SIGNED
    assert said.is_about(DIGEST)

    payload = bundle.envelope.payload
    kind_of_payload = b"application/vnd.in-toto+json"
    (tmp_path / "signed").write_bytes(
        b" ".join([b"DSSEv1", b"%d" % len(kind_of_payload), kind_of_payload, b"%d" % len(payload), payload])
    )
    (tmp_path / "signature").write_bytes(bundle.envelope.signature)
    hashed = {"P-256": "sha256", "P-384": "sha384", "P-521": "sha512", "RSA": "sha256"}.get(kind)
    how = ["-rawin", "-digest", hashed] if hashed else ["-rawin"]
    openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-in", str(tmp_path / "signed"),
        "-sigfile", str(tmp_path / "signature"), *how,
    )  # fmt: skip


def test_the_bundle_has_the_form_that_cosign_3_reads(tmp_path: Path) -> None:
    private, public = make_key(tmp_path)
    document = json.loads(KeySigner.read(private, passphrase=None).sign(statement()))

    assert document["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True, capture_output=True
    ).stdout
    assert document["verificationMaterial"] == {
        "publicKey": {"hint": base64.b64encode(bytes.fromhex(Digest.of(der).hex)).decode()}
    }
    assert document["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": str(DIGEST), "digest": {"sha256": DIGEST.hex}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }


def test_another_key_or_another_payload_is_refused(tmp_path: Path) -> None:
    private, public = make_key(tmp_path)
    _, other = make_key(tmp_path, name="other")
    bundle = read_bundle(KeySigner.read(private, passphrase=None).sign(statement()))
    with pytest.raises(SignatureError, match="with another key"):
        KeyVerifier.read(other).verify(bundle)

    forged = type(bundle.envelope)(
        payload=statement(Digest.of(b"another image")).to_bytes(), signature=bundle.envelope.signature
    )
    with pytest.raises(IntegrityError, match="was changed"):
        KeyVerifier.read(public).verify(read_bundle(key_bundle(forged, hint=bundle.key_hint or "")))


def test_an_encrypted_key_needs_its_passphrase_and_shows_it_nowhere(tmp_path: Path) -> None:
    secret = PASSPHRASE.reveal()
    private, public = make_key(tmp_path, "-aes256", "-pass", f"pass:{secret}")
    bundle = read_bundle(KeySigner.read(private, passphrase=PASSPHRASE).sign(statement()))
    assert KeyVerifier.read(public).verify(bundle)

    with pytest.raises(ConfigError, match="is encrypted") as missing:
        KeySigner.read(private, passphrase=None)
    assert missing.value.hint == "Set {sign_key_password}"
    with pytest.raises(ConfigError, match="cannot be decrypted") as wrong:
        KeySigner.read(private, passphrase=Redacted("hunter22"))
    assert "hunter22" not in f"{wrong.value}{wrong.value.hint}"
    # A passphrase that a key does not need is no mistake: one variable may serve several keys.
    plain, _ = make_key(tmp_path, name="plain")
    KeySigner.read(plain, passphrase=PASSPHRASE)


def test_files_that_hold_no_such_key_are_named(tmp_path: Path) -> None:
    private, public = make_key(tmp_path)
    cases: list[tuple[Any, str, str]] = [
        (b"not a key", "no private key", r"is not a PEM file with a private key"),
        (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "cosign's", "only cosign reads"),
        (b"x" * 70_000, "too large", "too large"),
    ]
    for content, name, message in cases:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=message) as refused:
            KeySigner.read(path, passphrase=None)
        assert refused.value.facts == (f"file: {path}",)
    with pytest.raises(ConfigError, match="No such file"):
        KeySigner.read(tmp_path / "nothing", passphrase=None)
    with pytest.raises(ConfigError, match="public key") as mixed_up:
        KeyVerifier.read(private)
    assert "-pubout" in (mixed_up.value.hint or "")
    weak = tmp_path / "weak.key"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", str(weak))
    with pytest.raises(ConfigError, match="1024 bits"):
        KeySigner.read(weak, passphrase=None)
    del public


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document["dsseEnvelope"].update(signatures=[]), "exactly one"),
        (lambda document: document["dsseEnvelope"]["signatures"].append({"sig": "AA=="}), "exactly one"),
        (lambda document: document["dsseEnvelope"].update(payloadType="text/plain"), "no in-toto statement"),
        (lambda document: document["dsseEnvelope"].update(payload="%"), "not base64"),
        (lambda document: document.pop("verificationMaterial"), "malformed"),
    ],
)
def test_malformed_bundles_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    private, _ = make_key(tmp_path)
    document = json.loads(KeySigner.read(private, passphrase=None).sign(statement()))
    change(document)
    with pytest.raises(DocumentError) as refused:
        read_bundle(json.dumps(document).encode())
    assert message in str(refused.value)


def test_a_statement_is_about_each_of_its_subjects_and_about_nothing_else() -> None:
    one, another = statement(), statement(Digest.of(b"another"))
    both = Statement(type_=one.type_, subject=(*one.subject, *another.subject), predicate_type=SIGNED, predicate={})
    assert one.is_about(DIGEST)
    assert not one.is_about(Digest.of(b"another"))
    assert both.is_about(Digest.of(b"another"))
    assert not Statement(type_=one.type_, subject=(), predicate_type=SIGNED, predicate={}).is_about(DIGEST)
    with pytest.raises(DocumentError, match="another version"):
        Statement.read(b'{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"x","predicate":{}}')
