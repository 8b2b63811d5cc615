"""The project's modules, read as source and never imported.

for module in find_modules(roots):
    module.variable_made_by(frozenset({"fastapi.FastAPI"}))
"""

from __future__ import annotations

import ast
import os
import tokenize
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Where applications live, likelier first: what tutorials and project templates call these files.
_USUAL_NAMES: Final = ("main", "app", "asgi", "wsgi", "application", "api", "server", "web", "__init__", "__main__")
_NOT_THE_APPLICATION: Final = frozenset(
    {"tests", "test", "docs", "doc", "examples", "scripts", "migrations", "alembic", "node_modules", "build", "dist",
     "venv", "env", "site-packages", "benchmarks"}
)  # fmt: skip
_MAX_DEPTH = 4
_MAX_MODULES = 2000
_MAX_SIZE = 1 << 20


class Module(Value, frozen=True, dict=True):
    """A source file, its dotted name and the directory it is imported from."""

    name: str
    path: Path
    root: Path

    @cached_property
    def text(self) -> str:
        """Its source; empty where it cannot be read, since others may still say how the application starts."""
        try:
            if self.path.stat().st_size > _MAX_SIZE:
                return ""
            with tokenize.open(self.path) as stream:  # honours the encoding that the file declares
                return stream.read()
        except (OSError, SyntaxError, UnicodeDecodeError):
            return ""

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree; empty where the source is not Python this interpreter can parse."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module(body=[], type_ignores=[])

    def variable_made_by(self, constructors: frozenset[str]) -> str | None:
        """The name of a module variable that one of the constructors makes: `app` in `app = fastapi.FastAPI()`.

        Constructors are full names, `fastapi.FastAPI`; imports and their aliases are followed.
        """
        names = self.names_of(constructors)
        for target, value in self._assignments():
            if isinstance(value, ast.Call) and _dotted(value.func) in names:
                return target
        return None

    def factory_of(self, constructors: frozenset[str]) -> str | None:
        """The name of a function that makes and returns such an object and needs no arguments: `create_app`."""
        names = self.names_of(constructors)
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and _needs_no_arguments(node.args):
                made = any(isinstance(inner, ast.Call) and _dotted(inner.func) in names for inner in ast.walk(node))
                returns = any(isinstance(inner, ast.Return) and inner.value is not None for inner in ast.walk(node))
                if made and returns and not node.name.startswith("_"):
                    return node.name
        return None

    def string_setting(self, name: str) -> str | None:
        """The value of a module variable that is a plain string."""
        for target, value in self._assignments():
            if target == name and isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
        return None

    def imports(self, package: str) -> bool:
        """Whether it imports the package anywhere."""
        return package in self.text and any(
            (isinstance(node, ast.Import) and any(_top(alias.name) == package for alias in node.names))
            or (isinstance(node, ast.ImportFrom) and node.level == 0 and _top(node.module or "") == package)
            for node in ast.walk(self.tree)
        )

    @property
    def has_main_guard(self) -> bool:
        """Whether it is made to be run: `if __name__ == "__main__":` at its top level."""
        return "__main__" in self.text and any(
            isinstance(node, ast.If) and _is_main_guard(node.test) for node in self.tree.body
        )

    @property
    def runs_something(self) -> bool:
        """Whether running it does something: it has a `__main__` guard, or a call for its own sake at its top level."""
        return self.has_main_guard or any(
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in self.tree.body
        )

    def names_of(self, full_names: frozenset[str]) -> frozenset[str]:
        """How this module writes the full names after its imports: `FastAPI`, `fastapi.FastAPI`, `f.FastAPI`."""
        if not any(name.rpartition(".")[2] in self.text for name in full_names):
            return frozenset()
        return frozenset(
            full.replace(imported, local, 1)
            for imported, local in self._imported()
            for full in full_names
            if full == imported or full.startswith(f"{imported}.")
        )

    def _imported(self) -> Iterator[tuple[str, str]]:
        """Full name and local name of everything it imports."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, alias.asname or alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield from ((f"{node.module}.{alias.name}", alias.asname or alias.name) for alias in node.names)

    def _assignments(self) -> Iterator[tuple[str, ast.expr]]:
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                yield node.target.id, node.value


def find_modules(roots: Sequence[Path]) -> list[Module]:
    """The modules below the roots, the likelier place of an application first: shallow, and of a usual name."""
    modules: dict[Path, Module] = {}
    for root in roots:
        for path in _sources(root):
            modules.setdefault(path, Module(_module_name(path, root), path, root))
            if len(modules) >= _MAX_MODULES:
                break
    return sorted(modules.values(), key=_likelihood)


def _likelihood(module: Module) -> tuple[int, int, str]:
    stem = module.path.stem
    usual = _USUAL_NAMES.index(stem) if stem in _USUAL_NAMES else len(_USUAL_NAMES)
    return (len(module.path.relative_to(module.root).parts), usual, module.name)


def _sources(root: Path, depth: int = 0) -> Iterator[Path]:
    try:
        # Of a hundred thousand files most are neither: look at names before anything else.
        entries = [
            entry for entry in os.scandir(root) if entry.name.endswith(".py") or entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return
    entries.sort(key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.endswith(".py") and not entry.name.startswith(("test_", "conftest")) and entry.is_file():
            yield Path(entry.path)
    for entry in entries:
        hidden = entry.name.startswith((".", "_")) or entry.name in _NOT_THE_APPLICATION
        if hidden or depth == _MAX_DEPTH or not entry.is_dir(follow_symlinks=False):
            continue
        folder = Path(entry.path)
        if not (folder / "pyvenv.cfg").exists():
            yield from _sources(folder, depth + 1)


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] in {"__init__", "__main__"} and len(parts) > 1 else parts)


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        prefix = _dotted(node.value)
        return prefix and f"{prefix}.{node.attr}"
    return None


def _is_main_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare):
        return False
    sides = (test.left, *test.comparators)
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _needs_no_arguments(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional <= len(arguments.defaults) and all(default is not None for default in arguments.kw_defaults)


def _top(name: str) -> str:
    return name.partition(".")[0]
