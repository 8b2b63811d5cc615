"""The places that options come from, each read into a `Source`: flags, variables, files.

from_flags({"tag": ["myapp:1"], "push": True}, flags={"tag": "-t"})
from_environment(os.environ)
from_table(tables, name=lambda key: f"tool.pycontainer.{key} in pyproject.toml")
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.option import PREFIX, Option, Origin
from pycontainer.config.options import OPTIONS
from pycontainer.config.problems import Problem
from pycontainer.config.reading import read_texts, read_toml, read_variable
from pycontainer.config.values import show
from pycontainer.errors import ConfigError, PyContainerError
from pycontainer.value import Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_MAX_SIZE: Final = 4 << 20
_TABLES: Final = ("build", "registry")
_POLICY: Final = OPTIONS["policy"]
# Variables of ours that are no options; front ends document them.
OTHER_VARIABLES: Final = ("PYCONTAINER_DEBUG",)


class Setting(Value, frozen=True, kw_only=True):
    """A value of an option, and where it stands."""

    option: Option
    value: Any
    origin: Origin


class Source(Value, frozen=True, kw_only=True):
    """All that one place says.

    Attributes:
        settings: In the order in which they stand there.
        problems: What cannot be read.
        base: What its relative paths are relative to.
        warnings: What looks like a mistake and is none for certain.
    """

    settings: tuple[Setting, ...] = ()
    problems: tuple[Problem, ...] = ()
    base: Path = Path()
    warnings: tuple[str, ...] = ()

    def get(self, name: str) -> Any:
        """The value of an option here; none where it is not set."""
        return next((setting.value for setting in self.settings if setting.option.name == name), None)


class _Reader:
    def __init__(self) -> None:
        self.settings: list[Setting] = []
        self.problems: list[Problem] = []

    def read(self, option: Option, origin: str, convert: Callable[[], Any]) -> None:
        if any(setting.option is option for setting in self.settings):
            self.problem(option.name, origin, "The option is set twice", hint="Keep one spelling of it")
            return
        try:
            self.settings.append(Setting(option=option, value=convert(), origin=Origin(origin)))
        except PyContainerError as error:
            self.problems.append(
                Problem(option=option.name, message=error.message, facts=error.facts, hint=error.hint, origin=origin)
            )

    def problem(self, name: str, origin: str, message: str, *facts: str, hint: str | None = None) -> None:
        self.problems.append(Problem(option=name, message=message, facts=facts, hint=hint, origin=origin))

    def source(self, base: Path, warnings: Sequence[str] = ()) -> Source:
        return Source(settings=tuple(self.settings), problems=tuple(self.problems), base=base, warnings=tuple(warnings))


def from_flags(given: Mapping[str, Sequence[str] | bool], *, base: Path | None = None) -> Source:
    """What a command line says.

    Args:
        given: By the name of the option: the texts of its flag, one for each time it was given, or for a boolean
            whether it was turned on or off.
        base: The current directory.
    """
    reader = _Reader()
    for name, texts in given.items():
        option = OPTIONS[name]
        origin = option.negative if texts is False and option.negative else option.flag
        reader.read(option, origin, lambda o=option, t=texts: t if isinstance(t, bool) else read_texts(o, t))  # type: ignore[misc]
    return reader.source(base or Path())


def from_environment(environment: Mapping[str, str], *, base: Path | None = None) -> Source:
    """What `PYCONTAINER_…` and the variables of other tools that options read say; an empty one says nothing."""
    reader = _Reader()
    for option in OPTIONS.values():
        names = [option.variable, option.also_read] if option.in_environment else []
        found = next((name for name in names if name and environment.get(name)), None)
        if found:
            text = environment[found]
            reader.read(option, found, lambda o=option, t=text: read_variable(o, t))  # type: ignore[misc]
    return reader.source(base or Path(), [_unknown_variable(name) for name in sorted(_unknown(environment))])


def _unknown(environment: Mapping[str, str]) -> set[str]:
    known = {option.variable for option in OPTIONS.values() if option.in_environment}
    return {name for name in environment if name.startswith(PREFIX)} - known - set(OTHER_VARIABLES)


def _unknown_variable(name: str) -> str:
    known = [option.variable for option in OPTIONS.values() if option.in_environment]
    near = _most_like(name, known)
    return f"`{show(name)}` is not a variable of pycontainer" + (f"; is `{near}` meant?" if near else "")


def _most_like(name: str, known: Collection[str]) -> str | None:
    import difflib  # noqa: PLC0415 - only for a mistake

    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def from_table(
    tables: Mapping[str, Any], *, name: Callable[[str], str], base: Path, build_at_top: bool = False
) -> Source:
    """What a parsed table says.

    Args:
        tables: With the tables `build` and `registry`.
        name: From `build.platform` to what messages call it: `build.platform in pycontainer.toml`.
        base: What relative paths are relative to.
        build_at_top: Whether the keys of `build` stand beside `registry`, with or without a table `build`.
    """
    reader = _Reader()
    for key, value in tables.items():
        if key == _POLICY.name:
            reader.read(_POLICY, name(key), lambda value=value: value)  # type: ignore[misc]
        elif key in _TABLES:
            _read_table(reader, key, value, name)
        elif build_at_top:
            _read_key(reader, "build", key, value, name(key))
        else:
            option = _find("build", key)
            hint = f"Put it into the table `[{option.table}]`" if option else _nearest("", key)
            reader.problem(key, name(key), f"`{show(key)}` is not a table of the configuration", hint=hint)
    return reader.source(base)


def _read_table(reader: _Reader, table: str, content: object, name: Callable[[str], str]) -> None:
    if not isinstance(content, dict):
        reader.problem(table, name(table), f"`{table}` is not a table", f"expected: `[{name(table).split()[0]}]`")
        return
    for key, value in content.items():
        _read_key(reader, table, key, value, name(f"{table}.{key}"))


def _read_key(reader: _Reader, table: str, key: str, value: object, origin: str) -> None:
    option = _find(table, key)
    if option is None:
        reader.problem(key, origin, f"`{show(key)}` is not an option", hint=_nearest(table, key))
    elif not option.in_files:
        reader.problem(
            option.name,
            origin,
            f"`{key}` cannot be set in a file",
            hint=f"Set {{{option.name}}} or `{option.variable}`",
        )
    else:
        reader.read(option, origin, lambda: read_toml(option, value))


def spellings(option: Option) -> tuple[str, ...]:
    """The keys that name an option in a file, the documented one first; hyphen and underscore are the same."""
    names = (option.toml_key, option.name.replace("_", "-"))
    return tuple(dict.fromkeys(form for name in names for form in (name, name.replace("-", "_"))))


def _find(table: str, key: str) -> Option | None:
    return next(
        (option for option in OPTIONS.values() if option.table == table and key in spellings(option)),
        None,
    )


def _nearest(table: str, key: str) -> str | None:
    for other in _TABLES:
        option = _find(other, key) if other != table else None
        if option is not None:
            return f"Put it into the table `[{other}]`"
    known = [option.toml_key for option in OPTIONS.values() if option.in_files and option.table == table]
    near = _most_like(key.replace("_", "-"), known or _TABLES)
    return f"Is `{near}` meant?" if near else None


def from_file(path: Path) -> Source:
    """What a `pycontainer.toml` says.

    Raises:
        ConfigError: It cannot be read or is not TOML.
    """
    return from_table(read_toml_file(path), name=lambda key: f"{key} in {path.name}", base=path.parent)


def from_pyproject(root: Path) -> Source:
    """What `[tool.pycontainer]` in the `pyproject.toml` of a project says; nothing where there is none.

    Raises:
        ProjectError: The file cannot be read.
    """
    from pycontainer.project.pyproject import read_pyproject  # noqa: PLC0415 - plugins bring tables of their own

    tool = read_pyproject(root).get("tool")
    tables = tool.get("pycontainer") if isinstance(tool, dict) else None
    if tables is None:
        return Source(base=root)
    if not isinstance(tables, dict):
        raise ConfigError("`tool.pycontainer` in pyproject.toml is not a table")
    return from_table(
        tables, name=lambda key: f"tool.pycontainer.{key} in pyproject.toml", base=root, build_at_top=True
    )


def read_toml_file(path: Path) -> dict[str, Any]:
    """The tables of a configuration file.

    Raises:
        ConfigError: It cannot be read or is not TOML.
    """
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise ConfigError(f"`{path.name}` is larger than 4 MiB", facts=[f"file: {path}"])
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"`{show(path.name)}` cannot be read", facts=[f"file: {path}", f"reason: {reason}"]
        ) from error
