"""Registries are asked whether we may push while the build is planned: a refusal should not cost the making of layers.

access = PushAccess(session.registry, names)
...
access.wait()
"""

from __future__ import annotations

import threading
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
        self._failures: list[BaseException] = []
        repositories = {name.name: name for name in names}
        # Not of a pool: nobody should have to wait for a registry when the plan has failed already.
        self._threads = [
            threading.Thread(target=self._ask, args=[name], name="access", daemon=True)
            for name in repositories.values()
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait for the answers.

        Raises:
            PyContainerError: A registry cannot be reached, or does not let us push.
        """
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _ask(self, name: Reference) -> None:
        try:
            self._client.check_push(name)
        except BaseException as failure:  # noqa: BLE001 - raised by `wait`
            self._failures.append(failure)
