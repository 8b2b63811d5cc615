"""Projects older than `[project]`: what `setup.cfg` and `setup.py` state plainly, without running them.

read_setup_files(root) == {"name": "shop", "version": "1.2", "scripts": {"shop": "shop:main"}}

What `setup.py` computes stays unknown here; the wheel that its backend makes has it all the same.
"""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SETUP_FILES: Final = ("setup.py", "setup.cfg")
_MAX_SIZE: Final = 1 << 20
_NAMES: Final = {"python_requires": "requires-python", "install_requires": "dependencies"}
_TEXTS: Final = ("name", "version", "description", "license", "python_requires")


def read_setup_files(root: Path) -> dict[str, Any]:
    """What the files state, in the form of a `[project]` table; `setup.cfg` fills in what `setup.py` does not say."""
    return {**_setup_cfg(root / "setup.cfg"), **_setup_py(root / "setup.py")}


def _setup_cfg(path: Path) -> dict[str, Any]:
    """Of a declarative configuration (setuptools, *Configuring setuptools using setup.cfg files*)."""
    import configparser  # noqa: PLC0415 - few projects need it

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(path))
    except configparser.Error:
        return {}
    metadata = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    options = dict(parser["options"]) if parser.has_section("options") else {}
    stated: dict[str, Any] = {
        # `attr:` and `file:` say where the value is, not what it is.
        name: value
        for name, value in {**metadata, **options}.items()
        if name in _TEXTS and not value.startswith(("attr:", "file:"))
    }
    stated["install_requires"] = options.get("install_requires", "").split("\n")
    scripts = parser.get("options.entry_points", "console_scripts", fallback="")
    return _project(stated, scripts.split("\n"))


def _setup_py(path: Path) -> dict[str, Any]:
    """Of the call of `setup`, the arguments that are written out."""
    try:
        tree = ast.parse(_text(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_setup(node.func))
    call = next(calls, None)
    if call is None:
        return {}
    stated = {keyword.arg: _literal(keyword.value) for keyword in call.keywords if keyword.arg}
    points = stated.get("entry_points")
    scripts = points.get("console_scripts", ()) if isinstance(points, dict) else ()
    return _project(stated, [scripts] if isinstance(scripts, str) else scripts)


def _project(stated: Mapping[str, Any], scripts: Sequence[Any]) -> dict[str, Any]:
    project: dict[str, Any] = {_NAMES.get(key, key): stated[key] for key in _TEXTS if isinstance(stated.get(key), str)}
    required = stated.get("install_requires")
    lines = [required] if isinstance(required, str) else required if isinstance(required, (list, tuple)) else ()
    if dependencies := [line.strip() for line in lines if isinstance(line, str) and line.strip()]:
        project["dependencies"] = dependencies
    pairs = (line.partition("=") for line in scripts if isinstance(line, str) and "=" in line)
    if named := {name.strip(): target.strip() for name, _, target in pairs}:
        project["scripts"] = named
    return project


def _text(path: Path) -> str:
    """The text of a file; empty where it is missing or unreadable, since whoever builds the project says why."""
    try:
        if path.stat().st_size > _MAX_SIZE:
            return ""
        with tokenize.open(path) as stream:
            return stream.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""


def _is_setup(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "setup"
    return isinstance(function, ast.Name) and function.id == "setup"


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
