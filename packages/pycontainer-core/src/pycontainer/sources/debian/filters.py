"""What of a package does not go into an image: documentation and translations, as in Debian's slim images.

is_left_out(packed)         # True for usr/share/man/man1/ffmpeg.1.gz

The list is that of the slim variants (debuerreotype, `.slimify-excludes` and `.slimify-includes`), which is also in
their dpkg's configuration: what apt would install there later is treated alike. Licences stay, and so do the links that
lead to them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind

if TYPE_CHECKING:
    from pycontainer.sources.debian.summary import PackedPath

# Part of the keys of layers.
FILTER_VERSION: Final = 1

_EXCLUDED: Final = re.compile(r"usr/share/(?:doc|groff|info|linda|lintian|locale|man)/", re.DOTALL)
_INCLUDED: Final = re.compile(
    r"""(?xs)usr/share/(?:
      doc/.*/copyright
    | doc/kde/HTML/C/.*
    | locale/(?:all_languages|currency/.*|l10n/.*|languages|locale\.alias)
    )"""
)
# `libfoo-dev` may have no documentation of its own but a link to that of `libfoo1` (Policy, 12.3).
_DOCUMENTATION: Final = re.compile(r"usr/share/doc/[^/]+")


def is_left_out(packed: PackedPath) -> bool:
    """Whether an entry is not installed. A directory that is left out comes back where something in it is not."""
    path = packed.path
    if not _EXCLUDED.match(path):
        return False
    if packed.kind is Kind.SYMLINK and _DOCUMENTATION.fullmatch(path):
        return False
    return packed.kind is Kind.DIRECTORY or not _INCLUDED.fullmatch(path)
