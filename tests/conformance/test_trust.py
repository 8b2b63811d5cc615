"""Signed, verified, built again: with the real command, in registries with the referrers API and without it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, Outcome
from debian_registry import debian_registry, needs_registry

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import RegistryClient, RegistrySettings

PASSPHRASE = "correct horse battery"
PACKAGE = {
    "pyproject.toml": '[project]\nname = "demo-app"\nversion = "1.0"\ndependencies = ["demo"]\n',
    "main.py": 'print("hello")\n',
}


@pytest.fixture(params=["fake", pytest.param("docker-registry", marks=needs_registry)])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry with a base image: one with the referrers API, and one without."""
    if request.param == "fake":
        with FakeRegistry() as registry:
            yield _with_base(registry.host)
    else:
        (tmp_path / "registry").mkdir()
        with debian_registry(tmp_path / "registry") as running:
            yield _with_base(running)


def _with_base(host: str) -> str:
    client = RegistryClient(RegistrySettings(environment={}, home=None))
    RegistryDestination(client, [Reference.parse(f"{host}/base:1")]).write(debian_like())
    client.close()
    return host


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    private, public = tmp_path / "signing.key", tmp_path / "signing.pub"
    secret = f"pass:{PASSPHRASE}"
    curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", secret]
    subprocess.run(["openssl", "genpkey", *curve, "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-passin", secret, "-pubout", "-out", public], check=True)
    return private, public


class Published:
    """A project, and its image in a registry."""

    def __init__(self, bench: Bench, host: str, keys: tuple[Path, Path]) -> None:
        self.bench, self.name = bench, f"{host}/acme/app:1"
        self.private, self.public = keys
        self.base = f"{host}/base:1"

    def run(self, command: str, *words: str) -> Outcome:
        environment = {"PYCONTAINER_BASE_IMAGE": self.base, "PYCONTAINER_SIGN_KEY_PASSWORD": PASSPHRASE}
        done = self.bench.build(*words, command=command, environment=environment)
        assert "Traceback" not in done.err
        assert PASSPHRASE not in done.out + done.err
        return done

    def push(self, *words: str) -> str:
        done = self.run("build", "--push", "--tag", self.name, *words)
        assert done.code == 0, done.err
        return done.out.strip()

    def sign(self) -> str:
        return self.push("--sign-key", str(self.private), "--sbom", "spdx", "--provenance", "--env", "MODE=fast")

    def verify(self, *words: str) -> Outcome:
        return self.run("verify", self.name, "--key", str(self.public), *words)

    def reproduce(self, *words: str) -> Outcome:
        return self.run("reproduce", self.name, "--json", *words)


@pytest.fixture
def published(bench: Bench, host: str, keys: tuple[Path, Path]) -> Published:
    bench.lock_forge(WheelForge(files={"demo/data.txt": b"data" * 5000}))
    for name, content in PACKAGE.items():
        bench.write(name, content)
    return Published(bench, host, keys)


def test_what_is_signed_is_verified_and_what_is_not_is_refused(published: Published) -> None:
    unsigned = published.push("--env", "MODE=fast")
    refused = published.verify()
    assert refused.code == 1
    assert "FAILS  signature of linux/amd64: nobody who counts has signed it" in refused.out

    assert published.sign() == unsigned  # what is attached changes no digest
    verified = published.verify("--require", "sbom", "--require", "provenance")
    assert verified.code == 0, verified.out
    assert "provenance of linux/amd64: it is signed with key" in verified.out
    assert "bill of materials (SPDX) of linux/amd64: it is the one that is signed" in verified.out

    before = json.loads(published.verify("--json").out)
    published.sign()
    assert json.loads(published.verify("--json").out) == before  # signing again attaches nothing new


def test_an_image_is_built_again_from_its_provenance(published: Published) -> None:
    digest = published.sign().rpartition("@")[2]
    shutil.rmtree(published.bench.root / "dist", ignore_errors=True)
    for trusted in (["--key", str(published.public)], ["--unsigned"]):
        done = published.reproduce(*trusted)
        assert (done.code, json.loads(done.out)["rebuilt"]) == (0, digest), done.err + done.out


def test_a_planted_difference_is_named_to_the_byte(published: Published) -> None:
    published.sign()
    published.bench.write("main.py", 'print("Hello")\n')
    done = published.reproduce("--key", str(published.public))
    assert done.code == 1
    differences: list[dict[str, Any]] = json.loads(done.out)["differences"]
    (found,) = [each for each in differences if each["path"]]
    assert found["path"] == "app/main.py"
    assert "project files" in found["subject"]
    assert "first byte that differs: 7" in found["facts"]


def test_nothing_is_built_again_of_provenance_that_nobody_signed(published: Published) -> None:
    published.push("--provenance")
    refused = published.reproduce("--key", str(published.public))
    assert refused.code == 1
    assert "has no provenance that is signed by whom it should be" in refused.err
    assert published.reproduce("--unsigned").code == 0


def test_a_layout_is_signed_and_verified_too(published: Published) -> None:
    done = published.run("build", "--sign-key", str(published.private), "--provenance")
    assert done.code == 0, done.err
    layout = str(published.bench.root / "dist/image")
    assert published.run("verify", layout, "--key", str(published.public), "--require", "provenance").code == 0
    blob = max((published.bench.root / "dist/image/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(blob.read_bytes())
    content[-9] ^= 1
    blob.write_bytes(bytes(content))
    damaged = published.run("verify", layout, "--key", str(published.public))
    assert damaged.code != 0


def test_a_key_that_cannot_be_used_costs_no_build(published: Published) -> None:
    done = published.run("build", "--sign-key", "missing.key")
    assert done.code == 2
    assert "The private key cannot be read" in done.err
    assert not (published.bench.root / "dist").exists()
