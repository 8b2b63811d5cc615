"""Layers whose bytes turn out to be damaged, or whose records to be wrong, while somebody uses them.

image = with_whole_layers(session, lambda: write(make()))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pycontainer.errors import IntegrityError, NetworkError
from pycontainer.events import Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.builder.session import Session

    _T = TypeVar("_T")


def with_whole_layers(session: Session, use: Callable[[], _T]) -> _T:
    """What `use` gives; it makes layers and reads them.

    The bytes of a known layer are looked at when somebody wants them. Where they turn out to be damaged, or its record
    to be wrong, it is known no longer, and all is done once more. One after the other may turn out so, each once.

    Raises:
        PyContainerError: What `use` raises for another reason.
    """
    while True:
        try:
            return use()
        except (IntegrityError, NetworkError):
            losses = session.known.losses()
            if not losses:
                raise
        for loss in losses:
            session.emit(Warned(message=loss))
