"""A project as its `pyproject.toml` describes it, for any build backend or none.

project = Pyproject.read(Path("."))
project.metadata.name, project.metadata.is_package
"""

from __future__ import annotations

import re
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycontainer.errors import ProjectError
from pycontainer.project.protocol import ProjectMetadata
from pycontainer.project.setuptools_files import SETUP_FILES, read_setup_files
from pycontainer.sources.locks.poetry_constraints import specifiers
from pycontainer.value import Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_SIZE = 4 << 20
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def read_pyproject(root: Path) -> dict[str, Any]:
    """The parsed `pyproject.toml` of a directory; empty where there is none.

    Raises:
        ProjectError: It cannot be read or is not TOML.
    """
    path = root / "pyproject.toml"
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise ProjectError("`pyproject.toml` is larger than 4 MiB", facts=[f"file: {path}"])
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ProjectError("`pyproject.toml` cannot be read", facts=[f"file: {path}", str(error)]) from error
    return tables


class Pyproject(Value, frozen=True, dict=True):
    """What `pyproject.toml` says, with Poetry's older tables understood.

    Attributes:
        root: The project's directory, absolute.
        tables: The whole parsed file.
    """

    root: Path
    tables: Mapping[str, Any]

    @classmethod
    def read(cls, root: Path) -> Pyproject:
        """Read the project at `root`.

        Raises:
            ProjectError: No such directory, or a `pyproject.toml` that cannot be read.
        """
        root = root.resolve()
        if not root.is_dir():
            raise ProjectError(
                f"`{root}` is not a directory", hint="Set {context_path} to the directory of the project"
            )
        return cls(root, read_pyproject(root))

    def tool(self, name: str) -> Mapping[str, Any]:
        """The table `[tool.name]`, empty where there is none."""
        return _table(_table(self.tables, "tool"), name)

    @cached_property
    def metadata(self) -> ProjectMetadata:
        """The project's metadata.

        Raises:
            ProjectError: A field of the wrong type.
        """
        poetry = self.tool("poetry")
        project = self._project
        return ProjectMetadata(
            name=_text(project, "name") or _text(poetry, "name") or _NAME.sub("-", self.root.name).strip("-.") or "app",
            version=_text(project, "version") or _text(poetry, "version"),
            description=_text(project, "description") or _text(poetry, "description"),
            requires_python=_text(project, "requires-python") or _poetry_python(poetry),
            license=_license(project) or _text(poetry, "license"),
            authors=_authors(project) or tuple(_list(poetry, "authors")),
            scripts=_scripts(project, "scripts") or _poetry_scripts(poetry),
            dependencies=tuple(_list(project, "dependencies")) or tuple(_poetry_dependencies(poetry)),
            urls=_urls(project, poetry),
            is_package=self.is_package,
        )

    @property
    def is_package(self) -> bool:
        """Whether a build backend makes a wheel of it.

        A `[build-system]` makes a package, unless uv or Poetry are told that it is none; without one, a `setup.py` or
        `setup.cfg` does (PEP 517, *Source trees*).
        """
        if self.tool("poetry").get("package-mode") is False:
            return False
        package = self.tool("uv").get("package")
        if isinstance(package, bool):
            return package
        if "build-system" in self.tables:
            return True
        return "project" not in self.tables and self._has_any(SETUP_FILES)

    @property
    def states_dependencies(self) -> bool:
        """Whether it has dependencies, or may have some that only its backend or a resolver can tell."""
        if self.metadata.dependencies or "dependencies" in _list(self._project, "dynamic"):
            return True
        if "project" in self.tables or self.tool("poetry"):
            return False
        return self._has_any(("requirements.in", *SETUP_FILES))

    @property
    def members(self) -> tuple[Pyproject, ...]:
        """The members of the workspace of uv that it is the root of: the directories its globs match."""
        workspace = _table(self.tool("uv"), "workspace")
        found = sorted(self._matched(workspace, "members") - self._matched(workspace, "exclude"))
        return tuple(Pyproject.read(root) for root in found if (root / "pyproject.toml").is_file())

    @cached_property
    def module_roots(self) -> tuple[Path, ...]:
        """Directories from which its modules are imported, the likelier first: `src`, those that backends name, `.`."""
        named = [
            *(_text(entry, "from") for entry in self.tool("poetry").get("packages", ()) if isinstance(entry, dict)),
            _text(_table(self.tool("setuptools"), "package-dir"), ""),
            *_list(_table(_table(self.tool("setuptools"), "packages"), "find"), "where"),
            *(str(Path(path).parent) for path in _list(self._hatch_wheel, "packages")),
        ]
        roots = [self.root / "src", *(self.root / name for name in named if name), self.root]
        inside = (root.resolve() for root in roots if root.is_dir())
        return tuple(dict.fromkeys(root for root in inside if root.is_relative_to(self.root)))

    @cached_property
    def _project(self) -> Mapping[str, Any]:
        """`[project]`, or what stands for it in an older project."""
        if "project" in self.tables or self.tool("poetry") or not self._has_any(SETUP_FILES):
            return _table(self.tables, "project")
        return read_setup_files(self.root)

    def _matched(self, workspace: Mapping[str, Any], key: str) -> set[Path]:
        """The paths that globs of a workspace match."""
        patterns = (pattern for pattern in _list(workspace, key) if pattern and not Path(pattern).is_absolute())
        return {path for pattern in patterns for path in self.root.glob(pattern)}

    def _has_any(self, names: Iterable[str]) -> bool:
        return any((self.root / name).is_file() for name in names)

    @property
    def _hatch_wheel(self) -> Mapping[str, Any]:
        return _table(_table(_table(self.tool("hatch"), "build"), "targets"), "wheel")


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    return value if isinstance(value, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ProjectError(f"`{key}` in `pyproject.toml` must be a string", facts=[f"found: {value!r:.80}"])
    return value


def _list(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProjectError(f"`{key}` in `pyproject.toml` must be a list of strings", facts=[f"found: {value!r:.80}"])
    return value


def _scripts(table: Mapping[str, Any], key: str) -> dict[str, str]:
    scripts = _table(table, key)
    if not all(isinstance(value, str) for value in scripts.values()):
        raise ProjectError(f"`project.{key}` in `pyproject.toml` must map names to `module:function`")
    return dict(scripts)


def _license(project: Mapping[str, Any]) -> str | None:
    value = project.get("license")  # a string since PEP 639, a table before
    return _text(value, "text") if isinstance(value, dict) else _text(project, "license")


def _authors(project: Mapping[str, Any]) -> tuple[str, ...]:
    authors = project.get("authors", ())
    return tuple(
        " ".join(filter(None, [entry.get("name"), f"<{entry['email']}>" if entry.get("email") else None]))
        for entry in authors
        if isinstance(entry, dict)
    )


def _urls(project: Mapping[str, Any], poetry: Mapping[str, Any]) -> dict[str, str]:
    urls = {key: value for key, value in _table(project, "urls").items() if isinstance(value, str)}
    for key in ("homepage", "repository", "documentation"):
        if key in poetry and isinstance(poetry[key], str):
            urls.setdefault(key, poetry[key])
    return urls


def _poetry_python(poetry: Mapping[str, Any]) -> str | None:
    """`^3.11` as `>=3.11,<4`; none for alternatives, which PEP 440 cannot say."""
    value = _table(poetry, "dependencies").get("python")
    if not isinstance(value, str) or "|" in value:
        return None
    try:
        return specifiers(value) or None
    except ValueError as error:
        raise ProjectError(f"`python` in `[tool.poetry.dependencies]` is malformed: `{value:.80}`") from error


def _poetry_scripts(poetry: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in _table(poetry, "scripts").items() if isinstance(value, str)}


def _poetry_dependencies(poetry: Mapping[str, Any]) -> list[str]:
    return [name for name in _table(poetry, "dependencies") if name != "python"]
