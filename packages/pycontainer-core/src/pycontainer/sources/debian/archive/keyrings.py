"""Which keys an archive's signature is believed for: those of its source, else of the base image, else of this host.

    keyrings = Keyrings(base=state.files, host=host_files())
    for keyring in keyrings.of(source): keyring.name, keyring.keys

Files may be armored or binary. gpgv reads binary ones only, so that armor is taken off here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence  # noqa: TC003 - dataclasses keep their annotations readable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError, PackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.sources.debian.archive.apt_sources import AptSource

# What apt trusts where a source names no keys, and the keyrings of the distributions themselves.
_DEFAULT: Final = re.compile(
    r"etc/apt/trusted\.gpg(?:\.d/[^/]+\.(?:gpg|asc))?|usr/share/keyrings/(?:debian|ubuntu)-archive-keyring\.(?:gpg|pgp|asc)"
)
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{40,64}!?")
_ARMOR: Final = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t\r]*\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)
_HEADERS: Final = re.compile(rb"(?:[!-9;-~]+: [^\n]*\n)*[ \t\r]*\n")
_SUFFIXES: Final = ("gpg", "pgp", "asc")
# RFC 9580, 4.2: the first byte of a packet, and the type of a public key.
_PACKET, _NEW_FORMAT, _PUBLIC_KEY = 0x80, 0x40, 6
_MAX_SIZE: Final = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """Public keys.

    Attributes:
        name: Where they come from.
        keys: Transferable public keys (RFC 9580, 10.1), one after the other, without armor.
    """

    name: str
    keys: bytes = field(repr=False)

    @classmethod
    def parse(cls, name: str, content: bytes) -> Keyring:
        """Read a file of keys, armored or not.

        Raises:
            DocumentError: Something else, such as GnuPG's own keybox.
        """
        if len(content) > _MAX_SIZE:
            raise DocumentError(f"The keyring `{name}` is larger than {_MAX_SIZE >> 20} MB")
        keys = _dearmored(name, content) if b"-----BEGIN PGP" in content[:4096] else content
        first = keys[0] if keys else 0
        kind = first & 0x3F if first & _NEW_FORMAT else (first >> 2) & 0xF
        if not first & _PACKET or kind != _PUBLIC_KEY:
            raise DocumentError(
                f"`{name}` holds no OpenPGP keys", hint="Export them with `gpg --export`, with or without `--armor`"
            )
        return cls(name=name, keys=keys)


def _dearmored(name: str, content: bytes) -> bytes:
    """The keys of one or more armored blocks (RFC 9580, 6.2); their checksum is optional and not looked at."""
    blocks = _ARMOR.findall(content.replace(b"\r\n", b"\n"))
    if not blocks:
        raise DocumentError(f"`{name}` holds no armored OpenPGP keys")
    try:
        return b"".join(_decoded(block) for block in blocks)
    except binascii.Error as error:
        raise DocumentError(f"The armor of the keys in `{name}` is damaged") from error


def _decoded(block: bytes) -> bytes:
    head = _HEADERS.match(block)
    lines = block[head.end() if head else 0 :].split()
    return base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")), validate=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyrings:
    """The files that keys may be in.

    Attributes:
        given: Keys that the user named, for sources that name none.
        base: Files of the base image, by path from its root.
        host: Files of this host, so.
    """

    given: Sequence[Keyring] = ()
    base: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    host: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def of(self, source: AptSource) -> tuple[Keyring, ...]:
        """The keys whose signatures count for a source, at least one keyring.

        Raises:
            PackageError: There are none.
            DocumentError: The file that the source names is none of keys.
        """
        inline = [text for text in source.signed_by if text.startswith("-----BEGIN")]
        if inline:
            return tuple(Keyring.parse(f"Signed-By of {source.file}", text.encode()) for text in inline)
        paths = [text for text in source.signed_by if not _FINGERPRINT.fullmatch(text)]
        if paths:
            named = [self._named(path) for path in paths]
            if found := [keyring for keyring in named if keyring is not None]:
                return tuple(found)
        chosen = tuple(self.given) or tuple(_defaults(self.base, "base image")) or tuple(_defaults(self.host, "host"))
        if paths and not self.given:
            chosen = ()
        if not chosen:
            raise PackageError(
                f"No keys are known that `{source}` may be signed with",
                facts=[f"it names `{path}`, which neither the base image nor this host has" for path in paths]
                or ["looked for: the archive keyrings of the base image and of this host"],
                hint="Set {os_keyring} to a file with the archive's keys (this host's package of them is called "
                "`debian-archive-keyring` or `ubuntu-keyring`), or build from a lock, which needs none",
            )
        return chosen

    def _named(self, path: str) -> Keyring | None:
        """The keyring at a path; newer releases call the same file `.pgp` and link the old name to it."""
        stem, dot, suffix = path.lstrip("/").rpartition(".")
        others = [f"{stem}.{other}" for other in _SUFFIXES if dot and suffix in _SUFFIXES and other != suffix]
        for files in (self.base, self.host):
            for name in (path.lstrip("/"), *others):
                content = files.get(name, files.get(f"/{name}"))
                if content is not None:
                    return Keyring.parse(f"/{name}", content)
        return None


def _defaults(files: Mapping[str, bytes], owner: str) -> Iterator[Keyring]:
    for path in sorted(files):
        if _DEFAULT.fullmatch(path.lstrip("/")):
            try:
                yield Keyring.parse(f"/{path.lstrip('/')} of the {owner}", files[path])
            except DocumentError:  # apt passes over what it cannot read there, too
                continue


def fingerprints(source: AptSource) -> frozenset[str]:
    """The keys that a source wants by fingerprint, in upper case; empty where any of its keyrings will do."""
    found = [text for text in source.signed_by if _FINGERPRINT.fullmatch(text)]
    return frozenset(text.rstrip("!").upper() for text in found)
