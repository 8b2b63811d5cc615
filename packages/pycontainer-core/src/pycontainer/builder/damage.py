"""Layers whose bytes turn out to be damaged, or whose records to be wrong, while somebody uses them.

image = with_whole_layers(session, lambda: write(make()))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pycontainer.errors import IntegrityError, NetworkError
from pycontainer.events import Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.builder.session import Session

    _T = TypeVar("_T")

# Each layer may be lost where it is kept, and where it is shared, and a build has at most so many.
_MAX_LOSSES: Final = 2 * 127


def with_whole_layers(session: Session, use: Callable[[], _T]) -> _T:
    """What `use` gives; it makes layers and reads them.

    The bytes of a known layer are looked at when somebody wants them. Where they turn out to be damaged, or its record
    to be wrong, it is known no longer, and all is done once more. One after the other may turn out so.

    Raises:
        PyContainerError: What `use` raises for another reason.
    """
    for _ in range(_MAX_LOSSES):
        try:
            return use()
        except (IntegrityError, NetworkError):
            losses = session.known.losses()
            if not losses:
                raise
        for loss in losses:
            session.emit(Warned(message=loss))
    return use()
