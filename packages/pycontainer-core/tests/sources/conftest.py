"""A client of servers on loopback, and what was heard."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pycontainer.events import Event
from pycontainer.transports.http import HttpClient, HttpSettings, RetryPolicy, Timeouts
from pycontainer.value import replace


@pytest.fixture
def http_settings() -> HttpSettings:
    """No waits between attempts; nothing of this host is seen."""
    return HttpSettings(
        retries=RetryPolicy(count=2, sleep=lambda seconds: time.sleep(min(seconds, 0.01))), environment={}
    )


@pytest.fixture
def http_client(http_settings: HttpSettings) -> Iterator[HttpClient]:
    client = HttpClient(http_settings)
    yield client
    client.close()


@pytest.fixture
def impatient_client(http_settings: HttpSettings) -> Iterator[HttpClient]:
    """One that notices a stall in half a second, also where it is this machine that stands still."""
    client = HttpClient(replace(http_settings, timeouts=Timeouts(connect=5, read=5, progress=0.5, minimum_rate=1024)))
    yield client
    client.close()


@pytest.fixture
def heard() -> list[Event]:
    return []
