"""Signatures of ours against Sigstore's own libraries: the JavaScript one checks, the Python one signs.

The servers that an identity needs, `tests/support/sigstore/server.js` is, on loopback.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from pycontainer.attest.signing.bundle import read_bundle
from pycontainer.attest.signing.keyless import TOKEN_VARIABLE, IdentitySigner, IdentityVerifier
from pycontainer.attest.signing.keys import KeySigner
from pycontainer.attest.statement import SIGNED, Statement
from pycontainer.errors import ConfigError, PyContainerError, SignatureError
from pycontainer.oci import Digest

pytestmark = pytest.mark.network

SUPPORT: Final = Path(__file__).parents[1] / "support/sigstore"
PACKAGES: Final = ("@sigstore/bundle@4.0.0", "@sigstore/mock@0.13.0", "@sigstore/verify@3.1.1")
STATEMENT: Final = Statement.about(Digest.of(b"an image"), predicate_type=SIGNED, predicate={})
OTHER: Final = Statement.about(Digest.of(b"another image"), predicate_type=SIGNED, predicate={})
WORKFLOW: Final = "https://ci.example/acme/api/.github/workflows/release.yml@refs/heads/main"
ISSUER: Final = "https://token.ci.example"
# How openssl makes a key, and what Sigstore calls its kind.
KINDS: Final = {
    "P-256": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "PKIX_ECDSA_P256_SHA_256"),
    "Ed25519": (["-algorithm", "ED25519"], "PKIX_ED25519"),
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the libraries and our programs."""
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    for program in SUPPORT.glob("*.js"):
        shutil.copy(program, folder)
    return folder


@pytest.fixture(scope="module")
def trust(node: Path) -> Iterator[Path]:
    """The trust config of a Sigstore that runs meanwhile."""
    with subprocess.Popen(["node", "server.js"], cwd=node, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        path = node / "trust.json"
        path.write_text(server.stdout.readline())
        yield path
        server.kill()


def token(subject: str = WORKFLOW, *, lifetime: int = 300) -> str:
    """What a CI service says of a job; the CA of the tests believes it unsigned."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {"iss": ISSUER, "sub": subject, "aud": "sigstore", "iat": now - 10, "nbf": now - 10, "exp": now + lifetime}
    return ".".join([part({"alg": "ES256", "typ": "JWT"}), part(claims), part("signature")])


@pytest.mark.parametrize("kind", KINDS)
def test_sigstores_own_library_accepts_our_bundle_and_refuses_a_changed_one(
    tmp_path: Path, kind: str, node: Path
) -> None:
    how, details = KINDS[kind]
    private, public, bundle = (tmp_path / name for name in ("signing.key", "signing.pub", "bundle.json"))
    subprocess.run(["openssl", "genpkey", *how, "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    content, other = (KeySigner.read(private, passphrase=None).sign(each) for each in (STATEMENT, OTHER))

    def check(content: bytes) -> subprocess.CompletedProcess[str]:
        bundle.write_bytes(content)
        return subprocess.run(
            ["node", "check.js", bundle, public, details], cwd=node, check=False, capture_output=True, text=True
        )

    accepted = check(content)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.encode().strip() == STATEMENT.to_bytes()
    mine, theirs = (base64.b64encode(read_bundle(each).envelope.payload) for each in (content, other))
    refused = check(content.replace(mine, theirs))
    assert refused.returncode != 0
    assert "signature" in refused.stderr


def test_an_identity_signs_and_is_recognised(trust: Path) -> None:
    content = IdentitySigner.of(trust=trust, environment={TOKEN_VARIABLE: token()}).sign(STATEMENT)
    bundle = read_bundle(content)
    assert Statement.read(bundle.envelope.payload).is_about(Digest.of(b"an image"))

    verifier = IdentityVerifier(identity=WORKFLOW, issuer=ISSUER, trust=trust)
    assert verifier.verify(bundle) == f"identity {WORKFLOW} ({ISSUER})"
    for wrong in (
        IdentityVerifier(identity=f"{WORKFLOW}-fork", issuer=ISSUER, trust=trust),
        IdentityVerifier(identity=WORKFLOW, issuer="https://issuer.example", trust=trust),
        IdentityVerifier(identity=WORKFLOW, issuer=ISSUER, trust=None),  # Sigstore's own, which knows nothing of it
    ):
        with pytest.raises(PyContainerError):
            wrong.verify(bundle)

    document = json.loads(content)
    document["dsseEnvelope"]["payload"] = base64.b64encode(OTHER.to_bytes()).decode()
    with pytest.raises(SignatureError):
        verifier.verify(read_bundle(json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "There is no identity to sign as"),
        ({TOKEN_VARIABLE: "hunter2-not-a-token"}, "is malformed or has expired"),
        ({TOKEN_VARIABLE: token(lifetime=-5)}, "is malformed or has expired"),
    ],
)
def test_who_has_no_identity_is_told_and_no_token_is_shown(
    trust: Path, environment: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=message) as refused:
        IdentitySigner.of(trust=trust, environment=environment)
    assert all(value not in f"{refused.value}{refused.value.hint}" for value in environment.values())


def test_a_trust_config_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{}")
    for name, message in (("trust.json", "malformed"), ("missing.json", "cannot be read")):
        with pytest.raises(ConfigError, match=message) as refused:
            IdentitySigner.of(trust=tmp_path / name, environment={TOKEN_VARIABLE: token()})
        assert refused.value.facts == (f"file: {tmp_path / name}",)
