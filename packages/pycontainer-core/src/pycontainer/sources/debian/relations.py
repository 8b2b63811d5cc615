"""Relations between packages, as `Depends`, `Conflicts` and `Provides` hold them (Debian Policy 7.1).

parse_relations("libc6 (>= 2.36), default-mta | mail-transport-agent")
# ((libc6 (>= 2.36),), (default-mta, mail-transport-agent)): every group must hold, by any of its alternatives
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.version import satisfies, version_key

_MAX_RELATIONS: Final = 100_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*", re.ASCII)
"""What dpkg takes as the name of a package; Policy 5.6.7 is narrower."""
_RELATION = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9+._-]*)(?::(?P<architecture>[a-z0-9-]+))?"
    r" ?(?:\( ?(?P<operator><<|<=|>=|>>|[<=>]) ?(?P<version>[^ ()]+) ?\))?"
    r" ?(?:\[(?P<architectures>[^\[\]]*)\])? ?(?P<profiles>(?:<[^<>]*> ?)*)",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """One alternative of a relation.

    Attributes:
        name: A package, or what packages provide.
        operator: `<<`, `<=`, `=`, `>=` or `>>`; empty where any version does.
        version: What the operator compares with.
        architecture_qualifier: Behind the name's colon: `any`, `native` or an architecture; empty where there is none.
        restrictions: `[architectures]` and `<profiles>` as written: words that only source packages should use.
    """

    name: str
    operator: str = ""
    version: str = ""
    architecture_qualifier: str = ""
    restrictions: tuple[str, ...] = ()

    def __str__(self) -> str:
        qualified = f"{self.name}:{self.architecture_qualifier}" if self.architecture_qualifier else self.name
        versioned = f"{qualified} ({self.operator} {self.version})" if self.operator else qualified
        return " ".join([versioned, *self.restrictions])

    def allows(self, version: str) -> bool:
        """Whether the named package does in this version."""
        return satisfies(version, self.operator, self.version)

    def concerns(self, architecture: str) -> bool:
        """Whether the restrictions let it count on an architecture, where no build profile is active."""
        return all(_concerns(restriction, architecture) for restriction in self.restrictions)


@lru_cache(maxsize=1 << 14)
def parse_relations(field: str) -> tuple[tuple[Relation, ...], ...]:
    """The groups of a field; each is a choice of alternatives. Empty groups, as a comma at the end makes, are left out.

    Raises:
        DocumentError: It is malformed or much too long.
    """
    if field.count(",") + field.count("|") > _MAX_RELATIONS:
        raise DocumentError(f"A field of relations has more than {_MAX_RELATIONS} of them")
    groups = (group.strip() for group in field.split(","))
    return tuple(tuple(map(_relation, group.split("|"))) for group in groups if group)


def print_relations(groups: tuple[tuple[Relation, ...], ...]) -> str:
    """The field that `parse_relations` reads as these groups."""
    return ", ".join(" | ".join(map(str, group)) for group in groups)


def _relation(text: str) -> Relation:
    # One blank for every run of them: the pattern then has a single way to match.
    match = _RELATION.fullmatch(" ".join(text.split()))
    if match is None:
        raise DocumentError(f"`{text.strip()[:100]}` is not a relation of Debian packages")
    operator, version = match["operator"] or "", match["version"] or ""
    if operator:
        version_key(version)
    return Relation(
        name=match["name"],
        operator={"<": "<=", ">": ">="}.get(operator, operator),
        version=version,
        architecture_qualifier=match["architecture"] or "",
        restrictions=_restrictions(match["architectures"], match["profiles"]),
    )


def _restrictions(architectures: str | None, profiles: str) -> tuple[str, ...]:
    listed = () if architectures is None else (f"[{' '.join(architectures.split())}]",)
    return (*listed, *(f"<{' '.join(words.split())}>" for words in re.findall(r"<([^<>]*)>", profiles)))


def _concerns(restriction: str, architecture: str) -> bool:
    words = restriction[1:-1].split()
    if restriction.startswith("<"):
        return all(word.startswith("!") for word in words)
    named = any(word.removeprefix("!") in {architecture, f"any-{architecture}", "linux-any", "any"} for word in words)
    return named != any(word.startswith("!") for word in words)
