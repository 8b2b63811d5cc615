"""Ctrl-C ends the command, whatever it waits for, and leaves nothing half done.

No server here answers before the command has ended: that it did not wait for one is seen by its end.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

import pytest
from bench import Bench

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexHandler
from pycontainer.testing.registry import FakeRegistry, Fault, Stall
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import RegistryClient

# Programs that a shell starts in the background are deaf to interrupts, and so would be whatever these tests start.
HEARS_INTERRUPTS = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)
# The command, in a Python that gives it more than two seconds to put things in order.
PATIENT = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pycontainer.frontend import interrupt
interrupt._GRACE = 600.0
sys.argv = sys.argv[3:]
runpy.run_module("pycontainer_cli", run_name="__main__")
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one program")


def interrupted(
    bench: Bench, *arguments: str, when: Callable[[], object], environment: Mapping[str, str] | None = None
) -> None:
    """Interrupt a build when something has come to pass: it ends and says so, and no temporary folder of it is left."""
    temporary = bench.root.parent / "temporary"
    temporary.mkdir()
    with bench.start(
        *arguments, prefix=HEARS_INTERRUPTS, environment={"TMPDIR": str(temporary), **(environment or {})}
    ) as command:
        try:
            deadline = time.monotonic() + 60
            while not when():
                assert command.poll() is None, command.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == 130, err
    assert out == ""
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    assert not list(temporary.iterdir())


def test_a_push_to_a_registry_that_does_not_answer_is_cut_off_and_nothing_is_tagged(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    with FakeRegistry() as registry:
        registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Stall(seconds=600)))
        interrupted(
            bench,
            *("--push", "--tag", f"{registry.host}/acme/api:1"),
            when=lambda: len(registry.asked("POST", "/blobs/uploads/")) > 1,
        )
        assert not registry.asked("PUT", "/manifests/")


def test_an_interrupted_build_writes_no_image_and_the_next_one_is_whole(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    cache, over = bench.root.parent / "cache", threading.Event()
    bench.index.faults.append(lambda _: not over.wait(60))  # no wheel, and so no image, before the interrupt
    interrupted(bench, when=cache.exists)
    assert not (bench.root / "dist").exists()
    over.set()
    outcome = bench.build()
    assert outcome.code == 0, outcome.err


def test_a_download_that_stands_still_is_cut_off_without_a_trace(bench: Bench) -> None:
    """Without a cache, what was downloaded is in a temporary folder: of the thread that still waits for the server."""
    bench.lock_forge(WheelForge())
    stalled, over = threading.Event(), threading.Event()

    def stall(handler: IndexHandler) -> None:
        if handler.path.endswith(".whl"):
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b"PK")
            handler.wfile.flush()
            stalled.set()
            over.wait(600)

    bench.index.faults.append(stall)
    interrupted(bench, "--no-cache", when=stalled.is_set)
    over.set()
    assert not (bench.root / "dist").exists()


def test_a_base_image_that_does_not_come_is_cut_off_without_a_trace(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    with FakeRegistry() as registry:
        name = Reference.parse(f"{registry.host}/library/python:3.12")
        RegistryDestination(RegistryClient(), [name]).write(debian_like("3.12.4"))
        registry.faults.add(Fault(method="GET", path="/blobs/", effect=Stall(seconds=600, within=True), skip=1))
        interrupted(
            bench,
            "--no-cache",
            environment={"PYCONTAINER_BASE_IMAGE": str(name)},
            when=lambda: len(registry.asked("GET", "/blobs/")) > 1,
        )


def test_whoever_interrupts_twice_does_not_wait(bench: Bench) -> None:
    """Whoever interrupts once waits ten minutes here."""
    bench.lock_forge(WheelForge())
    with FakeRegistry() as registry:
        registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Stall(seconds=600)))
        with bench.start(
            *("--push", "--tag", f"{registry.host}/acme/api:1"), "--no-cache", prefix=(sys.executable, "-c", PATIENT)
        ) as command:
            try:
                while len(registry.asked("POST", "/blobs/uploads/")) < 2:
                    assert command.poll() is None, command.communicate()
                    time.sleep(0.02)
                deadline = time.monotonic() + 60
                while command.poll() is None:  # two that come before it hears of the first are one
                    assert time.monotonic() < deadline
                    command.send_signal(signal.SIGINT)
                    time.sleep(0.1)
            finally:
                command.kill()
            _, err = command.communicate()
    assert command.returncode == 130
    assert err.endswith("interrupted\n")
