"""Ctrl-C ends the command soon, whatever it waits for, and leaves nothing half done."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

import pytest
from bench import Bench

from pycontainer.testing.registry import FakeRegistry, Fault, Stall
from pycontainer.testing.wheels import WheelForge

# Programs that a shell starts in the background are deaf to interrupts, and so would be whatever these tests start.
HEARS_INTERRUPTS = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one program")


def interrupted(bench: Bench, *arguments: str, when: Callable[[], object]) -> tuple[float, str]:
    """Interrupt a build when something has come to pass: the seconds until it ended, and what it said."""
    with bench.start(*arguments, prefix=HEARS_INTERRUPTS) as command:
        try:
            deadline = time.monotonic() + 50
            while not when():
                assert command.poll() is None, command.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            begin = time.monotonic()
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=30)
        finally:
            command.kill()
    assert command.returncode == 130, err
    assert out == ""
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    return time.monotonic() - begin, err


def test_a_push_to_a_registry_that_does_not_answer_is_cut_off_and_nothing_is_tagged(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    with FakeRegistry() as registry:
        registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Stall(seconds=20)))
        seconds, _ = interrupted(
            bench,
            *("--push", "--tag", f"{registry.host}/acme/api:1"),
            when=lambda: registry.asked("POST", "/blobs/uploads/"),
        )
        assert not registry.asked("PUT", "/manifests/")
    assert seconds < 10


def test_an_interrupted_build_writes_no_image_and_the_next_one_is_whole(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    cache = bench.root.parent / "cache"
    interrupted(bench, when=cache.exists)
    assert not (bench.root / "dist").exists()
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
