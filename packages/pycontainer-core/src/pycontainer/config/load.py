"""From all sources to one `BuildConfig`.

    loaded = load_config(from_flags({"tag": ["myapp:1"]}), environment=os.environ)
    loaded.config.tag, loaded.origin("tag")

The precedence, once: command line, then environment, then a plugin's own table, then `pycontainer.toml` (or
`--config FILE`), then `[tool.pycontainer]` of `pyproject.toml`, then defaults. The files of the workspace's member that
is chosen go before those of the workspace. Tables (`env`, `labels`, `annotations`, `mirrors`) merge key by key,
policies add up; everything else replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.build_config import BuildConfig
from pycontainer.config.checks import check
from pycontainer.config.option import Origin, Shape
from pycontainer.config.policy import read_policies
from pycontainer.config.problems import Problem, raise_problems
from pycontainer.config.reading import anchored
from pycontainer.config.secrets import looks_secret
from pycontainer.config.sources import Source, from_environment, from_file, from_pyproject
from pycontainer.errors import ProjectError, PyContainerError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.config.sources import Setting

CONFIG_FILE: Final = "pycontainer.toml"
DEFAULT: Final = Origin("default")
_NAME: Final = "{name}"


class Loaded(Value, frozen=True, kw_only=True):
    """A configuration and where each value of it came from.

    Attributes:
        origins: By field; for tables by field and key.
        warnings: What looks like a mistake in a source.
    """

    config: BuildConfig
    origins: Mapping[tuple[str, str | None], Origin]
    warnings: tuple[str, ...] = ()

    def origin(self, name: str, key: str | None = None) -> Origin:
        """Where the value of a field, or of a key of a table, came from."""
        return self.origins.get((name, key), DEFAULT)


def load_config(
    flags: Source | None = None,
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
    tables: Sequence[Source] = (),
) -> Loaded:
    """Read all sources and merge them by their precedence.

    Args:
        flags: What goes before everything else.
        environment: Where variables are read.
        directory: What paths in variables are relative to; none means the current directory.
        tables: What a front end's own tables say: more than the files that all front ends read, less than variables.

    Raises:
        ConfigError: Options are wrong; it lists every one of them.
        ProjectError: `pyproject.toml` cannot be read.
    """
    flags = flags or Source()
    base = directory or Path()
    variables = from_environment(environment, base=base)
    context = _path("context_path", (flags, variables)) or base
    named = _path("config_file", (flags, variables))
    first = [flags, variables, *tables, *([from_file(named)] if named else [])]
    shared = _of_folder(context, with_file=named is None)
    member = _member(context, [*first, *shared])
    own = _of_folder(member, with_file=named is None) if member else []
    return merge([*first, *own, *shared], context=context)


def _of_folder(root: Path, *, with_file: bool) -> list[Source]:
    """What the files of a project say."""
    path = root / CONFIG_FILE
    return [*([from_file(path)] if with_file and path.is_file() else []), from_pyproject(root)]


def _member(context: Path, sources: Sequence[Source]) -> Path | None:
    """The folder of the member of a workspace that is chosen; none where that is the context itself."""
    name = next((value for source in sources if (value := source.get("package"))), None)
    if not isinstance(name, str):
        return None
    from pycontainer.project.standalone import find_project  # noqa: PLC0415 - brings the readers of locks

    try:
        root = find_project(context, name).root
    except ProjectError:  # the build itself tells which members there are
        return None
    return None if root == context.resolve() else root


def merge(sources: Sequence[Source], *, context: Path) -> Loaded:
    """The configuration that sources give, the one that goes before all others first.

    Raises:
        ConfigError: Options are wrong; it lists every one of them.
    """
    values: dict[str, Any] = {"context_path": str(context)}
    origins: dict[tuple[str, str | None], Origin] = {}
    unread = [problem for source in sources for problem in source.problems]
    for source in reversed(sources):
        for setting in source.settings:
            if setting.option.shape is Shape.POLICY:
                origins[setting.option.name, None] = setting.origin
                _add_policies(setting, source, values, unread)
            elif setting.option.is_field and setting.option.name != "context_path":
                _apply(setting, source, context, values, origins)
            elif setting.option.name == "context_path":
                origins["context_path", None] = setting.origin
    _fill_in(values, context)
    _, problems = check(values)
    raise_problems([*unread, *(problem.located(lambda name, key: _locate(origins, name, key)) for problem in problems)])
    config = BuildConfig(**values)
    warnings = [warning for source in sources for warning in source.warnings]
    warnings += [
        f"`{name}` of {_locate(origins, 'env', name)} looks like a secret; whoever has the image can read it"
        for name in config.env
        if looks_secret(name)
    ]
    return Loaded(config=config, origins=origins, warnings=tuple(warnings))


def _apply(
    setting: Setting,
    source: Source,
    context: Path,
    values: dict[str, Any],
    origins: dict[tuple[str, str | None], Origin],
) -> None:
    name = setting.option.name
    value = anchored(setting.option, setting.value, base=source.base, context=context)
    if setting.option.shape is Shape.MAPPING and isinstance(value, Mapping):
        merged = values.get(name, {})
        values[name] = {**(merged if isinstance(merged, Mapping) else {}), **value}
        origins.update({(name, key): setting.origin for key in value})
    else:
        values[name] = value
    origins[name, None] = setting.origin


def _add_policies(setting: Setting, source: Source, values: dict[str, Any], problems: list[Problem]) -> None:
    """Policies of one source more; no source takes away what another one asks for."""
    name, origin = setting.option.name, str(setting.origin)
    try:
        found = read_policies(setting.value, base=source.base, origin=origin)
    except PyContainerError as error:
        facts = tuple(fact for fact in error.facts if fact != f"policy: {origin}")
        problems.append(Problem(option=name, message=error.message, facts=facts, hint=error.hint, origin=origin))
        return
    known = values.get(name, ())
    values[name] = (*known, *(policy for policy in found if policy not in known))


def _fill_in(values: dict[str, Any], context: Path) -> None:
    """Write the name of the project, normalised, where names and places of its image have `{name}`."""
    for option in ("tag", "output"):
        texts = [values[option]] if isinstance(values.get(option), str) else values.get(option)
        if isinstance(texts, (list, tuple)) and any(isinstance(text, str) and _NAME in text for text in texts):
            name = _project_name(context, values.get("package"))
            values[option] = [text.replace(_NAME, name) if isinstance(text, str) else text for text in texts]


def _project_name(context: Path, package: object) -> str:
    from pycontainer.project.standalone import find_project  # noqa: PLC0415 - brings the readers of locks
    from pycontainer.sources.locks.filenames import normalize  # noqa: PLC0415 - as above

    try:
        return normalize(find_project(context, package if isinstance(package, str) else None).metadata.name)
    except ProjectError:  # the build itself tells what is wrong with it
        return "name"


def _locate(origins: Mapping[tuple[str, str | None], Origin], name: str, key: str | None) -> str | None:
    origin = origins.get((name, key)) or origins.get((name, None))
    return str(origin) if origin else None


def _path(name: str, sources: Sequence[Source]) -> Path | None:
    """The first value of a path option that decides what else is read."""
    for source in sources:
        value = source.get(name)
        if isinstance(value, str) and value and "\0" not in value:
            return source.base / value
    return None
