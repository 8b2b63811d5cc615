"""The trusted certificates: what update-ca-certificates and openssl rehash write."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.effects.certificates import trust
from pycontainer.sources.debian.effects.subject_hash import subject_hash

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

SUBJECTS = [
    "/C=de/O=  Two  words \t here /CN=É Ünïcode",
    "/CN=plain",
    "/C=US/ST=x/L=y/O=ACME/OU=a+CN=multi/emailAddress=A@B.example",
    "/O=" + "long " * 12,
]


def certificate(folder: Path, subject: str, *options: str) -> bytes:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(folder / "key"), "-out", str(folder / "crt"), "-days", "9", "-utf8"]
    subprocess.run([*command, "-multivalue-rdn", "-subj", subject, *options], check=True, capture_output=True)
    return (folder / "crt").read_bytes()


@needs_openssl
@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_number_of_a_certificate_is_the_one_of_openssl(tmp_path: Path, subject: str) -> None:
    content = certificate(tmp_path, subject)
    command = ["openssl", "x509", "-in", str(tmp_path / "crt"), "-noout", "-subject_hash"]
    expected = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert subject_hash(content) == expected


@needs_openssl
def test_links_are_those_of_rehash(tmp_path: Path) -> None:
    same = [certificate(tmp_path, "/CN=same") for _ in range(2)]
    names = {"mozilla/B,_(1) x.crt": same[0], "mozilla/A.crt": same[1].rstrip(b"\n"), "mozilla/C.crt": same[0]}
    folder = tmp_path / "certs"
    folder.mkdir()
    result = trust(certificates=names, local={"own.crt": certificate(tmp_path, "/CN=own"), "own.txt": b"no"})
    made = {path.rpartition("/")[2]: target for path, target in result.links.items()}
    assert {name: target for name, target in made.items() if name.endswith(".pem")} == {
        "A.pem": "/usr/share/ca-certificates/mozilla/A.crt",
        "B__=1=_x.pem": "/usr/share/ca-certificates/mozilla/B,_(1) x.crt",
        "C.pem": "/usr/share/ca-certificates/mozilla/C.crt",
        "own.pem": "/usr/local/share/ca-certificates/own.crt",
    }
    contents = {
        "A.pem": same[1],
        "B__=1=_x.pem": same[0],
        "C.pem": same[0],
        "own.pem": result.bundle.split(same[0])[-1],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    real = {path.name: path.readlink().name for path in folder.iterdir() if path.is_symlink()}
    assert {name: target for name, target in made.items() if not name.endswith(".pem")} == real
    assert result.bundle.startswith(same[1] + same[0])
    assert result.configuration.splitlines()[-3:] == ["mozilla/A.crt", "mozilla/B,_(1) x.crt", "mozilla/C.crt"]


NONE = [
    b"",
    b"\x30",
    b"\x30\x84\xff\xff\xff\xff",
    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    b"\x30\x80" * 50,
    b"\x30\x03\x30\x01\x00",
]


@pytest.mark.parametrize("content", NONE)
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError):
        subject_hash(content)
    with pytest.raises(DocumentError, match=r"`x\.pem`"):
        trust(certificates={"x.crt": content}, local={})
