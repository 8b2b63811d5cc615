"""Who needs whom, as lock files and `pyproject.toml` say it: why a package is there at all.

    graph = read_graph(lock_path, pyproject, project="api")
    graph.chains("anyio", installed={"httpx", "anyio"}, markers=Markers(target.environment))
    # (Chain(root="dependencies", names=("httpx", "anyio")),)

Each format has its own notation, and all of them say the same: a package needs others, under a marker, perhaps only
with one of its extras. What a lock does not say (`requirements.txt` without `# via` comments) is not known.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pycontainer.errors import LockError
from pycontainer.sources.locks.document import read_content
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from pycontainer.sources.locks.markers import Markers
    from pycontainer.sources.locks.model import Choice

DEPENDENCIES: Final = "dependencies"
_TOML: Final = (".lock", ".toml")
_NAME: Final = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_PINNED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==|@)")
_EXTRA: Final = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
_PINS: Final = re.compile(r"(?m)^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)")
_VIA: Final = re.compile(r"#\s+(?:via\s+)?([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)(?:\s+\(.*\))?$")


class Need(NamedTuple):
    """A dependency: of whom, with which extras of it, under which marker, and for which extra of the one who needs."""

    name: str
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    extra: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Why a package is there: what the project asks for, and so on to the package.

    Attributes:
        root: What of the project asks: `dependencies`, ``extra `pg` ``, ``group `dev` ``; empty where nobody knows.
        names: From what is asked for to the package itself, `uvicorn[standard]` where an extra is what needs the next.
    """

    root: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DependencyGraph:
    """Dependencies by the name of who needs them, what a project itself asks for, and the versions that are pinned."""

    needs: Mapping[str, tuple[Need, ...]]
    roots: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)
    versions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def chains(self, name: str, *, installed: Collection[str], markers: Markers) -> tuple[Chain, ...]:
        """The shortest chain from each root that leads to a package, the shortest first."""
        found = []
        for root, needs in self.roots.items():
            parents = self._walk(needs, installed, markers)
            state = next((state for state in parents if state[0] == name), None)
            names: list[str] = []
            while state is not None:
                names.append(state[0] if state[1] is None else f"{state[0]}[{state[1]}]")
                state = parents[state]
            if names:
                found.append(Chain(root=root, names=tuple(reversed(names))))
        return tuple(sorted(found, key=lambda chain: len(chain.names)))

    def needed_by(self, name: str, *, installed: Collection[str], markers: Markers) -> tuple[str, ...]:
        """The packages that need one directly, sorted; with extras only where somebody asks for these."""
        reached = {state for needs in self.roots.values() for state in self._walk(needs, installed, markers)}
        states = reached or {(each, None) for each in installed}
        return tuple(
            sorted(
                {
                    parent
                    for parent, extra in states
                    if parent != name and any(need.name == name for need in self._held(parent, extra, markers))
                }
            )
        )

    def with_tops(self, installed: Collection[str], markers: Markers) -> DependencyGraph:
        """The same, with the packages that no other one needs as what was asked for."""
        extras = {each: self._complete(each, installed, markers) for each in installed}
        needed = {
            need.name
            for each in installed
            for extra in (None, *extras[each])
            for need in self._held(each, extra, markers)
            if need.name != each
        }
        tops = sorted(set(installed) - needed)
        return DependencyGraph(needs=self.needs, roots={top: (Need(top, extras[top]),) for top in tops})

    def _complete(self, name: str, installed: Collection[str], markers: Markers) -> frozenset[str]:
        """The extras of a package that it may have been installed with: all that they need is there."""
        extras = {need.extra for need in self.needs.get(name, ()) if need.extra}
        return frozenset(
            extra
            for extra in extras
            if {need.name for need in self._held(name, extra, markers)} <= set(installed)
            and any(self._held(name, extra, markers))
        )

    def _walk(
        self, roots: Iterable[Need], installed: Collection[str], markers: Markers
    ) -> dict[tuple[str, str | None], tuple[str, str | None] | None]:
        """Everything that is reached, nearest first, each with where it was reached from."""
        parents: dict[tuple[str, str | None], tuple[str, str | None] | None] = {}
        queue: deque[tuple[tuple[str, str | None], tuple[str, str | None] | None]] = deque()

        def ahead(needs: Iterable[Need], parent: tuple[str, str | None] | None) -> None:
            for need in needs:
                if need.name in installed:
                    queue.append(((need.name, None), parent))
                    queue.extend(((need.name, extra), parent) for extra in sorted(need.extras))

        ahead((need for need in roots if _holds(need, markers, None)), None)
        while queue:
            state, parent = queue.popleft()
            if state not in parents:
                parents[state] = parent
                ahead(self._held(*state, markers), state)
        return parents

    def _held(self, name: str, extra: str | None, markers: Markers) -> Iterator[Need]:
        return (need for need in self.needs.get(name, ()) if _holds(need, markers, extra))


