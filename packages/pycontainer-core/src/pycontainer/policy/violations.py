"""What breaks a policy, collected so that one error tells all of it; never the secret that was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OF_FILES: Final = ("no-secrets", "forbidden-files")


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One thing that a rule does not allow.

    Attributes:
        rule: By the key that files have: `no-sdists`.
        what: The package, file or setting, and why it is not allowed; it holds no secret.
        origin: Where the rule stands.
    """

    rule: str
    what: str
    origin: str


def raise_violations(found: Iterable[Violation]) -> None:
    """Raise one error that tells all violations, each once; do nothing where there are none.

    Raises:
        PolicyError: There are violations.
    """
    violations = list(dict.fromkeys(found))
    if not violations:
        return
    origins = dict.fromkeys(violation.origin for violation in violations)
    facts = []
    for origin in origins:
        facts += [f"{each.rule}: {each.what}" for each in violations if each.origin == origin]
        facts.append(f"set by: {origin}")
    count = len(violations)
    excusable = any(violation.rule in _OF_FILES for violation in violations)
    raise PolicyError(
        f"The policy does not allow this image: {count} violation{'' if count == 1 else 's'}",
        facts=facts,
        hint="Take the file out with {exclude_paths}, or name it in `allowed-files` with a reason"
        if excusable
        else None,
    )
