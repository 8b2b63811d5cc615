"""Run programs of another architecture on this machine, through qemu and the kernel's binfmt_misc.

Registered as Debian's own package does it, and only where it is missing; it stays, as after installing that package.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from real.programs import run

BINFMT = Path("/proc/sys/fs/binfmt_misc")
# Debian's own rule for the emulator. Fixed (F): opened by the kernel when it is registered, so that it is found from
# inside every container.
RULE = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")


def enable_arm64() -> None:
    """Make linux/arm64 programs run here; raise when the kernel does not allow it."""
    if not (BINFMT / "register").exists():
        done = run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT, status=None)
        assert (BINFMT / "register").exists(), done.stderr  # whoever of the workers has mounted it
    with suppress(FileExistsError):  # another worker was faster
        if not (BINFMT / "qemu-aarch64").exists():
            (BINFMT / "register").write_bytes(RULE.read_bytes().strip())
