"""Which shared libraries packages need that nobody brings: known before anything is written.

    missing = check_libraries([("opencv-python 4.12.0.88", linked)], base.facts.libraries)
    missing[0].library, missing[0].users        # "libGL.so.1", (("opencv-python 4.12.0.88", "cv2/cv2.abi3.so"),)

A false alarm is worse than a miss, so a library counts as found wherever it is among the packages, and a version only
as missing where the library says which ones it has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pycontainer.layers.linkage import LinkedLibraries, NeededLibrary, Scope

# What comes with the driver on the machine that runs the container, and so is put into it when it starts.
_OF_DRIVERS = re.compile(
    r"(?:libcuda|libcudadebugger|libnvcuvid|libnvoptix|libnvidia-[\w-]+|libGLX_nvidia|libEGL_nvidia)\.so\.\d+"
)
# musl's loader has these in itself, whatever they are called.
_OF_MUSL = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\..*")
_SCOPES: Final[tuple[Scope, ...]] = ("package", "module", "plugin")


class AvailableLibraries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shared libraries of a base image, of its own architecture.

    Attributes:
        architecture: As in OCI platforms.
        names: File names and sonames where the loader looks → the symbol versions they define; none means that nobody
            knows them.
        elsewhere: Directory → file names of libraries, where the loader looks only if it is told to.
        musl: Whether the loader is musl's, which has no symbol versions.
    """

    architecture: str
    names: dict[str, tuple[str, ...]]
    elsewhere: dict[str, tuple[str, ...]] = {}
    musl: bool = False


class Missing(Value, frozen=True, kw_only=True):
    """A library that nobody brings, or a version of its symbols that it does not define.

    Attributes:
        library: As the loader looks for it.
        version: Of its symbols; empty where the library itself is missing.
        users: Who needs it: package and the path of one file.
        scope: How much of the packages stops working: of the worst hit.
    """

    library: str
    version: str = ""
    users: tuple[tuple[str, str], ...] = field(default=())
    scope: Scope = "package"


def check_libraries(
    packages: Iterable[tuple[str, Iterable[LinkedLibraries]]],
    base: AvailableLibraries,
    *,
    others: Iterable[str] = (),
    directories: Iterable[str] = (),
) -> tuple[Missing, ...]:
    """What the packages need and neither they nor the base have, the worst first.

    Args:
        packages: What each brings and needs, with its name as people should read it.
        base: What the base image has.
        others: Names of libraries that come from elsewhere.
        directories: Where the loader looks besides, in the base.
    """
    own = [
        (label, linked) for label, several in packages for linked in several if linked.architecture == base.architecture
    ]
    names = {**base.names, **dict.fromkeys(others, ())}
    for _, linked in own:
        for name, versions in linked.provides.items():
            names[name] = versions if name not in names else ()  # which of the two is loaded, nobody knows
    besides = set(directories)
    found: dict[tuple[str, str], dict[str, NeededLibrary]] = {}
    for label, linked in own:
        for need in linked.needs:
            if not _is_there(need, names, base, besides):
                found.setdefault((need.library, need.version), {}).setdefault(label, need)
    gone = {library for library, version in found if not version}
    missing = [
        Missing(
            library=library,
            version=version,
            users=tuple((label, need.file) for label, need in sorted(users.items())),
            scope=min((need.scope for need in users.values()), key=_SCOPES.index),
        )
        for (library, version), users in found.items()
        if not version or library not in gone
    ]
    return tuple(sorted(missing, key=lambda each: (_SCOPES.index(each.scope), each.library, each.version)))


def _is_there(
    need: NeededLibrary, names: Mapping[str, tuple[str, ...]], base: AvailableLibraries, besides: set[str]
) -> bool:
    name = need.library.rpartition("/")[2]
    if _OF_DRIVERS.fullmatch(name) or (base.musl and _OF_MUSL.fullmatch(name)):
        return True
    if name not in names:
        return any(name in base.elsewhere.get(folder, ()) for folder in (*need.directories, *besides))
    versions = () if base.musl else names[name]
    return not need.version or not versions or need.version in versions
