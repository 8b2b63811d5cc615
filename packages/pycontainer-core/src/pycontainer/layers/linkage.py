"""Shared libraries as a layer record tells of them: what its files bring, and what else the loader must find.

LinkedLibraries(architecture="amd64", provides={"libz-1a2b.so.1": ()}, needs=(NeededLibrary(library="libc.so.6", …),))
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

# How much of a package stops working without a library: all of it; some of its modules; nothing that Python imports
# by itself, only files that something may ask for.
Scope: TypeAlias = Literal["package", "module", "plugin"]


class NeededLibrary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A library, or a version of its symbols, that files need and do not bring.

    `library` is the name that the loader looks for (`DT_NEEDED`); `version` one of its symbol versions, the highest of
    its kind (`GLIBC_2.34`), or empty; `file` an example of who needs it; `directories` where that file has the loader
    look besides, absolute paths.
    """

    library: str
    file: str
    version: str = ""
    scope: Scope = "package"
    directories: tuple[str, ...] = ()


class LinkedLibraries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shared libraries of one architecture, which is named as in OCI platforms.

    `provides` has file names and sonames, with the symbol versions they define; none means that nobody looked.
    """

    architecture: str
    provides: dict[str, tuple[str, ...]] = {}
    needs: tuple[NeededLibrary, ...] = ()
