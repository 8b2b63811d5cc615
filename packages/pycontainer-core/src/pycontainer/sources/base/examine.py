"""The facts of a base image, read from its config and layers, never by running it.

    facts = read_facts(root, image.config)      # root: what `find.py` kept of its layers

What cannot be found is none: it is never guessed from this host.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError, ConfigError
from pycontainer.sources.base.facts import BaseFacts
from pycontainer.sources.base.kept import library, packages
from pycontainer.sources.base.libraries import find_libraries
from pycontainer.sources.base.packages import apk_packages
from pycontainer.sources.target import Libc, PythonVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.oci import ImageConfig
    from pycontainer.sources.base.rootfs import Found, RootFS
    from pycontainer.sources.libraries.preflight import AvailableLibraries

_DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHELLS: Final = ("/bin/sh", "/busybox/sh", "/bin/bash")
_INTERPRETER = re.compile(r"python(?:(\d)\.(\d{1,3}))?(?:\d)?(t?)")
_VERSIONED = re.compile(r"python3\.\d{1,3}t?")
_ELF_LOADER = re.compile(rb"/ld(-musl-[\w]+|-linux[\w.-]*|64)\.so\.\d\0")
_UPSTREAM = re.compile(r"(?:\d+:)?(\d+\.\d+(?:\.\d+)?)(?:~?((?:a|b|rc)\d+))?")
_MAX_LINE: Final = 4096
# Where Debian's multiarch keeps the libraries of an architecture.
_TRIPLETS: Final = {
    "amd64": "x86_64-linux-gnu",
    "arm64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "386": "i386-linux-gnu",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
}


def read_facts(root: RootFS, config: ImageConfig) -> BaseFacts:
    """The facts of an image whose layers are in `root`.

    Raises:
        BaseImageError: `/etc/passwd` or `/etc/group` is malformed.
    """
    found = _find_interpreter(root, config)
    libc = _find_libc(root, config, found)
    shells = (shell for shell in _SHELLS if (at := root.find(shell)) and at.is_program)
    return BaseFacts(
        python=_python_version(root, config, found) if found else None,
        interpreter=found.path if found else None,
        free_threaded=bool(found and _named_version(found)[1]),
        libc=libc,
        user=config.config.user,
        shell=next(shells, None),
        passwd=_accounts(root, "/etc/passwd", fields=7),
        group=_accounts(root, "/etc/group", fields=4),
        os_release=_os_release(root),
        libraries=_libraries(root, config, found, libc),
        packages=apk_packages(root),
    )


def _find_interpreter(root: RootFS, config: ImageConfig) -> Found | None:
    """The first Python on `PATH`; a script in its place, such as pyenv's, is none."""
    for folder in (config.config.environment.get("PATH") or _DEFAULT_PATH).split(":"):
        versioned = sorted(filter(_VERSIONED.fullmatch, root.names(folder)), key=_minor, reverse=True)
        for name in ("python3", "python", *versioned):
            found = root.find(f"{folder}/{name}")
            if (
                found is not None
                and found.is_program
                and _INTERPRETER.fullmatch(found.path.rpartition("/")[2])
                and not (found.node.content or b"").startswith(b"#!")
            ):
                return found
    return None


def _minor(name: str) -> int:
    return int(name.rpartition(".")[2].rstrip("t"))


def _named_version(found: Found) -> tuple[str | None, bool]:
    """What the interpreter's own name says: `3.12`, and whether it is free-threaded."""
    match = _INTERPRETER.fullmatch(found.path.rpartition("/")[2])
    if match is None or match[1] is None:
        return None, False
    return f"{match[1]}.{match[2]}", bool(match[3])


def _python_version(root: RootFS, config: ImageConfig, found: Found) -> PythonVersion | None:
    """The feature version from where the interpreter is, the full one from whoever tells it for that feature."""
    prefix = found.path.rpartition("/bin/")[0]
    feature = _named_version(found)[0]
    if feature is None:
        libraries = [name for name in root.names(f"{prefix}/lib") if _VERSIONED.fullmatch(name)]
        feature = libraries[0].removeprefix("python").rstrip("t") if len(libraries) == 1 else None
    for text in _stated_versions(root, config, prefix, feature):
        try:
            version = PythonVersion.parse(text)
        except ConfigError:
            continue
        if feature in {None, version.feature} and version.micro is not None:
            return version
    return PythonVersion.parse(feature) if feature else None


def _stated_versions(root: RootFS, config: ImageConfig, prefix: str, feature: str | None) -> Iterator[str]:
    # Docker's official images have it; so may an image made from one that brings another Python.
    yield config.config.environment.get("PYTHON_VERSION", "")
    for suffix in ("", "t"):
        yield (root.content(f"{prefix}/include/python{feature}{suffix}/patchlevel.h") or b"").decode("ascii", "replace")
    if prefix in {"", "/usr"}:
        known = _installed(root)
        names = (
            f"python{feature}-minimal",
            f"libpython{feature}-minimal",
            f"python-{feature}",
            f"python-{feature}-base",
        )
        for name in (*names, f"python{feature}", "python3"):
            if match := _UPSTREAM.match(known.get(name, "")):
                yield f"{match[1]}{match[2] or ''}"


