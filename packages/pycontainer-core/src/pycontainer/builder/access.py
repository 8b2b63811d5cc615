"""Registries are asked whether we may push while the build is planned: a refusal should not cost the making of layers.

access = PushAccess(session.registry, names)
...
access.wait()
...
access.end()
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.oci import Reference
    from pycontainer.transports.registry import RegistryClient


class PushAccess:
    """Asks once for each repository, at once and in the background.

    Args:
        client: Speaks to the registries.
        names: What is to be pushed.
    """

    def __init__(self, client: RegistryClient, names: Sequence[Reference]) -> None:
        self._client = client
        repositories = {name.name: name for name in names}
        self._answers: list[Future[None]] = [Future() for _ in repositories]
        # Not of a pool: nobody should have to wait for a registry when the plan has failed already.
        self._threads = [
            threading.Thread(target=self._ask, args=[name, answer], name="access", daemon=True)
            for name, answer in zip(repositories.values(), self._answers, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait for the answers.

        Raises:
            PyContainerError: A registry cannot be reached, or does not let us push.
        """
        for answer in self._answers:
            answer.result()

    def end(self) -> None:
        """Wait until what asking left behind is gone, too; long after the answers, that takes no time."""
        for thread in self._threads:
            thread.join()

    def _ask(self, name: Reference, answer: Future[None]) -> None:
        try:
            cancel = self._client.check_push(name)
        except BaseException as failure:  # noqa: BLE001 - raised by `wait`
            answer.set_exception(failure)
        else:
            answer.set_result(None)
            cancel()
