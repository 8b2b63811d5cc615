"""Whether a push would be let in, asked before there is anything to push.

cancel = check_push(session, Need("acme/api", ("pull", "push")))
cancel()

A token server may give a token that allows less than was asked for, so that only the registry itself knows: an upload
is begun, and cancelled while nobody waits for it (distribution-spec, *Pushing blobs*).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pycontainer.errors import NetworkError
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.retries import RETRIED_STATUSES
from pycontainer.transports.registry.session import FORBIDDEN
from pycontainer.transports.registry.uploads import ACCEPTED, upload_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.transports.registry.auth import Need
    from pycontainer.transports.registry.session import Session


def check_push(session: Session, need: Need) -> Callable[[], None]:
    """Find out whether blobs may be sent to a repository; the token that this takes serves the push, too.

    An answer that says neither yes nor no is left for the push to meet.

    Returns:
        What cancels the upload that was begun; that it is refused does not matter.

    Raises:
        DeniedError: Pushing there is not allowed.
        NetworkError: The registry cannot be reached, or is out of order.
    """
    url = session.endpoint.url(need.repository, "blobs/uploads/")
    response = session.request("POST", url, need, headers={"Content-Length": "0"}, retry=True)
    if response.status == FORBIDDEN:
        raise session.denied(response, need)
    if response.status in RETRIED_STATUSES:
        raise status_error(response)
    response.drain()

    def cancel() -> None:
        if response.status == ACCEPTED:
            with contextlib.suppress(NetworkError):
                location = upload_location(session, response)
                session.request("DELETE", location, need, retry=False).drain()

    return cancel
