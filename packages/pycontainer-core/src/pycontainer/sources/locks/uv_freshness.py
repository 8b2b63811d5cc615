"""Whether a `uv.lock` is still what its projects require, found without uv and without a network.

    check_fresh(lock_path, document, pyproject)

The lock remembers what each workspace member required when it was made (`metadata`). This is compared with what the
members' `pyproject.toml` say now: names, extras, specifiers, markers, kinds of sources, optional dependencies,
dependency groups and `requires-python`. Not compared are indexes, constraints and overrides, requirements with several
sources, and members whose dependencies are dynamic: only `uv lock --check` knows about those.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pycontainer.errors import LockError
from pycontainer.sources.locks.document import parse_toml, read_content
from pycontainer.sources.locks.equivalence import same_markers
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.specifiers import supports_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.specifiers import Specifier

    from pycontainer.sources.locks.uv_graph import UvDocument, UvPackage, UvRequirement

_LOCAL = ("path", "directory", "editable", "virtual")
_REFS = ("rev", "tag", "branch")
_USERINFO = re.compile(r"(?<=://)[^/@]*@")
_CLAUSE = re.compile(r"(===|[=~!<>]=|[<>])\s*([\w.*+!]+)", re.ASCII)


class _Wanted(NamedTuple):
    """A requirement, as far as it is compared; `source` is `local`, `git …`, `url …` or empty for an index."""

    name: str
    extras: frozenset[str]
    specifier: frozenset[Specifier]
    marker: str | None
    source: str


def check_fresh(path: Path, document: UvDocument, pyproject: Mapping[str, Any]) -> None:
    """Compare the lock at `path` with the project given and with all members of its workspace.

    Raises:
        LockError: Something is required now that was not, or the other way round; `facts` say what.
    """
    root = _pyproject(path.parent) or pyproject
    facts = list(_member_differences(path.parent, document, root, pyproject))
    if "project" not in root:
        shared = document.manifest.dependency_groups
        facts += _group_differences("the workspace", root, shared, _sources(root, {}))
    facts += _python_differences(path.parent, document, pyproject)
    if facts:
        raise LockError(f"`{path.name}` is older than `pyproject.toml`", facts=facts[:20], hint="Run `uv lock`")


def _member_differences(
    directory: Path, document: UvDocument, root: Mapping[str, Any], pyproject: Mapping[str, Any]
) -> Iterator[str]:
    name = normalize(str(pyproject.get("project", {}).get("name", "")))
    projects = [package for package in document.package if package.source.editable or package.source.virtual]
    if name and name not in {package.name for package in projects}:
        yield f"`{name}` is not in the lock"
    for package in projects:
        own = pyproject if package.name == name else _pyproject(directory / (package.place or "."))
        if own is None:
            yield f"`{package.name}` is not at `{package.place}` any more"
        elif package.metadata is not None and not _is_dynamic(own):
            yield from _package_differences(package, own, root)


def _package_differences(package: UvPackage, pyproject: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    metadata = package.metadata
    if metadata is None:
        return
    sources = _sources(pyproject, root)
    project = pyproject["project"]
    wanted = [_parse(text, None, sources) for text in project.get("dependencies", [])]
    optional = project.get("optional-dependencies", {})
    for extra, texts in optional.items():
        wanted += [_parse(text, f"extra == '{normalize(extra)}'", sources) for text in texts]
    yield from _differences(package.name, wanted, metadata.requires_dist, sources)
    yield from _group_differences(package.name, pyproject, metadata.requires_dev, sources)
    if metadata.provides_extras is not None:
        changed = {normalize(extra) for extra in optional} ^ {normalize(extra) for extra in metadata.provides_extras}
        yield from (f"`{package.name}`: extra `{extra}`" for extra in sorted(changed))


def _group_differences(
    name: str, pyproject: Mapping[str, Any], locked: Mapping[str, Sequence[UvRequirement]], sources: Mapping[str, Any]
) -> Iterator[str]:
    groups = {normalize(group): members for group, members in pyproject.get("dependency-groups", {}).items()}
    legacy = pyproject.get("tool", {}).get("uv", {}).get("dev-dependencies")
    if legacy is not None:
        groups["dev"] = [*groups.get("dev", []), *legacy]
    known = {normalize(group): requirements for group, requirements in locked.items()}
    settings = pyproject.get("tool", {}).get("uv", {}).get("dependency-groups", {})
    pythons = {normalize(group): str(table.get("requires-python", "")) for group, table in settings.items()}
    for group in sorted({*groups, *known}):
        if group not in groups or (group not in known and groups[group]):
            yield f"`{name}`: group `{group}`"
            continue
        members = dict.fromkeys(_expand(groups, group, pythons, ()))
        wanted = [_parse(text, marker, sources) for text, marker in members]
        yield from _differences(f"{name}, group {group}", wanted, known.get(group, []), sources)


def _python_differences(directory: Path, document: UvDocument, pyproject: Mapping[str, Any]) -> Iterator[str]:
    """The lock's `requires-python` is what all members have in common."""
    projects = [package for package in document.package if package.source.editable or package.source.virtual]
    texts = []
    for package in projects:
        is_it = package.name == normalize(str(pyproject.get("project", {}).get("name", "")))
        own = pyproject if is_it else _pyproject(directory / (package.place or ".")) or {}
        texts.append(own.get("project", {}).get("requires-python"))
    locked = document.requires_python
    if locked is None or not all(isinstance(text, str) for text in texts):
        return
    for minor in range(30):
        for micro in (0, 1, 2, 5, 99):
            version = f"3.{minor}.{micro}"
            now = all(supports_python(text, version, "the project") for text in texts)
            if now != supports_python(locked, version, "the lock"):
                yield f"`requires-python`: the lock is for {locked}"
                return


