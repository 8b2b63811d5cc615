"""Which files have their contents kept, of base images and of packages: what the effects of scripts read and change.

is_kept_of_base("etc/ld.so.cache"), is_kept_of_deb("usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt")
"""

from __future__ import annotations

import re
from typing import Final

# More of one file is not kept: the largest that is wanted describes all MIME types, 2.5 MB.
MAX_KEPT: Final = 4 << 20

_OF_BASE: Final = re.compile(
    r"""(?x)^(?:usr/)?(?:
      etc/(?:
        apt/(?:sources\.list|sources\.list\.d/[^/]+|trusted\.gpg|(?:trusted\.gpg\.d|keyrings)/[^/]+)
      | ld\.so\.(?:cache|conf|conf\.d/[^/]+)
      | passwd | group | shadow | gshadow | subuid | subgid
      | shells | nsswitch\.conf | timezone | environment | debian_version | os-release | default/locale
      | ca-certificates\.conf | ssl/certs/ca-certificates\.crt
      )
    | lib/os-release
    | share/keyrings/[^/]+
    | local/share/ca-certificates/.+
    | share/mime/packages/[^/]+\.xml
    | lib/(?:[^/]+/)?gdk-pixbuf-2\.0/2\.10\.0/loaders\.cache
    )$
    | ^var/lib/dpkg/(?:arch|alternatives/[^/]+|diversions|statoverride|available|triggers/[^/]+)$"""
)
_DATABASE: Final = re.compile(r"var/lib/dpkg/(?:status|status\.d/[^/]+|info/[^/]+\.(?:list|conffiles))")
_MAX_DATABASE: Final = 64 << 20
_OF_DEB: Final = re.compile(
    r"""(?x)^(?:
      (?:usr/)?share/ca-certificates/.+\.crt
    | (?:usr/)?etc/(?:ld\.so\.conf(?:\.d/[^/]+)?|ca-certificates\.conf|shells|nsswitch\.conf|passwd|group)
    | (?:usr/)?share/(?:base-passwd/[^/]+|base-files/[^/]+|libc-bin/[^/]+)
    | usr/share/(?:freetds/freetds\.conf|readline/inputrc|[^/]+/(?:odbcinst|unixodbc)\.ini(?:\.template)?)
    | usr/share/mime/packages/[^/]+\.xml
    | usr/lib/(?:sysusers\.d|tmpfiles\.d)/[^/]+\.conf
    )$"""
)


def is_kept_of_base(path: str) -> bool:
    """Whether `DebianState.files` has the file, by its path with every link resolved."""
    return _OF_BASE.search(path) is not None


def is_read_of_base(path: str, size: int) -> bool:
    """Whether a file is kept as a whole while a base image is read: those of `files`, and dpkg's database."""
    return (size <= MAX_KEPT and is_kept_of_base(path)) or (
        size <= _MAX_DATABASE and _DATABASE.fullmatch(path) is not None
    )


def is_kept_of_deb(path: str) -> bool:
    """Whether `DebSummary.kept` has the file, by its path as packed."""
    return _OF_DEB.search(path) is not None
