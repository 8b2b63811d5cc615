"""Policies: rules that an image must keep, typed and checked.

    policy = Policy(pinned_base=True, denied_licenses=["AGPL-*"])
    policies = read_policies({"extends": "../policy.toml", "no-sdists": True}, base=folder, origin="pycontainer.toml")

A build has any number of policies, each of a project, of an organisation's file or of a command line, and an image
must keep all of them. None replaces another: so a project can add rules and take none away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.forms import form
from pycontainer.config.option import Group, Option, Shape
from pycontainer.config.values import show
from pycontainer.errors import ConfigError, PyContainerError
from pycontainer.value import Value, force_setattr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DEEPEST: Final = 5
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_EXTENDS: Final = "extends"
_LICENSE: Final = re.compile(r"[A-Za-z0-9.*+-]+(?: WITH [A-Za-z0-9.*-]+)?", re.ASCII)


def _rule(name: str, shape: Shape, text: str) -> Option:
    return Option(name=name, shape=shape, group=Group.POLICY, table="policy", help=text)


_ROWS: Final = (
    _rule("pinned_base", Shape.BOOLEAN, "the base image is named by digest, or `pycontainer.lock` has it"),
    _rule("allowed_bases", Shape.TEXTS, "patterns, one of which the base image's name must match"),
    _rule("require_hashes", Shape.BOOLEAN, "the lock has a hash of every file that is installed"),
    _rule("no_sdists", Shape.BOOLEAN, "dependencies are wheels: none is built of an sdist or a commit"),
    _rule("allowed_indexes", Shape.TEXTS, "URLs, below one of which every dependency must lie"),
    _rule("require_https", Shape.BOOLEAN, "no index and no registry is spoken to over plain http"),
    _rule("allowed_licenses", Shape.TEXTS, "SPDX identifiers; every dependency must have a licence made of them"),
    _rule("denied_licenses", Shape.TEXTS, "SPDX identifiers that no dependency may be under"),
    _rule("licenses", Shape.MAPPING, "the SPDX expression of dependencies that declare none, or a wrong one"),
    _rule("non_root", Shape.BOOLEAN, "the image does not run as root"),
    _rule("no_secrets", Shape.BOOLEAN, "no file, variable or label of the project holds keys, tokens or passwords"),
    _rule("forbidden_files", Shape.TEXTS, "patterns of files of the project that must not be in the image"),
    _rule("allowed_files", Shape.MAPPING, "files that may be there all the same: pattern → reason"),
    _rule(
        "allow_exceptions",
        Shape.BOOLEAN,
        "`allowed-files` and `licenses` of other policies, such as the project's, count for this one too",
    ),
)
RULES: Final[Mapping[str, Option]] = {row.name: row for row in _ROWS}


class Policy(Value, frozen=True, kw_only=True):
    """Rules that an image must keep. `RULES` says of each what it asks for; what is not set asks for nothing.

    Attributes:
        origin: Where the rules stand, for messages.

    Raises:
        ConfigError: A rule is malformed; `facts` has all of them.
    """

    pinned_base: bool = False
    allowed_bases: Sequence[str] = ()
    require_hashes: bool = False
    no_sdists: bool = False
    allowed_indexes: Sequence[str] = ()
    require_https: bool = False
    allowed_licenses: Sequence[str] = ()
    denied_licenses: Sequence[str] = ()
    licenses: Mapping[str, str] = _NOTHING
    non_root: bool = False
    no_secrets: bool = False
    forbidden_files: Sequence[str] = ()
    allowed_files: Mapping[str, str] = _NOTHING
    allow_exceptions: bool = False
    origin: str = "policy"

    def __post_init__(self) -> None:
        problems = [problem for option in RULES.values() if (problem := self._settle(option))]
        if problems:
            raise ConfigError("A policy is malformed", facts=[*problems, f"policy: {self.origin}"])

    def _settle(self, option: Option) -> str | None:
        """Bring a rule into its stored form; what is wrong with it, if anything is."""
        try:
            value = form(option, getattr(self, option.name))
            force_setattr(self, option.name, _CHECKS.get(option.name, _as_it_is)(value))
        except PyContainerError as error:
            return f"{option.toml_key}: {'; '.join([error.message, *error.facts])}"
        return None

    @classmethod
    def of(cls, table: Mapping[str, object], *, origin: str = "policy") -> Policy:
        """A policy of the keys that files have, hyphens or underscores in them.

        Raises:
            ConfigError: A key does not exist, or a rule is malformed.
        """
        given = {str(key).replace("-", "_"): value for key, value in table.items()}
        unknown = sorted(given.keys() - RULES.keys())
        if unknown:
            raise ConfigError(
                f"`{show(unknown[0].replace('_', '-'))}` is not a rule of a policy",
                facts=[f"policy: {origin}", f"available: {', '.join(row.toml_key for row in _ROWS)}"],
            )
        for key, value in table.items():
            if value == []:  # nobody can say whether that asks for nothing, or allows nothing
                raise ConfigError(f"The rule `{key}` is empty", facts=[f"policy: {origin}"], hint="Leave it out")
        values: dict[str, Any] = given
        return cls(origin=origin, **values)

    def rules(self) -> dict[str, Any]:
        """What is asked for, by the key that files have."""
        unset = dict(zip(self.__struct_fields__, self.__struct_defaults__, strict=True))
        return {
            option.toml_key: value
            for name, option in RULES.items()
            if (value := getattr(self, name)) != unset[name] and value not in ((), {})
        }


def policies_of(items: Sequence[object]) -> tuple[Policy, ...]:
    """Policies of values as a program gives them: policies, or tables of rules.

    Raises:
        ConfigError: One is neither, or malformed.
    """
    return tuple(map(_policy, items))


def read_policies(value: object, *, base: Path, origin: str) -> tuple[Policy, ...]:
    """The policies that a source names: those that files of others have first, and a table's own last.

    Args:
        value: A table of rules, with `extends` where it builds on a file; the path of such a file, or several.
        base: What the paths are relative to.
        origin: What messages call the source.

    Raises:
        ConfigError: A file cannot be read, or a policy is malformed.
    """
    return tuple(_read(value, base, origin, depth=0))


def _policy(item: object) -> Policy:
    if isinstance(item, Policy):
        return item
    if not isinstance(item, Mapping):
        raise ConfigError("The value is of the wrong type", facts=["expected: a policy, or a table of rules"])
    return Policy.of(item)


def _read(value: object, base: Path, origin: str, *, depth: int) -> Iterator[Policy]:
    if isinstance(value, Mapping):
        own = {key: item for key, item in value.items() if key != _EXTENDS}
        if _EXTENDS in value:
            yield from _read(value[_EXTENDS], base, f"{_EXTENDS} of {origin}", depth=depth)
        if own:
            yield Policy.of(own, origin=origin)
        return
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, (list, tuple)) or not all(isinstance(path, str) and path for path in paths):
        raise ConfigError("A policy is a table of rules, or the path of a file that has them")
    for path in paths:
        yield from _read_file(base / path, origin, depth=depth)


def _read_file(path: Path, origin: str, *, depth: int) -> Iterator[Policy]:
    from pycontainer.config.sources import read_toml_file  # noqa: PLC0415 - which knows this module's shape

    if depth == _DEEPEST:
        raise ConfigError("Policies extend each other in circles", facts=[f"file: {path}", f"policy: {origin}"])
    tables = read_toml_file(path)
    table = tables.get("policy", tables)
    if not isinstance(table, dict) or (table is not tables and len(tables) > 1):
        raise ConfigError(
            f"`{show(path.name)}` is not a policy",
            facts=[f"file: {path}", "expected: rules such as `no-sdists = true`, or a table `[policy]` of them"],
        )
    yield from _read(table, path.parent, path.name, depth=depth + 1)


def _as_it_is(value: Any) -> Any:
    return value


def _licenses(items: Sequence[str]) -> tuple[str, ...]:
    for item in items:
        if not _LICENSE.fullmatch(item):
            raise ConfigError(f"`{show(item)}` is not one licence", facts=["expected: such as `MIT` or `GPL-3.0-*`"])
    return tuple(items)


def _expressions(table: Mapping[str, str]) -> dict[str, str]:
    from pycontainer.sources.locks.filenames import normalize  # noqa: PLC0415 - most policies have none
    from pycontainer.sources.wheels.license import license_expression  # noqa: PLC0415 - as above

    wrong = [text for text in table.values() if license_expression(text) is None]
    if wrong:
        raise ConfigError(f"`{show(wrong[0])}` is not an SPDX licence expression")
    return {normalize(name): text for name, text in table.items()}


def _indexes(items: Sequence[str]) -> tuple[str, ...]:
    for item in items:
        if not item.startswith(("https://", "http://")) or "@" in item or not item.isprintable() or " " in item:
            raise ConfigError(f"`{show(item)}` is not the URL of an index", facts=["expected: such as `https://…/`"])
    return tuple(items)


def _reasons(table: Mapping[str, str]) -> dict[str, str]:
    for pattern, reason in table.items():
        if not reason.strip():
            raise ConfigError(f"There is no reason why `{show(pattern)}` is allowed")
    return dict(table)


_CHECKS: Final[Mapping[str, Any]] = {
    "allowed_licenses": _licenses,
    "denied_licenses": _licenses,
    "licenses": _expressions,
    "allowed_indexes": _indexes,
    "allowed_files": _reasons,
}
