from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one program")

BEGIN = """
import os, signal, sys
from pycontainer.frontend.interrupt import interruptible, leave
signal.signal(signal.SIGINT, signal.default_int_handler)  # deaf where a shell has started the tests in the background
"""


def run(program: str, *arguments: str) -> tuple[int, str]:
    """How a program ends whose messages are read when it has."""
    command = [sys.executable, "-c", BEGIN + textwrap.dedent(program), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            code = process.wait(timeout=60)
        finally:
            process.kill()
        assert process.stderr is not None
        return code, process.stderr.read()


def test_a_second_interrupt_on_the_way_out_is_no_traceback() -> None:
    code, said = run(
        """
        try:
            with interruptible():
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            leave()
        """
    )
    assert (code, said) == (130, "interrupted\n")


def test_an_interrupt_ends_what_nobody_reads_any_more() -> None:
    code, said = run(
        """
        os.set_blocking(2, False)
        try:
            while True:
                os.write(2, bytes(4096))
        except BlockingIOError:
            os.set_blocking(2, True)
        try:
            with interruptible():
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            leave()
        """
    )
    assert code == 130
    assert not said.strip("\0")


def test_an_interrupt_that_the_main_thread_does_not_wake_of_ends_the_command() -> None:
    """The system may give it to any thread; so it does while the process is stopped."""
    code, said = run(
        """
        import threading, time
        def take():
            time.sleep(0.5)  # the main thread waits by then
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        with interruptible():
            threading.Thread(target=take).start()
            threading.Event().wait()
        """
    )
    assert (code, said) == (130, "interrupted\n")


@pytest.mark.parametrize("hears", ["None", "lambda *_: None"])
def test_what_was_so_before_is_so_again(hears: str) -> None:
    code, said = run(
        f"""
        import threading
        heard, hear = os.pipe()
        os.set_blocking(hear, False)
        if ours := {hears}:
            signal.signal(signal.SIGINT, ours)
        signal.set_wakeup_fd(hear)
        files, handler, hook = os.listdir("/dev/fd"), signal.getsignal(signal.SIGINT), sys.unraisablehook
        with interruptible():
            pass
        assert (files, handler) == (os.listdir("/dev/fd"), signal.getsignal(signal.SIGINT))
        assert (threading.active_count(), sys.unraisablehook) == (1, hook)
        assert signal.set_wakeup_fd(-1) == hear
        """
    )
    assert (code, said) == (0, "")


def test_where_no_thread_is_to_be_had_an_interrupt_is_pythons_own() -> None:
    code, said = run(
        """
        import threading
        def start(_):
            raise RuntimeError("can't start new thread")
        threading.Thread.start, files = start, os.listdir("/dev/fd")
        try:
            with interruptible():
                assert files == os.listdir("/dev/fd")
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            leave()
        """
    )
    assert (code, said) == (130, "")  # nor is there a thread to say so


def test_an_interrupt_leaves_nothing_of_the_check_of_a_signature(tmp_path: Path) -> None:
    gpgv, temporary = tmp_path / "gpgv", tmp_path / "temporary"
    gpgv.write_text("#!/bin/sh\nexec 2>/dev/null\nkill -INT $PPID\nwhile kill -0 $PPID; do sleep 0.1; done\n")
    gpgv.chmod(0o755)
    temporary.mkdir()
    code, said = run(
        """
        import tempfile, threading
        from datetime import datetime, timezone
        from pycontainer.sources.debian.archive.gpgv import Gpgv
        tempfile.tempdir = sys.argv[2]
        check = threading.Thread(target=Gpgv(sys.argv[1]).open, args=[b"", [], datetime.now(timezone.utc)], daemon=True)
        try:
            with interruptible():
                check.start()
                while check.is_alive():  # a signal that comes just before a wait does not end it
                    check.join(0.1)
        except KeyboardInterrupt:
            leave()
        """,
        str(gpgv),
        str(temporary),
    )
    assert (code, said) == (130, "interrupted\n")
    assert not list(temporary.iterdir())
