"""A signed Debian archive on loopback, real but for the faults that a test asks for.

    with serving_archive(SigningKey.make()) as archive:
        archive.add(DebForge(name="demo"))
        archive.publish()
        archive.sources()                                   # what `Archive` is made of
        archive.files["debian/dists/bookworm/InRelease"]    # everything it serves; a test may change it

Keys are made when they are wanted, and sign with pysequoia (`pycontainer-core[debian]`). What can be wrong with an
archive is in `debian_faults`. Every request is remembered with its headers.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from pycontainer.sources.debian.archive import AptSource, Keyring, Keyrings
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.testing.debs import DebForge, forge_compressed
from pycontainer.testing.loopback import AnsweringHandler, serving_on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_ROOT: Final = "debian"


class SigningKey:
    """A key that signs releases.

    Args:
        secret: Of pysequoia.
        public: The key as a keyring has it, without armor.
    """

    def __init__(self, secret: Any, public: bytes) -> None:
        self._secret = secret
        self.public = public

    @classmethod
    def make(cls, name: str = "Forged Archive <forge@example.org>") -> SigningKey:
        """A new key, which is valid for ever, and its owner's name."""
        import pysequoia  # noqa: PLC0415 - an optional dependency

        secret = pysequoia.Tsk.generate(name, profile=pysequoia.Profile.RFC4880)
        return cls(secret, bytes(secret.extract_certificate()))

    @property
    def fingerprint(self) -> str:
        """Of the primary key, in upper case."""
        return str(self._secret.extract_certificate().fingerprint).upper()

    @property
    def armored(self) -> str:
        """The public key as text."""
        import pysequoia  # noqa: PLC0415 - as above

        return str(pysequoia.armor(self.public, pysequoia.ArmorKind.PublicKey))

    def keyring(self, name: str = "forged.gpg") -> Keyring:
        """The public key as the keyring of an archive."""
        return Keyring.parse(name, self.public)

    def expired(self) -> bytes:
        """The public key with a last second, which is over when this returns; until then it was a good one."""
        certificate = self._secret.extract_certificate()
        last = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
        limited = certificate.set_expiration(last, self._secret.certifier())
        while datetime.now(timezone.utc) <= last + timedelta(seconds=1):  # of whole seconds
            time.sleep(0.05)
        return bytes(limited)

    def revoked(self) -> bytes:
        """The public key with its own revocation."""
        from pysequoia.packet import PacketPile  # noqa: PLC0415 - as above

        certificate = self._secret.extract_certificate()
        first, *rest = (bytes(packet) for packet in PacketPile.from_bytes(self.public))
        return b"".join([first, bytes(certificate.revoke(self._secret.certifier())), *rest])

    def clear_sign(self, text: bytes) -> bytes:
        """A clear-signed message (RFC 9580, 7)."""
        import pysequoia  # noqa: PLC0415 - as above

        return bytes(pysequoia.sign(self._secret.signer(), text, mode=pysequoia.SignatureMode.CLEAR))


