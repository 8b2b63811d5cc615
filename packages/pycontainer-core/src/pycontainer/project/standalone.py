"""A project for the command and the library: `pyproject.toml` and what stands beside it.

project = StandaloneProject(pyproject=find_project(Path("."), "api"), resolve=resolve, build=build)
project.lock(target), project.build_wheel(folder, target)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pycontainer.errors import LockError, ProjectError
from pycontainer.events import Emit, Warned, ignore
from pycontainer.project.pyproject import Pyproject, read_pyproject
from pycontainer.sources.locks import find_lock, read_lock
from pycontainer.sources.locks.filenames import normalize
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pycontainer.project.protocol import ProjectMetadata
    from pycontainer.sources.locks import Lock, LockMemory
    from pycontainer.sources.target import Target


class StandaloneProject(Value, frozen=True, kw_only=True, dict=True):
    """A project that no other tool describes.

    Attributes:
        pyproject: Its `pyproject.toml`.
        lock_file: The lock that the options name; none means that it is looked for.
        locked: Whether a lock that is missing or stale is an error rather than a warning.
        resolve: Makes a lock where the project has none.
        build: Builds its wheel into a directory.
        chooses: Whether extras or groups are chosen, so that there may be something to resolve besides dependencies.
        memory: Where locks that were found fresh are remembered, with what they answered.
        emit: Takes warnings.
    """

    _unshown = ("emit",)

    pyproject: Pyproject
    resolve: Callable[[Pyproject, Target], Lock]
    build: Callable[[Pyproject, Path, Target], Path]
    chooses: bool = False
    lock_file: Path | None = None
    locked: bool = False
    memory: LockMemory | None = None
    emit: Emit = ignore

    @property
    def root(self) -> Path:
        """The directory of its `pyproject.toml`."""
        return self.pyproject.root

    @cached_property
    def metadata(self) -> ProjectMetadata:
        """Its metadata, read without running anything."""
        return self.pyproject.metadata

    def lock(self, target: Target) -> Lock | None:
        """The lock beside the project or at its workspace's root; one that is resolved now where there is none.

        Raises:
            LockError: It is malformed; or, when `locked`, missing or older than the project.
            ToolError: There is none, and nothing to resolve one with.
        """
        path = find_lock(self.root, self.lock_file)
        if path is not None:
            return self._checked(read_lock(path, memory=self.memory, emit=self.emit))
        if not self.pyproject.states_dependencies and not self.chooses:
            return None
        if self.locked:
            from pycontainer.sources.resolve import lock_hint  # noqa: PLC0415 - only for an error

            raise LockError(
                "The project has no lock file",
                facts=[f"project: {self.root}"],
                hint=f"{lock_hint(self.root)}, or turn {{locked}} off",
            )
        return self.resolve(self.pyproject, target)

    def build_wheel(self, directory: Path, target: Target) -> Path:
        """Build the project's wheel with its own backend, in isolation."""
        return self.build(self.pyproject, directory, target)

    def _checked(self, lock: Lock) -> Lock:
        def check() -> None:
            lock.check_fresh(read_pyproject(lock.path.parent))

        try:
            if self.memory is not None:
                return self.memory.checked(lock, check)
            check()
        except LockError as error:
            if self.locked:
                raise
            self.emit(Warned(message=error.message, facts=error.facts, hint=error.hint))
        return lock


def find_project(context: Path, package: str | None = None) -> Pyproject:
    """The project in a directory, or the member of its workspace that has a name.

    Raises:
        ProjectError: No such directory, or no such member; the facts list those there are.
    """
    pyproject = Pyproject.read(context)
    if package is None or normalize(pyproject.metadata.name) == normalize(package):
        return pyproject
    members = {normalize(member.metadata.name): member for member in pyproject.members}
    try:
        return members[normalize(package)]
    except KeyError:
        known = ", ".join(f"`{name}`" for name in sorted(members)) or "none"
        raise ProjectError(
            f"The workspace has no member `{package}`",
            facts=[f"workspace: {pyproject.root}", f"members: {known}"],
            hint="Correct {package}",
        ) from None