def _differences(
    where: str, wanted: Iterable[_Wanted], locked: Iterable[UvRequirement], sources: Mapping[str, Any]
) -> Iterator[str]:
    """What stands on one side alone; markers of one name may be split and joined, so they are compared last."""
    several = {name for name, source in sources.items() if isinstance(source, list)}
    ours = _grouped(each for each in wanted if each.name not in several)
    theirs = _grouped(each for each in map(_locked, locked) if each.name not in several)
    for key in sorted({*ours, *theirs}, key=str):
        one, other = ours.get(key), theirs.get(key)
        if one is None or other is None:
            word = "is required now" if other is None else "is not required any more"
            yield f"`{where}`: {_shown(key)} {word}"
        elif not same_markers(_union(one), _union(other)):
            yield f"`{where}`: the marker of {_shown(key)} has changed"


def _grouped(requirements: Iterable[_Wanted]) -> dict[_Wanted, list[str | None]]:
    grouped: dict[_Wanted, list[str | None]] = defaultdict(list)
    for requirement in requirements:
        grouped[requirement._replace(marker=None)].append(requirement.marker)
    return grouped


def _union(markers: Sequence[str | None]) -> str | None:
    if not all(markers):
        return None
    return " or ".join(f"({marker})" for marker in markers)


def _shown(wanted: _Wanted) -> str:
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    return f"`{wanted.name}{extras}{','.join(sorted(map(str, wanted.specifier)))}`"


def _locked(requirement: UvRequirement) -> _Wanted:
    source = ""
    if requirement.git is not None:
        query = parse_qs(urlsplit(requirement.git).query)
        refs = {key: query[key][0] for key in _REFS if key in query}
        source = _git(requirement.git.partition("?")[0], refs)
    elif requirement.url is not None:
        source = f"url {_plain(requirement.url)}"
    elif any(getattr(requirement, kind) is not None for kind in _LOCAL):
        source = "local"
    return _Wanted(
        name=normalize(requirement.name),
        extras=frozenset(map(normalize, requirement.extras)),
        specifier=_specifier(requirement.specifier or "") if not source else frozenset(),
        marker=requirement.marker,
        source=source,
    )


