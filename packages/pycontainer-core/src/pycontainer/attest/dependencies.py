"""Which installed package needs which, by what they declare.

found = dependencies({"api": ("httpx[http2]>=0.27",), "httpx": ("h2; extra == 'http2'",), "h2": ()}, environment)
found["httpx"]      # ("h2",)

It is what `importlib.metadata` says in the container, whatever lock the packages come from: `Requires-Dist` with the
markers of the target, and the extras that somebody asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import LockError
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.markers import Markers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.requirements import Requirement


def dependencies(
    requires: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    *,
    extras: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """The packages that each package needs, sorted by name; those that are not installed are left out.

    Args:
        requires: `Requires-Dist` by the normalised name of each installed package; malformed ones are passed over.
        environment: The environment markers of the target.
        extras: Extras that were asked for besides, by package.
    """
    markers = Markers(environment)
    parsed = {name: list(_parsed(lines)) for name, lines in requires.items()}
    wanted = {name: set((extras or {}).get(name, ())) for name in requires}
    changed = True
    while changed:
        changed = False
        for name, requirements in parsed.items():
            for other, requirement in requirements:
                if other in wanted and _holds(requirement, markers, wanted[name]):
                    asked = {normalize(extra) for extra in requirement.extras} - wanted[other]
                    wanted[other] |= asked
                    changed = changed or bool(asked)
    return {
        name: tuple(
            sorted(
                {
                    other
                    for other, requirement in requirements
                    if other in requires and other != name and _holds(requirement, markers, wanted[name])
                }
            )
        )
        for name, requirements in parsed.items()
    }


def _parsed(lines: Sequence[str]) -> Iterator[tuple[str, Requirement]]:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - slow to import

    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        yield normalize(requirement.name), requirement


def _holds(requirement: Requirement, markers: Markers, extras: set[str]) -> bool:
    try:
        return markers.hold(str(requirement.marker) if requirement.marker else None, extras=frozenset(extras))
    except LockError:
        return False