@dataclass
class ArchiveServer:
    """An archive below `debian/`.

    Attributes:
        key: Signs its releases.
        url: Scheme, host and port.
        files: Everything it serves, by path, without a slash before it.
        packages: What was added, by suite and component.
        user: Name and password that every request must have.
        tells_changes: Whether it gives `ETag` and answers 304.
        requests: Path and headers, in lower case, of each.
        faults: Asked before anything is answered; one that returns true has answered itself.
        hidden: Suffixes of paths that it denies to have.
    """

    key: SigningKey
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    packages: dict[tuple[str, str], list[DebForge]] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    tells_changes: bool = True
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[Callable[[ArchiveHandler], object]] = field(default_factory=list)
    hidden: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The address that stands in `sources.list`."""
        return f"{self.url}/{_ROOT}"

    def sources(
        self, suite: str = "bookworm", *, components: Sequence[str] = ("main",), **fields: Any
    ) -> tuple[AptSource]:
        """The one source of a suite."""
        return (AptSource(uri=self.uri, suite=suite, components=tuple(components), **fields),)

    def keyrings(self) -> Keyrings:
        """Its key."""
        return Keyrings(given=[self.key.keyring()])

    def add(self, forge: DebForge, *, suite: str = "bookworm", component: str = "main") -> BinaryPackage:
        """Put a package into the pool; `publish` tells of it."""
        path = f"pool/{component}/{forge.filename}"
        self.files[f"{_ROOT}/{path}"] = forge.build()
        self.packages.setdefault((suite, component), []).append(forge)
        return BinaryPackage.of(Paragraph.parse(forge.stanza(path).encode()))

    def publish(
        self,
        suite: str = "bookworm",
        *,
        architectures: Sequence[str] = ("amd64",),
        date: datetime | None = None,
        valid_for: timedelta | None = timedelta(days=7),
        by_hash: bool = True,
        suffixes: Sequence[str] = (".xz", ""),
        fields: Mapping[str, str] | None = None,
        listed: Callable[[dict[str, bytes]], Mapping[str, bytes]] = dict,
    ) -> None:
        """Write the indexes of a suite and its release, signed.

        Args:
            suite: Its codename.
            architectures: Each has an index of its own, which holds what is for `all` as well.
            date: Of the release; now where none is given.
            valid_for: How long from the date it may be believed; none is for ever.
            by_hash: Whether the indexes can be asked for by hash.
            suffixes: Of the indexes that are served; all are listed.
            fields: Others of the release, or instead of those it has.
            listed: What the release says of the indexes, where that is not what they are.
        """
        indexes: dict[str, bytes] = {}
        for (of_suite, component), forges in sorted(self.packages.items()):
            for architecture in architectures if of_suite == suite else ():
                name = f"{component}/binary-{architecture}/Packages"
                text = _packages(forges, component, architecture)
                indexes |= {f"{name}{suffix}": forge_compressed(text, suffix[1:]) for suffix in (".xz", ".gz", "")}
        folder = f"{_ROOT}/dists/{suite}"
        for stale in [path for path in self.files if path.startswith(f"{folder}/")]:
            del self.files[stale]
        for name, content in indexes.items():
            if name.endswith(tuple(suffix for suffix in suffixes if suffix)) or ("" in suffixes and "." not in name):
                self.files[f"{folder}/{name}"] = content
                if by_hash:
                    place = f"{name.rpartition('/')[0]}/by-hash/SHA256/{hashlib.sha256(content).hexdigest()}"
                    self.files[f"{folder}/{place}"] = content
        made = date or datetime.now(timezone.utc)
        said = {
            "Origin": "Forged",
            "Label": "Forged",
            "Suite": "stable",
            "Codename": suite,
            "Date": _date(made),
            **({"Valid-Until": _date(made + valid_for)} if valid_for is not None else {}),
            "Acquire-By-Hash": "yes" if by_hash else "no",
            "Architectures": " ".join(architectures),
            "Components": " ".join(sorted({part for of, part in self.packages if of == suite})),
            **(fields or {}),
            "SHA256": "".join(
                f"\n {hashlib.sha256(content).hexdigest()} {len(content):16} {name}"
                for name, content in listed(indexes).items()
            ),
        }
        release = "".join(f"{name}: {value}\n" for name, value in said.items())
        self.files[f"{folder}/Release"] = release.encode()
        self.files[f"{folder}/InRelease"] = self.key.clear_sign(release.encode())

    def asked(self, part: str = "") -> list[str]:
        """The paths that were requested and have this part."""
        return [path for path, _ in self.requests if part in path]


def _packages(forges: Sequence[DebForge], component: str, architecture: str) -> bytes:
    wanted = [forge for forge in forges if forge.architecture in {architecture, "all"}]
    return "\n".join(forge.stanza(f"pool/{component}/{forge.filename}") for forge in wanted).encode()


def _date(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%a, %d %b %Y %H:%M:%S UTC}"


class ArchiveHandler(AnsweringHandler):
    """Answers for an `ArchiveServer`."""

    archive: ArchiveServer

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        """A file."""
        archive = self.archive
        if not self.admits(archive):
            return
        path = unquote(self.path).lstrip("/")
        content = archive.files.get(path)
        if content is None or path.endswith(archive.hidden):
            self.send(404)
            return
        self._send_file(content)

    def _send_file(self, content: bytes) -> None:
        headers: dict[str, Any] = {}
        if self.archive.tells_changes:
            headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                self.send(304, **headers)
                return
        self.send_content(content, **headers)


@contextlib.contextmanager
def serving_archive(key: SigningKey) -> Iterator[ArchiveServer]:
    """An archive that is there until the context ends."""
    archive = ArchiveServer(key=key)
    with serving_on_loopback(type("Handler", (ArchiveHandler,), {"archive": archive})) as archive.url:
        yield archive