def _installed(root: RootFS) -> dict[str, str]:
    """The versions of the packages of interest: of dpkg, of distroless images' `status.d`, of apk."""
    known: dict[str, str] = {}
    for path in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/dpkg/status"):
        known |= packages(root.content(path))
    for name in root.names("/var/lib/dpkg/status.d"):
        known |= packages(root.content(f"/var/lib/dpkg/status.d/{name}"))
    return known


def _find_libc(root: RootFS, config: ImageConfig, interpreter: Found | None) -> Libc | None:
    kind = _libc_kind(root, config, interpreter)
    if kind == "musl":
        return _musl(root)
    return _glibc(root, config) if kind == "glibc" else None


def _libc_kind(root: RootFS, config: ImageConfig, interpreter: Found | None) -> str | None:
    """By the loader that the interpreter asks for, else by the name of its `_sysconfigdata`, else by what is there.

    The order matters: Alpine may have a `ld-linux` (gcompat), Debian a `ld-musl`.
    """
    if interpreter is not None:
        if match := _ELF_LOADER.search(interpreter.node.content or b""):
            return "musl" if match[1].startswith(b"-musl") else "glibc"
        prefix = interpreter.path.rpartition("/bin/")[0]
        for library in filter(_VERSIONED.fullmatch, root.names(f"{prefix}/lib")):
            for name in root.names(f"{prefix}/lib/{library}"):
                if name.startswith("_sysconfigdata_") and name.endswith(("-linux-gnu.py", "-linux-musl.py")):
                    return "musl" if name.endswith("-linux-musl.py") else "glibc"
    names = {name for folder in _library_folders(root, config) for name in root.names(folder)}
    kinds = {
        kind
        for kind, prefix in (("musl", "ld-musl-"), ("glibc", "ld-linux"), ("glibc", "ld64.so"), ("glibc", "libc.so.6"))
        if any(name.startswith(prefix) for name in names)
    }
    return kinds.pop() if len(kinds) == 1 else None


def _glibc(root: RootFS, config: ImageConfig) -> Libc | None:
    for folder in _library_folders(root, config):
        if version := library(root.content(f"{folder}/libc.so.6")).libc:
            return Libc.parse(f"glibc:{version}")
    known = _installed(root)
    match = _UPSTREAM.match(known.get("libc6") or known.get("glibc") or "")
    return Libc.parse(f"glibc:{match[1]}") if match else None


def _musl(root: RootFS) -> Libc | None:
    for folder in ("/lib", "/usr/lib"):
        for name in root.names(folder):
            if name.startswith("ld-musl-") and (version := library(root.content(f"{folder}/{name}")).libc):
                return Libc.parse(f"musl:{version}")
    match = _UPSTREAM.match(_installed(root).get("musl", ""))
    return Libc.parse(f"musl:{match[1]}") if match else None


def _library_folders(root: RootFS, config: ImageConfig) -> list[str]:
    """Where libraries are, those of the image's own architecture first."""
    triplet = _TRIPLETS.get(config.architecture)
    own = [f"/lib/{triplet}", f"/usr/lib/{triplet}"] if triplet else []
    others = [f"{folder}/{name}" for folder in ("/lib", "/usr/lib") for name in root.names(folder) if "-linux-" in name]
    return [*own, "/lib64", "/usr/lib64", "/lib", "/usr/lib", *others]


def _libraries(
    root: RootFS, config: ImageConfig, interpreter: Found | None, libc: Libc | None
) -> AvailableLibraries | None:
    """The libraries that modules find: where the loader looks, and beside an interpreter that has its own."""
    if libc is None:
        return None
    prefix = interpreter.path.rpartition("/bin/")[0] if interpreter else ""
    folders = [*_library_folders(root, config), "/usr/local/lib", *([f"{prefix}/lib"] if prefix else [])]
    return find_libraries(root, config, folders, musl=libc.kind == "musl")


def _accounts(root: RootFS, path: str, *, fields: int) -> bytes:
    """An account file, each of its lines as passwd(5) and group(5) have them; comments and NIS lines are none of ours.

    A runtime that reads such a file may take more than it should for root (CVE-2024-40635, CVE-2026-47262).
    """
    content = root.content(path) or b""
    for number, line in enumerate(content.split(b"\n"), 1):
        parts = line.split(b":")
        if line.strip() and not line.startswith((b"#", b"+", b"-")):
            # A group may list thousands of members, a user's line is short.
            too_long = fields > 4 and len(line) > _MAX_LINE  # noqa: PLR2004 - fields of group(5)
            if b"\0" in line or too_long or len(parts) != fields or not parts[2].isdigit():
                raise BaseImageError(f"`{path}` of the base image is malformed", facts=[f"line {number}"])
    return content


def _os_release(root: RootFS) -> dict[str, str]:
    content = root.content("/etc/os-release") or root.content("/usr/lib/os-release") or b""
    fields = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals and name.replace("_", "").isalnum():
            try:
                fields[name] = "".join(shlex.split(value))
            except ValueError:
                continue
    return fields
