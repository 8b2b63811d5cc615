"""Environment markers for a target (*Dependency specifiers*, and PEP 751's `extras` and `dependency_groups`).

    markers = Markers(target.environment)
    markers.hold("python_full_version >= '3.12' and sys_platform == 'linux'")
    markers.hold("extra == 'pg' or 'pg' in extras", extras=frozenset({"pg"}))

Not `packaging.markers`, because a lock needs three things that it does not do, or not at the versions we support:
`extra` compared with a *set* of extras, `extras` and `dependency_groups` before packaging 25, and never a value of the
host where the environment leaves one out. What both do, both do alike; a test compares them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pycontainer.errors import LockError
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(
    r"""[ \t\n]*(?:
        (?P<literal>"[^"]*"|'[^']*')
        |(?P<name>[A-Za-z_][A-Za-z0-9_.]*)
        |(?P<operator>===|==|~=|!=|<=|>=|<|>)
        |(?P<bracket>[()])
    )""",
    re.VERBOSE | re.ASCII,
)
_DEEPEST = 64  # brackets within brackets; uv and Poetry write markers of two
_LONGEST = 100_000

# Names from before PEP 508, which old metadata still has.
_ALIASES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
_VERSIONS = {"python_version", "python_full_version", "implementation_version", "platform_release"}
_STRINGS = {
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "platform_version",
    "implementation_name",
}
_SETS = {"extras", "dependency_groups"}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_RELEASE = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,3}", re.ASCII)


class _Context(NamedTuple):
    environment: Mapping[str, str]
    extras: frozenset[str]
    groups: frozenset[str]


_Test: TypeAlias = Callable[[_Context], bool]


class Markers:
    """The markers of one environment, each worked out once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: dict[str, bool] = {}

    @property
    def python(self) -> str:
        """The full version of the environment's Python."""
        return self._environment["python_full_version"]

    def hold(
        self, marker: str | None, *, extras: frozenset[str] = frozenset(), groups: frozenset[str] = frozenset()
    ) -> bool:
        """Whether a marker holds for normalised extras and groups; no marker, or an empty one, always does.

        Raises:
            LockError: It is not a marker.
        """
        if not marker:
            return True
        if "extra" in marker or "dependency_groups" in marker:
            return _parse(marker)(_Context(self._environment, extras, groups))
        known = self._known.get(marker)
        if known is None:
            known = self._known[marker] = _parse(marker)(_Context(self._environment, extras, groups))
        return known


@lru_cache(maxsize=4096)
def _parse(text: str) -> _Test:
    tokens = _tokens(text)
    test = _either(tokens, 0)
    if tokens:
        raise _malformed(text)
    return test


def _tokens(text: str) -> list[str]:
    """The tokens, last first, so that `pop` reads them; names are brought to today's spelling."""
    if len(text) > _LONGEST:
        raise _malformed(text)
    tokens: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise _malformed(text)
        tokens.append(_ALIASES.get(match[0].strip(), match[0].strip()))
        position = match.end()
    return tokens[::-1]


def _either(tokens: list[str], depth: int) -> _Test:
    tests = [_both(tokens, depth)]
    while tokens and tokens[-1] == "or":
        tokens.pop()
        tests.append(_both(tokens, depth))
    return tests[0] if len(tests) == 1 else lambda context: any(test(context) for test in tests)


def _both(tokens: list[str], depth: int) -> _Test:
    tests = [_comparison(tokens, depth)]
    while tokens and tokens[-1] == "and":
        tokens.pop()
        tests.append(_comparison(tokens, depth))
    return tests[0] if len(tests) == 1 else lambda context: all(test(context) for test in tests)


def _comparison(tokens: list[str], depth: int) -> _Test:
    if tokens and tokens[-1] == "(":
        tokens.pop()
        test = _either(tokens, depth + 1) if depth < _DEEPEST else None
        if test is None or _next(tokens) != ")":
            raise _malformed("".join(tokens[::-1]))
        return test
    left, symbol = _next(tokens), _next(tokens)
    if symbol == "not":
        symbol += f" {_next(tokens)}"
    return _compare(left, symbol, _next(tokens))


def _next(tokens: list[str]) -> str:
    if not tokens:
        raise LockError("A marker ends too early")
    return tokens.pop()


def _compare(left: str, symbol: str, right: str) -> _Test:
    if symbol not in {*_ORDER, "~=", "in", "not in"}:
        raise _malformed(f"{left} {symbol} {right}")
    if right in _SETS and symbol in {"in", "not in"} and _is_literal(left):
        return _membership(right, left[1:-1], wanted=symbol == "in")
    if "extra" in {left, right} and symbol in {"==", "!="}:
        literal = right if left == "extra" else left
        if _is_literal(literal):
            return _membership("extras", literal[1:-1], wanted=symbol == "==")
    if _is_literal(left) and right in _VERSIONS | _STRINGS:
        return lambda context: _evaluate(right, left[1:-1], symbol, context.environment[right])
    if left in _VERSIONS | _STRINGS and _is_literal(right):
        return lambda context: _evaluate(left, context.environment[left], symbol, right[1:-1])
    raise _malformed(f"{left} {symbol} {right}")


def _is_literal(token: str) -> bool:
    return token[0] in "\"'"


def _membership(variable: str, name: str, *, wanted: bool) -> _Test:
    normal = normalize(name)
    if variable == "extras":
        return lambda context: (normal in context.extras) is wanted
    return lambda context: (normal in context.groups) is wanted


def _evaluate(variable: str, left: str, symbol: str, right: str) -> bool:
    if symbol in {"in", "not in"}:
        return (left in right) is (symbol == "in")
    if variable in _VERSIONS:
        return _compare_versions(left, symbol, right)
    return _compare_strings(left, symbol, right)


def _compare_strings(left: str, symbol: str, right: str) -> bool:
    """Strings have no order (*Dependency specifiers*, Environment Markers): `<=` and `>=` are no more than `==`."""
    if symbol not in _ORDER:
        raise _malformed(f"'{left}' {symbol} '{right}'")
    if symbol == "!=":
        return left != right
    return "=" in symbol and left == right


@lru_cache(maxsize=4096)
def _compare_versions(left: str, symbol: str, right: str) -> bool:
    """Compare as PEP 440 says, or as strings where one side is not a version."""
    if symbol in _ORDER and symbol != "===" and _RELEASE.fullmatch(left) and _RELEASE.fullmatch(right):
        return _ORDER[symbol](_padded(left), _padded(right))  # nearly all of them, without packaging
    from packaging.specifiers import InvalidSpecifier, Specifier  # noqa: PLC0415 - see above
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    try:
        return Specifier(f"{symbol}{right}").contains(Version(left), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return _compare_strings(left, symbol, right)


def _padded(release: str) -> tuple[int, ...]:
    parts = [int(part) for part in release.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


def _malformed(text: str) -> LockError:
    return LockError("A marker of the lock is malformed", facts=[f"marker: `{text[:200]}`"])
