"""What is wrong with a wheel: found deep inside, reported with the wheel's name.

with reported("numpy-2.1.0-cp312-….whl"):
    raise WheelDefect("the member `../x` leaves the archive")
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pycontainer.errors import DocumentError, WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SHOWN = 8
_LONGEST = 120


class WheelDefect(Exception):  # noqa: N818 - never leaves `reported`, which makes a WheelError of it
    """One or several reasons why a wheel must not be used.

    Args:
        facts: What is wrong, a line each; only the first few are kept.
        hint: What to do, where that is known.
    """

    def __init__(self, *facts: str, hint: str | None = None) -> None:
        super().__init__(*facts)
        self.facts = shortened(facts)
        self.hint = hint


@contextmanager
def reported(filename: str) -> Iterator[None]:
    """Turn every defect found inside into a `WheelError` about this wheel."""
    try:
        yield
    except WheelDefect as defect:
        raise WheelError(f"The wheel `{filename}` must not be used", facts=defect.facts, hint=defect.hint) from defect
    except (WheelError, DocumentError) as error:
        # From the writer of layers, which knows members but no wheels.
        raise WheelError(
            f"The wheel `{filename}` must not be used", facts=[error.message, *error.facts], hint=error.hint
        ) from error


def shown(text: str) -> str:
    """A name out of a wheel, as a message may show it: escaped, and not longer than a line."""
    return ascii(text[:_LONGEST])[1:-1] + ("…" if len(text) > _LONGEST else "")


def shortened(facts: Sequence[str]) -> tuple[str, ...]:
    """The first facts, and how many more there are."""
    if len(facts) <= _SHOWN:
        return tuple(facts)
    return (*facts[:_SHOWN], f"and {len(facts) - _SHOWN} more")
