"""What is wrong with options, collected so that one error tells all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Problem(Value, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        option: The field of `BuildConfig`.
        key: The key of a mapping that it is about.
        message: What is wrong, with the value in backticks.
        facts: What is expected.
        hint: What to do, where that is known.
        origin: Where the value came from; the name of the field where nobody says.
    """

    option: str
    message: str
    key: str | None = None
    facts: tuple[str, ...] = ()
    hint: str | None = None
    origin: str | None = None

    def located(self, locate: Callable[[str, str | None], str | None]) -> Problem:
        """The problem with its origin, as `locate(option, key)` knows it."""
        return replace(self, origin=self.origin or locate(self.option, self.key))

    @property
    def where(self) -> str:
        """Where the value came from."""
        return self.origin or self.option


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one error that tells all problems; do nothing where there are none.

    Raises:
        ConfigError: There are problems.
    """
    if not problems:
        return
    first = problems[0]
    hint = "\n".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)) or None
    if len(problems) == 1:
        raise ConfigError(first.message, facts=(f"set by: {first.where}", *first.facts), hint=hint)
    facts = []
    for problem in problems:
        facts.append(f"{problem.where}: {problem.message}")
        facts.extend(f"  {fact}" for fact in problem.facts)
    raise ConfigError(f"{len(problems)} options are wrong", facts=facts, hint=hint)
