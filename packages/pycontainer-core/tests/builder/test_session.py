from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.builder.session import Session
from pycontainer.config import BuildConfig
from pycontainer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("service", ["fetcher", "builder"])
def test_threads_that_want_a_service_at_the_same_time_have_the_same_one(tmp_path: Path, service: str) -> None:
    both = threading.Barrier(2, timeout=1)

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):  # nobody else makes it: right
            both.wait()

    class Meeting(Session):
        """Two threads that make the service are in here together."""

        @property
        def jobs(self) -> int:
            meet()
            return 1

        @property
        def fingerprints(self) -> Fingerprints:
            meet()
            return Fingerprints(None)

    config = BuildConfig(cache_dir=str(tmp_path / "cache"))
    with Meeting(config, ignore) as session, ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(getattr, session, service) for _ in range(2)])
    assert one is other
