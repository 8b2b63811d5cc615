"""A binary package as a stanza tells of it: in an index `Packages`, in a `.deb`, in dpkg's database.

package = BinaryPackage.of(paragraph)
package.name, package.version, package.depends        # "libpq5", "15.14-0+deb12u1", "libc6 (>= 2.25), …"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    @classmethod
    def of(cls, paragraph: Mapping[str, str]) -> BinaryPackage:
        """The package of a paragraph, whose field names may be in any case.

        Raises:
            DocumentError: `Package`, `Version` or `Architecture` is missing or malformed.
        """
        raise NotImplementedError