def _holds(need: Need, markers: Markers, extra: str | None) -> bool:
    if need.extra != extra:
        return False
    try:
        return markers.hold(need.marker, extras=frozenset() if extra is None else frozenset({extra}))
    except LockError:  # of a package that somebody else made: nobody can say, so that it counts
        return True


def read_graph(
    lock: Path | None, pyproject: Mapping[str, Any], *, project: str, choice: Choice | None = None
) -> DependencyGraph:
    """The graph of a lock file, and what a project asks for.

    Args:
        lock: The file; none where there is none, so that only what the project asks for is known.
        pyproject: The parsed `pyproject.toml` of the project.
        project: Its name.
        choice: Which extras and groups count; none means all.

    Raises:
        LockError: The file cannot be read.
    """
    roots = dict(_roots(pyproject))
    if lock is None:
        needs, versions = {}, {}
    elif lock.suffix in _TOML:
        packages = _packages(lock)
        needs, versions = _needs(packages), _versions((each.get("name"), each.get("version")) for each in packages)
        if lock.name == "uv.lock":
            roots = dict(_uv_roots(packages, project))
    else:
        text = read_content(lock).decode("utf-8-sig", "replace")
        needs, versions = _needs_of_requirements(text), _versions(_PINS.findall(text))
    counting = {root: found for root, found in roots.items() if _counts(root, choice)}
    return DependencyGraph(needs=needs, roots=counting, versions=versions)