def _parse(text: str, condition: str | None, sources: Mapping[str, Any]) -> _Wanted:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only for `--locked`

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise LockError("A requirement in `pyproject.toml` is malformed", facts=[str(error)[:200]]) from error
    name = normalize(requirement.name)
    source = _source_kind(sources.get(name), requirement.url)
    markers = [marker for marker in (str(requirement.marker or ""), condition) if marker]
    return _Wanted(
        name=name,
        extras=frozenset(map(normalize, requirement.extras)),
        specifier=_specifier(str(requirement.specifier)) if not source else frozenset(),
        marker=" and ".join(f"({marker})" for marker in markers) or None,
        source=source,
    )


def _source_kind(source: Any, url: str | None) -> str:
    if isinstance(source, dict):
        if "git" in source:
            return _git(str(source["git"]), source)
        if source.get("workspace") or "path" in source:
            return "local"
        return f"url {_plain(str(source['url']))}" if "url" in source else ""
    if url is None:
        return ""
    if url.startswith("git+"):
        repository, _, ref = _plain(url.removeprefix("git+")).partition("@")
        return _git(repository, {"rev": ref} if ref else {})
    return "local" if url.startswith("file:") else f"url {_plain(url)}"


def _git(url: str, refs: Mapping[str, Any]) -> str:
    repository = _plain(url).rstrip("/").removesuffix(".git")
    return " ".join(["git", repository, *(f"{key}={refs[key]}" for key in _REFS if key in refs)])


def _plain(url: str) -> str:
    """An address without credentials, which uv leaves out of its locks, and without a fragment."""
    return _USERINFO.sub("", url.partition("#")[0])


def _specifier(text: str) -> frozenset[Specifier]:
    """The clauses, for which `>=3` and `>=3.0` are equal."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only for `--locked`

    try:
        return frozenset(SpecifierSet(text))
    except InvalidSpecifier as error:
        raise LockError("A specifier in the lock is malformed", facts=[str(error)[:200]]) from error


def _sources(pyproject: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """`[tool.uv.sources]` of a member, over those of the workspace."""
    tables = [each.get("tool", {}).get("uv", {}).get("sources", {}) for each in (root, pyproject)]
    return {normalize(name): source for table in tables for name, source in table.items()}


def _expand(
    groups: Mapping[str, Sequence[Any]], group: str, pythons: Mapping[str, str], including: tuple[str, ...]
) -> Iterator[tuple[str, str | None]]:
    """The requirements of a group and of those it includes (PEP 735), each with what uv's settings for groups add.

    `pythons` is `requires-python` of `[tool.uv.dependency-groups]`, which holds for all that a group includes.
    """
    if group in including:
        raise LockError(f"The dependency group `{group}` includes itself")
    path = (*including, group)
    clauses = [clause.strip() for each in path for clause in pythons.get(each, "").split(",") if clause.strip()]
    matches = [match for clause in clauses if (match := _CLAUSE.fullmatch(clause))]
    marker = " and ".join(f"python_full_version {match[1]} '{match[2]}'" for match in matches) or None
    for member in groups.get(group, []):
        if isinstance(member, str):
            yield member, marker
        elif isinstance(member, dict) and isinstance(member.get("include-group"), str):
            yield from _expand(groups, normalize(member["include-group"]), pythons, path)


def _is_dynamic(pyproject: Mapping[str, Any]) -> bool:
    project = pyproject.get("project")
    if project is None:
        return True
    return bool({"dependencies", "optional-dependencies"} & set(project.get("dynamic", [])))


def _pyproject(directory: Path) -> dict[str, Any] | None:
    path = directory / "pyproject.toml"
    return parse_toml(read_content(path), path)[0] if path.is_file() else None
