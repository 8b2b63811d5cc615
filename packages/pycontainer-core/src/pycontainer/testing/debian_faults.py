"""What can be wrong with a Debian archive: each a function that does it to an `ArchiveServer` that was published.

    RELEASE_FAULTS["changed"](archive)
    with pytest.raises(IntegrityError): ...

Every one of them must end in an error, whatever verifies the signatures.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from pycontainer.testing.debian_archive import ArchiveServer, SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pycontainer.testing.debian_archive import ArchiveHandler

IN_RELEASE: Final = "debian/dists/bookworm/InRelease"
_MARK: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"


def _change(change: Callable[[bytes], bytes]) -> Callable[[ArchiveServer], None]:
    def fault(archive: ArchiveServer) -> None:
        archive.files[IN_RELEASE] = change(archive.files[IN_RELEASE])

    return fault


def _unsigned(archive: ArchiveServer) -> None:
    archive.files[IN_RELEASE] = archive.files["debian/dists/bookworm/Release"]


def _signed_by_another(archive: ArchiveServer) -> None:
    archive.files[IN_RELEASE] = SigningKey.make("Somebody Else").clear_sign(
        archive.files["debian/dists/bookworm/Release"]
    )


def _without_signature(content: bytes) -> bytes:
    head = content.partition(b"-----BEGIN PGP SIGNATURE-----")[0]
    return head + b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"


def _of_another_suite(archive: ArchiveServer) -> None:
    """A release that the same key signed, but for another suite: what a mirror can always get."""
    archive.packages[("trixie", "main")] = archive.packages[("bookworm", "main")]
    archive.publish("trixie")
    archive.files[IN_RELEASE] = archive.files["debian/dists/trixie/InRelease"]


def _expired(archive: ArchiveServer) -> None:
    archive.publish(date=datetime.now(timezone.utc) - timedelta(days=10), valid_for=timedelta(days=7))


def _of_the_future(archive: ArchiveServer) -> None:
    archive.publish(date=datetime.now(timezone.utc) + timedelta(days=30))


RELEASE_FAULTS: Final[Mapping[str, Callable[[ArchiveServer], None]]] = {
    "changed": _change(lambda content: content.replace(b"Label: Forged", b"Label: forged")),
    "line added": _change(lambda content: content.replace(b"Label: Forged", b"Label: Forged\nX-Evil: yes")),
    "unsigned": _unsigned,
    "no signature in its signature": _change(_without_signature),
    "signed by another": _signed_by_another,
    "of another suite": _of_another_suite,
    "expired": _expired,
    "of the future": _of_the_future,
    "text before": _change(lambda content: b"Suite: evil\n\n" + content),
    "text after": _change(lambda content: content + b"\nSuite: evil\n"),
    "two parts": _change(lambda content: content + content),
    "a part in a part": _change(lambda content: content.replace(b"\nLabel:", b"\n" + _MARK + b"\n\nLabel:")),
    "another header": _change(lambda content: content.replace(b"\nHash:", b"\nNotDashEscaped: yes\nHash:", 1)),
    "cut off": _change(lambda content: content[: len(content) // 2]),
    "empty": _change(lambda content: content[:0]),
    "endless": _change(lambda content: content + b"\n" * (17 << 20)),
    "binary": _change(lambda content: b"\x00\xff" * 1000 + content[:0]),
}
"""The release is not to be believed."""


def _each_index(change: Callable[[bytes], bytes]) -> Callable[[ArchiveServer], None]:
    def fault(archive: ArchiveServer) -> None:
        for path in [path for path in archive.files if "/binary-" in path]:
            archive.files[path] = change(archive.files[path])

    return fault


def _unpacks_to_something_else(archive: ArchiveServer) -> None:
    """The release vouches for both forms of the index, and one is not the other."""
    archive.publish(
        listed=lambda indexes: {
            name: b"x" * len(content) if name.endswith("Packages") else content for name, content in indexes.items()
        }
    )


def _unpacks_to_more(archive: ArchiveServer) -> None:
    archive.publish(
        listed=lambda indexes: {
            name: content[:-10] if name.endswith("Packages") else content for name, content in indexes.items()
        }
    )


INDEX_FAULTS: Final[Mapping[str, Callable[[ArchiveServer], None]]] = {
    "wrong bytes": _each_index(lambda content: b"x" * len(content)),
    "too long": _each_index(lambda content: content + b"\nPackage: evil\n"),
    "too short": _each_index(lambda content: content[:-1]),
    "unpacks to something else": _unpacks_to_something_else,
    "unpacks to more": _unpacks_to_more,
}
"""The release is good, and an index is not what it lists."""


def _each_deb(change: Callable[[bytes], bytes]) -> Callable[[ArchiveServer], None]:
    def fault(archive: ArchiveServer) -> None:
        for path in [path for path in archive.files if path.endswith(".deb")]:
            archive.files[path] = change(archive.files[path])

    return fault


DEB_FAULTS: Final[Mapping[str, Callable[[ArchiveServer], None]]] = {
    "wrong bytes": _each_deb(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "too long": _each_deb(lambda content: content + b"\n"),
    "too short": _each_deb(lambda content: content[:-1]),
    "empty": _each_deb(lambda content: content[:0]),
}
"""The index is good, and a package is not what it names."""


def cut_off_once(part: str) -> Callable[[ArchiveHandler], object]:
    """A fault of the server: the first answer to a path with this part ends in the middle."""
    done: list[str] = []

    def fault(handler: ArchiveHandler) -> bool:
        if part not in handler.path or done:
            return False
        done.append(handler.path)
        content = handler.archive.files[handler.path.lstrip("/")]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True
        return True

    return fault
