from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pycontainer.layers import background
from pycontainer.layers.background import Background

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1 << 20


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[int]:
    monkeypatch.setattr(background, "_CPUS", request.param)
    before = Background._busy
    yield request.param
    assert Background._busy == before  # nobody who is done counts


@pytest.mark.parametrize("processors", [1, 2], indirect=True)
def test_work_goes_to_another_thread_where_a_processor_is_free(processors: int) -> None:
    done: list[tuple[int, int]] = []
    with Background() as work:
        for number in range(10):
            work.run(lambda number: done.append((number, threading.get_ident())), number, weight=MEGABYTE)
        work.wait()
    assert [number for number, _ in done] == list(range(10))
    assert {thread != threading.get_ident() for _, thread in done} == {processors > 1}


@pytest.mark.parametrize("processors", [2], indirect=True)
def test_the_order_is_kept_when_processors_become_busy_and_free_again(processors: int) -> None:
    del processors
    done: list[int] = []
    with Background() as first:
        first.run(done.append, 0, weight=MEGABYTE)
        with Background() as second:
            second.run(int, weight=MEGABYTE)
            for number in range(1, 50):
                first.run(done.append, number, weight=MEGABYTE)
        for number in range(50, 99):
            first.run(done.append, number, weight=MEGABYTE)
        first.wait()
    assert done == list(range(99))


@pytest.mark.parametrize("processors", [1, 2], indirect=True)
def test_a_failure_is_raised_to_whoever_asked_and_nothing_is_done_after_it(processors: int) -> None:
    del processors
    done: list[int] = []

    def fail() -> None:
        raise ValueError("full")

    with Background() as work:
        work.run(fail)
        work.run(done.append, 1, weight=MEGABYTE)
        with pytest.raises(ValueError, match="full"):
            work.wait()
    assert done == []


@pytest.mark.parametrize("processors", [2], indirect=True)
def test_where_no_thread_can_be_had_that_is_told(processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    del processors

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")  # as a container says that may have so many and no more

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start"), Background() as work:
        work.run(int, weight=MEGABYTE)
