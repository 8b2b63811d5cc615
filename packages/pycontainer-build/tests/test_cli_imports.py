"""What a build in which nothing changed does not import: half of its time is imports, so each of them counts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry
from pycontainer.transports.registry import RegistryClient

Run: TypeAlias = Callable[..., Any]

# Of others: what takes milliseconds, and what only makes or reads something new.
OTHERS = ("dataclasses", "packaging", "pathspec", "rich", "asyncio", "deflate", "isal", "zstandard")
if sys.version_info >= (3, 11):
    OTHERS = (*OTHERS, "subprocess")  # before, the standard library's `uuid` and `platform` bring it along
# Of ours: what writes layers, reads wheels, bases and locks, signs, attests, and what answers a registry that asks.
OURS = (
    "pycontainer.attest.materials",
    "pycontainer.attest.signing",
    "pycontainer.blobs.compression",
    "pycontainer.layers.writer",
    "pycontainer.policy",
    "pycontainer.sources.base.examine",
    "pycontainer.sources.base.rootfs",
    "pycontainer.sources.builds.builder",
    "pycontainer.sources.bytecode",
    "pycontainer.sources.debian",
    "pycontainer.sources.indexes",
    "pycontainer.sources.libraries.elf",
    "pycontainer.sources.locks.pylock",
    "pycontainer.sources.uv",
    "pycontainer.sources.wheels.install",
    "pycontainer.transports.http.resume",
    "pycontainer.transports.oci_layout",
    "pycontainer.transports.registry.challenge",
    "pycontainer.transports.registry.chunks",
    "pycontainer.transports.registry.helpers",
    "pycontainer.transports.registry.referrers",
)
PROGRAM = f"""
import sys
from pycontainer_cli.main import main
code = main(sys.argv[1:])
print([name for name in {OTHERS + OURS} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("change", [False, True], ids=["nothing changed", "one file changed"])
def test_a_build_again_imports_only_what_it_needs(run: Run, *, change: bool) -> None:
    Path("main.py").write_text("print('hello')\n")
    Path(".gitignore").write_text("*.log\n")
    Path("pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\nrequires-python = "==3.12.*"\n')
    Path("pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "test"\npackages = []\n')
    with FakeRegistry() as registry:
        image = Reference.parse(f"{registry.host}/library/python:3")
        RegistryDestination(RegistryClient(), [image]).write(debian_like("3.12.4"))
        words = ["build", "--base-image", str(image), "--platform", "linux/amd64", "--tag", f"{registry.host}/app:1"]
        words.append("--push")
        first = run(*words)
        assert first.code == 0, first.err
        if change:
            Path("main.py").write_text("print('hello again')\n")
        # Whoever measures coverage loads modules of their own into the program.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        again = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True, env=environment
        )
    assert (again.stdout == first.out) is not change
    needed = ["dataclasses", "deflate", "pycontainer.blobs.compression", "pycontainer.layers.writer"]
    assert again.stderr.splitlines()[-1] == str(needed if change else [])