def requirement(text: str) -> Need | None:
    """A requirement (PEP 508), its extras and marker; none where it is malformed."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - slow to import

    try:
        parsed = Requirement(text)
    except InvalidRequirement:
        match = _NAME.match(text)
        return Need(normalize(match[1])) if match else None
    marker = str(parsed.marker) if parsed.marker else None
    return Need(normalize(parsed.name), frozenset(map(normalize, parsed.extras)), marker, _extra_of(marker))


def _extra_of(marker: str | None) -> str | None:
    """The extra that a marker asks for."""
    match = _EXTRA.search(marker or "")
    return normalize(match[1]) if match else None


def _counts(root: str, choice: Choice | None) -> bool:
    if choice is None:
        return True
    kind, _, name = root.partition(" ")
    if kind == "extra":
        return choice.all_extras or name.strip("`") in set(map(normalize, choice.extras))
    if kind == "group":
        return choice.all_groups or name.strip("`") in set(map(normalize, choice.groups))
    return not choice.only_groups


def _versions(pairs: Iterable[tuple[Any, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        found.setdefault(normalize(str(name)), set()).add(str(version))
    return {name: frozenset(versions) for name, versions in found.items()}


def _needs(packages: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Need, ...]]:
    found: dict[str, list[Need]] = {}
    for package in packages:  # of one name there may be several: forks, and PDM's entries of extras
        needs = found.setdefault(normalize(str(package.get("name", ""))), [])
        for extra in _extras_of_pdm(package) or [None]:
            needs += _listed(package.get("dependencies"), normalize(extra) if extra else None)
        for extra, listed in _table(package, "optional-dependencies").items():
            needs += _listed(listed, normalize(extra))
    return {name: tuple(needs) for name, needs in found.items()}


def _extras_of_pdm(package: Mapping[str, Any]) -> list[Any]:
    """Of an entry of PDM the extras that it is for; Poetry has a table of that name."""
    extras = package.get("extras")
    return extras if isinstance(extras, list) else []


def _table(package: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = package.get(key)
    return found if isinstance(found, dict) else {}


def _packages(lock: Path) -> list[dict[str, Any]]:
    from pycontainer.sources.locks.document import parse_toml  # noqa: PLC0415 - not for requirements

    document, _ = parse_toml(read_content(lock), lock)
    found = document.get("package") or document.get("packages") or []
    return [each for each in found if isinstance(each, dict)]


def _listed(value: Any, extra: str | None) -> Iterator[Need]:
    """The dependencies of one package: texts (PDM), tables with a name (uv, PEP 751), or a table by name (Poetry)."""
    if isinstance(value, dict):
        for name, constraint in value.items():
            for each in constraint if isinstance(constraint, list) else [constraint]:
                table = each if isinstance(each, dict) else {}
                yield _need(name, table, table.get("markers"), extra)
        return
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield _need(each["name"], each, each.get("marker"), extra)
        elif isinstance(each, str) and (need := requirement(each)):
            yield need._replace(extra=extra or need.extra)


def _need(name: str, table: Mapping[str, Any], marker: object, extra: str | None) -> Need:
    extras = table.get("extra") or table.get("extras")
    named = (
        frozenset(normalize(each) for each in extras if isinstance(each, str))
        if isinstance(extras, list)
        else frozenset()
    )
    text = marker if isinstance(marker, str) else None
    return Need(normalize(name), named, text, extra or _extra_of(text))


def _uv_roots(packages: Iterable[Mapping[str, Any]], project: str) -> Iterator[tuple[str, tuple[Need, ...]]]:
    for package in packages:
        if normalize(str(package.get("name", ""))) == normalize(project):
            yield DEPENDENCIES, tuple(_listed(package.get("dependencies"), None))
            for kind, key in (("extra", "optional-dependencies"), ("group", "dev-dependencies")):
                for name, needs in _table(package, key).items():
                    yield f"{kind} `{normalize(name)}`", tuple(_listed(needs, None))


def _roots(pyproject: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Need, ...]]]:
    project, poetry = _table(pyproject, "project"), _table(_table(pyproject, "tool"), "poetry")
    own = [*_listed(project.get("dependencies"), None), *_listed(poetry.get("dependencies"), None)]
    yield DEPENDENCIES, tuple(need for need in own if need.name != "python")
    for name, texts in _table(project, "optional-dependencies").items():
        yield f"extra `{normalize(name)}`", tuple(_listed(texts, None))
    groups = _table(pyproject, "dependency-groups")
    for name in groups:
        yield f"group `{normalize(name)}`", tuple(_listed(_included(groups, name, set()), None))
    for name in (tables := _table(poetry, "group")):
        yield f"group `{normalize(name)}`", tuple(_listed(_table(tables, name).get("dependencies"), None))


def _included(groups: Mapping[str, Any], name: str, seen: set[str]) -> list[str]:
    """The requirements of a group and of those that it includes (PEP 735)."""
    if name in seen:
        return []
    seen.add(name)
    texts: list[str] = []
    found = groups.get(name)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            wanted = normalize(item["include-group"])
            texts += [text for other in groups if normalize(other) == wanted for text in _included(groups, other, seen)]
    return texts


def _needs_of_requirements(text: str) -> dict[str, tuple[Need, ...]]:
    """What the comments of pip-compile and uv say: below a pinned package, `# via` and who needs it."""
    needs: dict[str, list[Need]] = {}
    package = ""
    for line in text.splitlines():
        stripped = line.strip()
        pinned = _PINNED.match(stripped)
        if pinned:
            package = normalize(pinned[1])
            stripped = stripped.partition(" #")[2] and f"#{stripped.partition(' #')[2]}"
        via = _VIA.match(stripped)
        if via and package and not via[1].endswith((".in", ".txt", ".toml")) and via[1] != "via":
            needs.setdefault(normalize(via[1].partition("[")[0]), []).append(Need(package))
    return {name: tuple(found) for name, found in needs.items()}
