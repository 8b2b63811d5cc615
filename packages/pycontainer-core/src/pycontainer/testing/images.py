r"""Images made from a few lines, plausible or hostile, for tests of whatever reads base images.

layer = forge_layer([File("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"), Link("bin", "usr/bin"), Gone("tmp")])
image = forge_image([layer], environment={"PATH": "/usr/bin"})
debian_like("3.12.4"), alpine_like("3.12.4"), distroless_like("3.11.2")
"""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.blobs.blob import BytesBlob
from pycontainer.image import Image
from pycontainer.layers.layer import Layer
from pycontainer.oci import ContainerConfig, Digest, ImageConfig, Platform, RootFS, media_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AMD64 = Platform("linux", "amd64")
PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"
GROUP = b"root:x:0:\n"
# Of the libraries of a slim image those that wheels may count on (PEP 513 and its heirs), and Debian's loader.
_SLIM = (
    "ld-linux-x86-64.so.2",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
    "libz.so.1",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file. Its path goes into the tar as it is, however bad."""

    path: str
    content: bytes = b""
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, or with `hard` another name of a file."""

    path: str
    target: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory."""

    path: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A whiteout of one path."""

    path: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A directory that hides what lower layers have in it."""

    path: str


Forged = File | Link | Folder | Gone | Opaque


def forge_tar(entries: Sequence[Forged]) -> bytes:
    """A tar of entries in the order given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            info, content = _member(entry)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _member(entry: Forged) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(entry.path)
    content = b""
    if isinstance(entry, File):
        info.mode, info.size, content = entry.mode, len(entry.content), entry.content
    elif isinstance(entry, Link):
        info.type, info.linkname = (tarfile.LNKTYPE if entry.hard else tarfile.SYMTYPE), entry.target
    elif isinstance(entry, Folder):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif isinstance(entry, Gone):
        folder, slash, name = entry.path.rpartition("/")
        info.name = f"{folder}{slash}.wh.{name}"
    else:
        info.name = f"{entry.path}/.wh..wh..opq"
    return info, content


def forge_layer(entries: Sequence[Forged], *, title: str = "forged layer", compress: bool = True) -> Layer:
    """A layer of entries."""
    return layer_of_tar(forge_tar(entries), title=title, compress=compress)


def layer_of_tar(tar: bytes, *, title: str = "forged layer", compress: bool = True) -> Layer:
    """A layer of the bytes of a tar, whatever they are."""
    content = gzip.compress(tar, mtime=0) if compress else tar
    media_type = media_types.LAYER_GZIP if compress else media_types.LAYER
    return Layer(blob=BytesBlob.of(content, media_type), diff_id=Digest.of(tar), title=title)


def forge_image(
    layers: Sequence[Layer],
    *,
    environment: Mapping[str, str] | None = None,
    platform: Platform = AMD64,
    user: str = "",
) -> Image:
    """An image of layers."""
    config = ImageConfig(
        os=platform.os,
        architecture=platform.architecture,
        variant=platform.variant,
        config=ContainerConfig(user=user, env=tuple(f"{key}={value}" for key, value in (environment or {}).items())),
        rootfs=RootFS(diff_ids=tuple(layer.diff_id for layer in layers)),
    )
    return Image(config=config, layers=tuple(layers))


def elf(loader: str) -> bytes:
    """As much of a program as anyone looks at: it asks for this loader."""
    return b"\x7fELF\x02\x01\x01".ljust(0x318, b"\0") + loader.encode() + b"\0" + bytes(64)


def debian_like(version: str = "3.12.4", *, platform: Platform = AMD64) -> Image:
    """What `python:3.12-slim` looks like: Debian with a merged `/usr`, Python below `/usr/local`."""
    feature = version.rpartition(".")[0]
    system = forge_layer(
        [
            Link("bin", "usr/bin"),
            Link("lib", "usr/lib"),
            Link("lib64", "usr/lib64"),
            File("usr/bin/dash", elf("/lib64/ld-linux-x86-64.so.2"), 0o755),
            Link("usr/bin/sh", "dash"),
            Link("usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
            File(
                "usr/lib/x86_64-linux-gnu/libc.so.6",
                b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n",
            ),
            *(File(f"usr/lib/x86_64-linux-gnu/{name}") for name in _SLIM),
            File("var/lib/dpkg/status", b"Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u4\n\n"),
            File("etc/passwd", PASSWD),
            File("etc/group", GROUP),
            File("usr/lib/os-release", b'ID=debian\nVERSION_ID="12"\n'),
            Link("etc/os-release", "../usr/lib/os-release"),
        ],
        title="system",
    )
    python = forge_layer(
        [
            File(f"usr/local/bin/python{feature}", elf("/lib64/ld-linux-x86-64.so.2"), 0o755),
            Link("usr/local/bin/python3", f"python{feature}"),
            Link("usr/local/bin/python", "python3"),
            File(f"usr/local/lib/python{feature}/_sysconfigdata__linux_x86_64-linux-gnu.py"),
            File(f"usr/local/include/python{feature}/patchlevel.h", f'#define PY_VERSION "{version}"\n'.encode()),
        ],
        title="python",
    )
    environment = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin", "PYTHON_VERSION": version}
    return forge_image([system, python], environment=environment, platform=platform)


def alpine_like(version: str = "3.12.4") -> Image:
    """What an Alpine with its own Python looks like: musl, busybox, and a glibc loader of gcompat beside it."""
    feature = version.rpartition(".")[0]
    layer = forge_layer(
        [
            File("bin/busybox", elf("/lib/ld-musl-x86_64.so.1"), 0o755),
            Link("bin/sh", "/bin/busybox"),
            File("lib/ld-musl-x86_64.so.1", b"\x7fELF musl libc\0" + b"1.2.5\0", 0o755),
            Link("lib/ld-linux-x86-64.so.2", "libgcompat.so.0"),
            File("lib/apk/db/installed", f"P:musl\nV:1.2.5-r0\n\nP:python3\nV:{version}-r1\n\n".encode()),
            File(f"usr/bin/python{feature}", elf("/lib/ld-musl-x86_64.so.1"), 0o755),
            Link("usr/bin/python3", f"python{feature}"),
            File("etc/passwd", PASSWD),
            File("etc/group", GROUP),
            File("etc/os-release", b"ID=alpine\nVERSION_ID=3.20.1\n"),
        ]
    )
    return forge_image([layer], environment={"PATH": "/usr/local/bin:/usr/bin:/bin"})


def distroless_like(version: str = "3.11.2") -> Image:
    """What distroless looks like: no shell, no headers, a package database in pieces, `/bin` of its own."""
    feature = version.rpartition(".")[0]
    layer = forge_layer(
        [
            File(f"usr/bin/python{feature}", elf("/lib64/ld-linux-x86-64.so.2"), 0o755),
            Link("usr/bin/python", f"/usr/bin/python{feature}"),
            File("lib64/ld-linux-x86-64.so.2", b"", 0o755),
            File("var/lib/dpkg/status.d/libc6", b"Package: libc6\nVersion: 2.36-9+deb12u7\n"),
            File(
                f"var/lib/dpkg/status.d/libpython{feature}-minimal",
                f"Package: libpython{feature}-minimal\nVersion: {version}-6+deb12u2\n".encode(),
            ),
            File("etc/passwd", PASSWD + b"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
            File("etc/group", GROUP + b"nonroot:x:65532:\n"),
        ]
    )
    return forge_image([layer], user="65532")
