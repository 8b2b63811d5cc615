"""A bench with operating system packages: a base of Debian, an archive that has more, and the key it is signed with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, Outcome

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import Image
from pycontainer.oci import Platform
from pycontainer.testing.debian_archive import ArchiveServer, SigningKey, serving_archive
from pycontainer.testing.debs import DebForge, ForgedFile, forged_link
from pycontainer.testing.images import AMD64, File, Forged, debian_like, elf, forge_image, forge_layer
from pycontainer.testing.libraries import forge_library
from pycontainer.testing.wheels import WheelForge

ARM64 = Platform("linux", "arm64")
OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
PLACES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LIBC = "2.36-9+deb12u4"


def status_of(*packages: str, architecture: str = "amd64") -> str:
    """A dpkg database of packages, each `name version`."""
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: {architecture}\n"
        f"Version: {version}\nDescription: forged\n"
        for name, version in (package.split() for package in packages)
    )


def bookworm_like(*entries: Forged, platform: Platform = AMD64, packages: tuple[str, ...] = ()) -> Image:
    """An image with Python that says it is Debian 12; it names no apt sources."""
    base = debian_like("3.12.4", platform=platform)
    status = status_of(f"libc6 {LIBC}", *packages, architecture=platform.architecture)
    above = [File("usr/lib/os-release", OS_RELEASE.encode()), File("var/lib/dpkg/status", status.encode()), *entries]
    environment = base.config.config.environment
    return forge_image([*base.layers, forge_layer(above)], environment=environment, platform=platform)


def library_package(
    name: str = "libdemo1", version: str = "2.0", *, architecture: str = "amd64", **other: Any
) -> DebForge:
    """A package with the shared library `libdemo.so.1`."""
    path = f"usr/lib/{PLACES[architecture]}/lib{name.removeprefix('lib')[:-1]}.so.1"
    soname = path.rpartition("/")[2]
    fields = {"Depends": "libc6 (>= 2.17)", **other.pop("fields", {})}
    files = {path: forge_library(soname=soname), f"usr/share/doc/{name}/copyright": b"free\n"}
    return DebForge(name=name, version=version, architecture=architecture, fields=fields, files=files, **other)


def python_package() -> DebForge:
    """All that a base needs to be one, in a package: an interpreter where Debian has it, and its C library."""
    files: dict[str, bytes | ForgedFile] = {
        "usr/bin/python3.11": ForgedFile(content=elf("/lib64/ld-linux-x86-64.so.2"), mode=0o755),
        "usr/bin/python3": forged_link("python3.11"),
        "usr/lib/x86_64-linux-gnu/libc.so.6": b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n",
        "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2": elf(""),
        "usr/lib/os-release": OS_RELEASE.encode(),
        "usr/lib/python3.11/_sysconfigdata__linux_x86_64-linux-gnu.py": b"",
    }
    return DebForge(name="python3.11-minimal", version="3.11.2-6", files=files)


@dataclass
class DebianBench:
    """A bench, and where its operating system packages come from.

    Attributes:
        bench: A project that builds.
        archive: Has `libdemo1` and `demo-tools`, which needs it, in `bookworm/main`.
        keyring: What it is signed with.
    """

    bench: Bench
    archive: ArchiveServer
    keyring: Path

    @property
    def variables(self) -> dict[str, str]:
        """The options that name the archive."""
        return {"PYCONTAINER_OS_ARCHIVE": self.archive.uri, "PYCONTAINER_OS_KEYRING": str(self.keyring)}

    @property
    def lock(self) -> Path:
        """`pycontainer.lock`."""
        return self.bench.root / "pycontainer.lock"

    def run(self, command: str, *arguments: str, **variables: str) -> Outcome:
        """A command that succeeds."""
        outcome = self.call(command, *arguments, **variables)
        assert outcome.code == 0, outcome.err
        return outcome

    def call(self, command: str, *arguments: str, **variables: str) -> Outcome:
        """A command, however it ends."""
        return self.bench.build(*arguments, command=command, environment={**self.variables, **variables})

    def refuses(
        self, *facts: str, code: int = 1, command: str = "build", arguments: tuple[str, ...] = (), **variables: str
    ) -> str:
        """A command that fails as promised; what lock there is stays."""
        before = self.lock.read_bytes() if self.lock.exists() else None
        environment = {**self.variables, **variables}
        said = self.bench.refuses(*facts, code=code, command=command, arguments=arguments, environment=environment)
        assert (self.lock.read_bytes() if self.lock.exists() else None) == before
        return said

    def make_base(self, name: str, image: Image) -> str:
        """Write a base image, and give its name."""
        path = self.bench.root.parent / name
        LayoutDestination(path).write(image)
        return f"oci:{path}"


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    """The key of the archive."""
    return SigningKey.make()


@pytest.fixture
def debian(bench: Bench, signing_key: SigningKey) -> Iterator[DebianBench]:
    """A project upon a base of Debian 12, and an archive for it."""
    bench.lock_forge(WheelForge())
    with serving_archive(signing_key) as archive:
        for architecture in PLACES:
            archive.add(library_package(architecture=architecture))
            fields = {"Depends": "libdemo1 (>= 1.0)"}
            archive.add(DebForge(name="demo-tools", architecture=architecture, fields=fields))
        archive.publish(architectures=tuple(PLACES))
        keyring = bench.root.parent / "archive.gpg"
        keyring.write_bytes(signing_key.public)
        made = DebianBench(bench=bench, archive=archive, keyring=keyring)
        base = made.make_base("bookworm", bookworm_like())
        bench.base = Path(base.removeprefix("oci:"))
        yield made
