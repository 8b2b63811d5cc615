"""Where the disk fails, so does the build, with one error, and what it leaves is never taken for whole.

The faults are real ones, which `strace -e inject` makes the kernel answer, in each thread from the n-th call on. What
an fsync or a rename that fails may leave behind is what a loss of power leaves: the next build must come to the same
digest as one that nothing happened to.
"""

from __future__ import annotations

import re
import shutil

import pytest
from bench import Bench

from pycontainer.testing.wheels import WheelForge

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

# The system calls that make a file safe and visible, and what a disk may answer.
FAULTS = [
    ("fsync", "EIO", "1"),
    ("fsync", "EIO", "2+3"),
    ("fsync", "ENOSPC", "6+"),
    ("fsync", "EDQUOT", "2+"),
    ("rename,renameat,renameat2", "EIO", "1"),
    ("rename,renameat,renameat2", "ENOSPC", "3+"),
    ("mkdir,mkdirat", "ENOSPC", "1+"),
    ("mkdir,mkdirat", "EDQUOT", "4"),
    ("mkdir,mkdirat", "EIO", "12+"),
]


@pytest.mark.parametrize(("calls", "error", "when"), FAULTS)
def test_a_disk_that_fails_is_one_error_and_the_next_build_is_right(
    bench: Bench, calls: str, error: str, when: str
) -> None:
    bench.lock_forge(WheelForge())
    strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", f"trace={calls}")
    outcome = bench.run(prefix=(*strace, "-e", f"inject={calls}:error={error}:when={when}"))
    assert outcome.code == 1, outcome.err
    assert outcome.err.count("error: ") == 1, outcome.err
    assert re.search("^error: (Cannot write|Cannot make the cache|The cache directory) `", outcome.err, re.MULTILINE)
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert not (bench.root / "dist" / "image").exists()
    again = bench.build()
    assert again.code == 0, again.err
    clean = bench.build("--no-cache", "--output", f"oci:{bench.root.parent / 'clean'}")
    assert clean.out.rpartition("@")[2] == again.out.rpartition("@")[2]
    assert not list(bench.root.parent.glob("**/.incoming-*"))
