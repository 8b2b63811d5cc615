"""`poetry.lock` as Poetry reads it, in the core's words.

    lock = read_lock(poetry, default_index=True)
    lock.select(target, Choice(groups=frozenset({"docs"})))

Which packages an installation has is Poetry's own answer: `Locker.locked_packages` and its markers. Locks from before
Poetry 2.0 name neither groups nor markers of packages, and are read by the core.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from poetry.core.constraints.version import Version
from poetry.core.packages.dependency_group import MAIN_GROUP

from poetry_pycontainer.indexes import index_of
from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks import Lock, LockedPackage
from pycontainer.sources.locks import read_lock as read_with_core
from pycontainer.sources.locks.model import File, Registry, Url, Vcs
from pycontainer.sources.locks.places import Places, checked_subdirectory, parse_hashes
from pycontainer.sources.locks.selection import single_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from poetry.core.packages.package import Package
    from poetry.poetry import Poetry

    from pycontainer.sources.locks import Artifact, Choice
    from pycontainer.sources.locks.model import Source
    from pycontainer.sources.target import Target


class PoetrysLock(Lock):
    """The lock of a project.

    Args:
        poetry: The project.
        own_index: Whether packages without a source are from the index that Poetry takes them from; else the options
            name another.
    """

    format = "poetry.lock"

    def __init__(self, poetry: Poetry, *, own_index: bool) -> None:
        path = poetry.locker.lock.resolve()
        super().__init__(path=path, digest=Digest.of(path.read_bytes()))
        self._poetry = poetry
        self._packages = poetry.locker.locked_packages()
        self._own_index = own_index
        self._places = Places(path.parent)

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`."""
        self._check_python(target)
        known = self._poetry.package.extras
        extras = {canonicalize_name(extra) for extra in (known if choice.all_extras else choice.extras)}
        groups = {canonicalize_name(group) for group in choice.groups} | (set() if choice.only_groups else {MAIN_GROUP})
        # Poetry compares an extra with all that are chosen at once.
        environment: dict[str, Any] = {**target.environment, "extra": extras}
        chosen = [
            self._locked(package)
            for package, info in self._packages.items()
            if info.groups & groups and info.get_marker(groups).validate(environment)
        ]
        return single_versions(chosen, target, self.path.name)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`; Poetry has read `pyproject.toml` itself."""
        del pyproject
        check_fresh(self._poetry)

    def _check_python(self, target: Target) -> None:
        if not self._poetry.package.python_constraint.allows(Version.parse(target.python.full)):
            raise LockError(
                f"The project is for Python {self._poetry.package.python_versions} but the base image has "
                f"{target.python}",
                hint="Set {base_image} to one with a Python of this range",
            )

    def _locked(self, package: Package) -> LockedPackage:
        source = self._source(package)
        files = [self._artifact(package, entry) for entry in package.files] if _has_files(source) else []
        return LockedPackage(
            name=package.name,
            version=package.version.text,
            source=source,
            wheels=tuple(file for file in files if file.is_wheel),
            sdist=next((file for file in files if not file.is_wheel), None),
        )

    def _source(self, package: Package) -> Source:
        kind, url = package.source_type, package.source_url or ""
        subdirectory = checked_subdirectory(package.source_subdirectory)
        if kind is None or kind == "legacy":
            return Registry(url=package.source_url)
        if kind == "git":
            commit, requested = package.source_resolved_reference or "", package.source_reference
            return Vcs(url=url, commit=commit, requested=requested, subdirectory=subdirectory)
        if kind == "url":
            return Url(url=url, subdirectory=subdirectory)
        if kind == "file":
            return File(path=Path(url), subdirectory=subdirectory)
        if kind == "directory":
            return self._places.directory(url, editable=package.develop, subdirectory=package.source_subdirectory)
        raise LockError(f"The lock says of `{package.name}` the unknown source `{kind[:40]}`")

    def _artifact(self, package: Package, entry: Mapping[str, Any]) -> Artifact:
        kind, url = package.source_type, package.source_url
        return self._places.artifact(
            url=url if kind == "url" else None,
            path=url if kind == "file" else None,
            filename=str(entry.get("file", "")),
            hashes=parse_hashes([str(entry.get("hash", ""))]),
            index=index_of(package, self._poetry.pool) if url or self._own_index else None,
        )


def read_lock(poetry: Poetry, *, own_index: bool) -> Lock | None:
    """The lock of a project; none where there is none and nothing that could stand in it.

    Raises:
        LockError: It is missing, malformed, or older than `pyproject.toml`.
    """
    locker = poetry.locker
    if not locker.is_locked():
        if not poetry.package.all_requires:
            return None
        raise LockError(
            "poetry.lock does not exist", facts=[f"project: {poetry.file.path.parent}"], hint="Run `poetry lock`"
        )
    try:
        check_fresh(poetry)
        if locker.is_locked_groups_and_markers():
            return PoetrysLock(poetry, own_index=own_index)
    except (RuntimeError, LookupError, TypeError, ValueError) as error:  # whatever a malformed one makes of Poetry
        raise LockError("poetry.lock cannot be read", facts=str(error).splitlines()[:3]) from error
    return read_with_core(locker.lock.resolve())


def check_fresh(poetry: Poetry) -> None:
    """Refuse a lock that `poetry install` would refuse, in the words that it has for it.

    Raises:
        LockError: The project has changed since it was locked.
    """
    if not poetry.locker.is_fresh():
        raise LockError(
            "pyproject.toml changed significantly since poetry.lock was last generated", hint="Run `poetry lock`"
        )


def _has_files(source: Source) -> bool:
    return isinstance(source, (Registry, Url, File))
