"""What an archive's answers mean where they are no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pycontainer.errors import DeniedError
from pycontainer.transports.http.failures import status_fact

if TYPE_CHECKING:
    from pycontainer.transports.http import Response

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_HINT: Final = (
    "Give the user of this archive in its address in {os_archive}, or in `/etc/apt/auth.conf.d/NAME.conf` as "
    "`machine HOST login USER password WORD` (with `http://` before the host where the address has it)"
)


def refuse_denied(response: Response) -> None:
    """Raise where an answer wants another user than was sent.

    Raises:
        DeniedError: It does.
    """
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        host = urlsplit(response.url).netloc.rpartition("@")[2]
        raise DeniedError(f"The archive `{host}` denies access", facts=[status_fact(response)[0]], hint=_HINT)
