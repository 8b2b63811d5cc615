"""A binary package as a stanza tells of it: in an index `Packages`, in a `.deb`, in dpkg's database.

package = BinaryPackage.of(paragraph)
package.name, package.version, package.depends        # "libpq5", "15.14-0+deb12u1", "libc6 (>= 2.25), …"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.relations import NAME
from pycontainer.sources.debian.version import version_key

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANY: Final = re.compile(r".*", re.DOTALL)
_ARCHITECTURE: Final = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_SIZE: Final = re.compile(r"\d{1,15}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
# Relative, and nowhere upwards: it is appended to the address of the archive.
_FILENAME: Final = re.compile(r"(?!/)(?!(?:[^/]*/)*\.\.(?:/|$))[!-~]{1,1000}", re.ASCII)


class BinaryPackage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A binary package (Debian Policy, chapter 5, *Control files and their fields*).

    Relations stand as they are written; `relations.parse_relations` reads them.

    Attributes:
        name: `Package`.
        version: `Version`, whole: `[epoch:]upstream[-revision]`.
        architecture: `Architecture`: a Debian architecture such as `amd64`, or `all`.
        depends: `Depends`.
        pre_depends: `Pre-Depends`.
        provides: `Provides`.
        conflicts: `Conflicts`.
        breaks: `Breaks`.
        replaces: `Replaces`.
        multi_arch: `Multi-Arch`: `same`, `foreign`, `allowed`, or empty.
        essential: `Essential: yes`.
        priority: `Priority`.
        section: `Section`.
        source: `Source`, with a version in parentheses where it differs; empty where it is the package's own name.
        filename: Where the `.deb` is, relative to the archive; empty where a stanza does not tell.
        size: Bytes of the `.deb`.
        sha256: Of the `.deb`, in hexadecimal.
        status: `Status` of dpkg's database: `install ok installed`; empty elsewhere.
    """

    name: str
    version: str
    architecture: str
    depends: str = ""
    pre_depends: str = ""
    provides: str = ""
    conflicts: str = ""
    breaks: str = ""
    replaces: str = ""
    multi_arch: str = ""
    essential: bool = False
    priority: str = ""
    section: str = ""
    source: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""
    status: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def is_installed(self) -> bool:
        """Whether dpkg's database has it as installed, be it without its scripts having run yet."""
        return not self.status.endswith((" not-installed", " config-files", " half-installed"))

    @classmethod
    def of(cls, paragraph: Mapping[str, str]) -> BinaryPackage:
        """The package of a paragraph, whose field names may be in any case.

        Raises:
            DocumentError: `Package`, `Version` or `Architecture` is missing or malformed.
        """
        fields = {name.lower(): value for name, value in paragraph.items()}
        return cls(
            name=_matching(fields, "package", NAME),
            version=_version(fields),
            architecture=_matching(fields, "architecture", _ARCHITECTURE),
            depends=fields.get("depends", ""),
            pre_depends=fields.get("pre-depends", ""),
            provides=fields.get("provides", ""),
            conflicts=fields.get("conflicts", ""),
            breaks=fields.get("breaks", ""),
            replaces=fields.get("replaces", ""),
            multi_arch=fields.get("multi-arch", ""),
            essential=fields.get("essential", "").lower() == "yes",
            priority=fields.get("priority", ""),
            section=fields.get("section", ""),
            source=fields.get("source", ""),
            filename=_matching(fields, "filename", _FILENAME, default=""),
            size=int(_matching(fields, "size", _SIZE, default="0")),
            sha256=_matching(fields, "sha256", _SHA256, default="").lower(),
            status=fields.get("status", ""),
        )


def _matching(fields: Mapping[str, str], name: str, pattern: re.Pattern[str], *, default: str | None = None) -> str:
    value = fields.get(name, default)
    if value is None:
        raise DocumentError(f"A paragraph of package `{fields.get('package', '?')[:100]}` has no `{name}`")
    if value != default and pattern.fullmatch(value) is None:
        raise DocumentError(f"`{value[:100]}` is no `{name}` of package `{fields.get('package', '?')[:100]}`")
    return value


def _version(fields: Mapping[str, str]) -> str:
    version = _matching(fields, "version", _ANY)
    version_key(version)
    return version
