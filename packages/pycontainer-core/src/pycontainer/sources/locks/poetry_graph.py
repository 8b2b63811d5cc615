"""The graph of a `poetry.lock` before version 2.1, whose packages do not say which groups and markers they are for.

requirements = project_groups(pyproject, path)["main"]
packages = Walk(document.package, markers).run(requirements, optional=frozenset({"asyncpg"}))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pycontainer.errors import LockError
from pycontainer.sources.locks.document import CONVERTING, convert
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.poetry_constraints import allows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pycontainer.sources.locks.markers import Markers


class PoetrySource(msgspec.Struct, frozen=True):
    """`[package.source]`; no such table means the default index."""

    type: str
    url: str
    reference: str | None = None
    resolved_reference: str | None = None
    subdirectory: str | None = None


class PoetryEdge(msgspec.Struct, frozen=True):
    """A dependency: of a package, or of the project."""

    version: str = "*"
    markers: str | None = None
    python: str | None = None
    optional: bool = False
    extras: tuple[str, ...] = ()
    git: str | None = None
    url: str | None = None
    path: str | None = None


class PoetryPackage(msgspec.Struct, frozen=True, rename="kebab", eq=False):
    """A `[[package]]`."""

    name: str
    version: str
    python_versions: str = "*"
    groups: list[str] = []
    markers: str | dict[str, str] | None = None
    files: list[Any] | int | None = None
    source: PoetrySource | None = None
    develop: bool = False
    dependencies: dict[str, Any] = {}

    def marker_of(self, group: str) -> str | None:
        """The marker under which a group has this package."""
        return self.markers.get(group) if isinstance(self.markers, dict) else self.markers


def project_groups(pyproject: Mapping[str, Any], path: Path) -> dict[str, list[tuple[str, PoetryEdge]]]:
    """The dependencies of a project by group, from `[tool.poetry]`; its main ones are the group `main`.

    Raises:
        LockError: A table is malformed, or the project keeps its dependencies elsewhere.
    """
    tool = convert(pyproject.get("tool", {}).get("poetry", {}), _Tool, path)
    if pyproject.get("project", {}).get("dependencies"):
        raise LockError(
            "The lock is from before Poetry 2.0, but `pyproject.toml` has `[project]` dependencies",
            facts=[str(path)],
            hint="Run `poetry lock` with a newer Poetry",
        )
    main = {name: value for name, value in tool.dependencies.items() if name.lower() != "python"}
    tables = {"main": main, "dev": tool.dev_dependencies}
    for name, group in tool.group.items():
        tables[name] = {**tables.get(name, {}), **group.dependencies}
    return {
        name: [edge for key, value in table.items() for edge in _edges(key, value, path)]
        for name, table in tables.items()
        if table or name != "dev"
    }


class Walk:
    """Follows dependencies through the packages of a lock."""

    def __init__(self, packages: Iterable[PoetryPackage], markers: Markers) -> None:
        self._markers = markers
        self._by_name: dict[str, list[PoetryPackage]] = {}
        for package in packages:
            self._by_name.setdefault(normalize(package.name), []).append(package)

    def run(self, requirements: Iterable[tuple[str, PoetryEdge]], optional: frozenset[str]) -> list[PoetryPackage]:
        """The packages that are reached; `optional` are the optional dependencies of the project that were chosen.

        Raises:
            LockError: A dependency leads to no package, or to several.
        """
        wanted = [(name, edge) for name, edge in requirements if not edge.optional or name in optional]
        queue = list(self._follow(wanted, frozenset()))
        seen: set[tuple[int, frozenset[str]]] = set()
        reached: dict[int, PoetryPackage] = {}
        while queue:
            package, extras = queue.pop()
            if (id(package), extras) in seen:
                continue
            seen.add((id(package), extras))
            reached[id(package)] = package
            own = [edge for name, value in package.dependencies.items() for edge in _edges(name, value, None)]
            queue.extend(self._follow(own, extras))
        return list(reached.values())

    def _follow(
        self, edges: Iterable[tuple[str, PoetryEdge]], extras: frozenset[str]
    ) -> Iterator[tuple[PoetryPackage, frozenset[str]]]:
        """The ends of the edges that hold; those of an extra say so in their markers."""
        for name, edge in edges:
            if self._holds(edge, extras) and (package := self._end(name, edge)) is not None:
                yield package, frozenset(normalize(extra) for extra in edge.extras)

    def _holds(self, edge: PoetryEdge, extras: frozenset[str]) -> bool:
        if edge.python and not allows(edge.python, self._markers.python):
            return False
        return self._markers.hold(edge.markers, extras=extras)

    def _end(self, name: str, edge: PoetryEdge) -> PoetryPackage | None:
        found = self._by_name.get(name, [])
        if len(found) > 1 and not (edge.git or edge.url or edge.path):
            found = [package for package in found if allows(edge.version, package.version)]
        if len(found) > 1:
            found = [package for package in found if allows(package.python_versions, self._markers.python)]
        if not found and edge.optional:
            return None  # an optional dependency that nothing in the lock activates is not in the lock
        if len(found) != 1:
            what = "no package" if not found else f"{len(found)} packages"
            raise LockError("The lock contradicts itself", facts=[f"it has {what} for the dependency `{name}`"])
        return found[0]


class _Group(msgspec.Struct, frozen=True):
    dependencies: dict[str, Any] = {}


class _Tool(msgspec.Struct, frozen=True, rename="kebab"):
    dependencies: dict[str, Any] = {}
    dev_dependencies: dict[str, Any] = {}
    group: dict[str, _Group] = {}


def _edges(name: str, value: Any, path: Path | None) -> Iterator[tuple[str, PoetryEdge]]:
    """A dependency as it is written: a constraint, a table, or several of either."""
    for each in value if isinstance(value, list) else [value]:
        table = {"version": each} if isinstance(each, str) else each
        try:
            with CONVERTING:
                edge = msgspec.convert(table, PoetryEdge)
        except msgspec.ValidationError as error:
            where = f" in {path.name}" if path else ""
            raise LockError(f"The dependency `{name[:80]}`{where} is malformed", facts=[str(error)[:200]]) from error
        yield normalize(name), edge
