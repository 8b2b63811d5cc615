"""Bundles of ours, read and checked by Sigstore's own JavaScript library."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from pycontainer.attest.signing.bundle import read_bundle
from pycontainer.attest.signing.keys import KeySigner, KeyVerifier
from pycontainer.attest.signing.statement import SIGNED, Statement
from pycontainer.oci import Digest

pytestmark = pytest.mark.network

DIGEST: Final = Digest.of(b"an image")
PACKAGES: Final = ("@sigstore/bundle@4.0.0", "@sigstore/verify@3.1.1")
# Called with the bundle, the public key (PEM) and what the library calls the kind of key.
PROGRAM: Final = """
const fs = require("fs"), crypto = require("crypto");
const { bundleFromJSON, assertBundleLatest } = require("@sigstore/bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const [bundlePath, keyPath, keyDetails] = process.argv.slice(2);
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundlePath)));
assertBundleLatest(bundle);
const rawBytes = crypto.createPublicKey(fs.readFileSync(keyPath)).export({ type: "spki", format: "der" });
const hint = bundle.verificationMaterial.content.publicKey.hint;
const root = { mediaType: "", tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
const trust = toTrustMaterial(root, { [hint]: { rawBytes, keyDetails, validFor: undefined } });
const limits = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
new Verifier(trust, limits).verify(toSignedEntity(bundle));
console.log(Buffer.from(bundle.content.dsseEnvelope.payload).toString());
"""
KINDS: Final = {
    "P-256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "PKIX_ECDSA_P256_SHA_256"),
    "Ed25519": (["-algorithm", "ED25519"], "PKIX_ED25519"),
}


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    (folder / "check.js").write_text(PROGRAM)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["node", "check.js", *map(str, arguments)]
        return subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_sigstores_own_library_accepts_our_bundle_and_refuses_a_changed_one(
    tmp_path: Path, kind: str, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    how, details = KINDS[kind]
    private, public = tmp_path / "signing.key", tmp_path / "signing.pub"
    subprocess.run(["openssl", "genpkey", *how, "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    statement = Statement.about(DIGEST, predicate_type=SIGNED, predicate={})
    content = KeySigner.read(private, passphrase=None).sign(statement)

    (tmp_path / "bundle.json").write_bytes(content)
    accepted = check(tmp_path / "bundle.json", public, details)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.encode().strip() == statement.to_bytes()

    other = KeySigner.read(private, passphrase=None).sign(
        Statement.about(Digest.of(b"another image"), predicate_type=SIGNED, predicate={})
    )
    payloads = [read_bundle(each).envelope.payload for each in (content, other)]
    mine, theirs = (base64.b64encode(payload) for payload in payloads)
    (tmp_path / "changed.json").write_bytes(content.replace(mine, theirs))
    refused = check(tmp_path / "changed.json", public, details)
    assert refused.returncode != 0
    assert "signature" in refused.stderr
    KeyVerifier.read(public).verify(read_bundle(content))
