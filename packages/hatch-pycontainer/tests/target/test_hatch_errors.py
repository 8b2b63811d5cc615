"""What is wrong ends Hatch with a message that names it, never with a traceback, and leaves no half of an image."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

import pytest
from bench import SECRET
from hatch_bench import PROJECT, TARGET, HatchBench

from pycontainer.frontend import exit_codes
from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.testing.wheels import WheelForge

NEEDS_DEMO = PROJECT + 'dependencies = ["demo"]\n'
NO_SCRIPT = PROJECT.partition("scripts =")[0]
STALE = """\
version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "demo-app"
version = "1.0"
source = { editable = "." }

[package.metadata]
requires-dist = [{ name = "other" }]
"""


# Whoever starts the tests may have told programs to ignore interrupts, as shells do for jobs in the background.
INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """What is wrong with a project, and what the message says of it."""

    name: str
    says: tuple[str, ...]
    tables: str = ""
    project: str = PROJECT
    files: tuple[tuple[str, str], ...] = ()
    target: str = "container"
    environment: tuple[tuple[str, str], ...] = ()


MISTAKES = [
    Mistake(
        name="an option that does not exist",
        tables=f'[{TARGET}]\nbase-imag = "x"',
        says=(f"set by: {TARGET}.base-imag in pyproject.toml", "hint: Is `base-image` meant?"),
    ),
    Mistake(
        name="a key of wheels",
        tables=f'[{TARGET}]\npackages = ["src/demo_app"]',
        says=("`packages` says nothing here", "Move it to `tool.hatch.build.targets.wheel`"),
    ),
    Mistake(
        name="an output, which Hatch calls a version",
        tables=f'[{TARGET}]\noutput = "docker"',
        says=(f'Set `{TARGET}.versions`, such as `versions = ["oci-archive"]`',),
    ),
    Mistake(
        name="a wrong value in the shared table",
        tables="[tool.pycontainer]\nlayer-budget = 0",
        says=("set by: tool.pycontainer.layer-budget in pyproject.toml",),
    ),
    Mistake(
        name="a format that does not exist",
        target="container:oci",
        says=("`oci` is not a format of the target `container`", "`oci-layout`, `oci-archive`"),
    ),
    Mistake(
        name="such a format in the table", tables=f'[{TARGET}]\nversions = ["oci"]', says=("Unknown versions in field",)
    ),
    Mistake(
        name="formats that are no list",
        tables=f'[{TARGET}]\nversions = "oci-layout"',
        says=(f"Field `{TARGET}.versions` must be an array of strings",),
    ),
    Mistake(
        name="forced files of the wrong form",
        tables=f'[{TARGET}]\nforce-include = "etc"',
        says=(f"Field `{TARGET}.force-include` must be a mapping",),
    ),
    Mistake(
        name="a forced file that is missing",
        tables=f'[{TARGET}.force-include]\n"etc/app.ini" = "/etc/app.ini"',
        says=("Forced include not found", f"hint: Correct `{TARGET}.force-include`"),
    ),
    Mistake(
        name="no lock",
        project=NEEDS_DEMO,
        tables=f"[{TARGET}]\nlocked = true",
        says=("The project has no lock file", f"or turn `{TARGET}.locked` off"),
    ),
    Mistake(
        name="a stale lock",
        project=NEEDS_DEMO,
        tables=f"[{TARGET}]\nlocked = true",
        files=(("uv.lock", STALE),),
        says=("`uv.lock` is older", "uv lock"),
    ),
    Mistake(
        name="a lock that does not exist",
        tables=f'[{TARGET}]\nlock = "pylock.x.toml"',
        says=("pylock.x.toml` does not exist",),
    ),
    Mistake(
        name="an unknown group", files=(("uv.lock", STALE),), tables=f'[{TARGET}]\ngroups = ["nope"]', says=("`nope`",)
    ),
    Mistake(
        name="an unknown extra", files=(("uv.lock", STALE),), tables=f'[{TARGET}]\nextras = ["nope"]', says=("`nope`",)
    ),
    Mistake(
        name="no entry point",
        project=NO_SCRIPT,
        says=("The project does not say how it starts", f"hint: Set `{TARGET}.entrypoint`"),
    ),
    Mistake(
        name="no base image",
        environment=(("PYCONTAINER_BASE_IMAGE", "oci:missing"),),
        says=("There is no base image `oci:", f"hint: Set `{TARGET}.base-image`"),
    ),
    Mistake(
        name="a push without a name",
        target="container:registry",
        says=("A push needs a name", f"hint: Set `{TARGET}.tag`"),
    ),
    Mistake(
        name="a hook that fails",
        files=(("hatch_build.py", "raise RuntimeError('no compiler')\n"),),
        tables="[tool.hatch.build.targets.wheel.hooks.custom]",
        says=("Hatchling cannot build the project's wheel", "RuntimeError: no compiler", "hatch_build.py, line 1"),
    ),
    Mistake(
        name="a hook that is not installed",
        tables='[tool.hatch.build.targets.wheel.hooks.mypyc]\ndependencies = ["hatch-mypyc"]',
        says=("Unknown build hook: mypyc", "`hatch build -t wheel -t container`"),
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told(project: HatchBench, mistake: Mistake) -> None:
    for name, content in mistake.files:
        project.write(name, content)
    project.configure(mistake.tables, project=mistake.project)

    project.hatch_refuses(*mistake.says, target=mistake.target, **dict(mistake.environment))


def test_wrong_credentials_are_told_and_not_shown(project: HatchBench) -> None:
    with FakeRegistry(Rules(authentication="basic", users={"acme": "right"})) as registry:
        project.configure(f'[{TARGET}.registry]\nurl = "{registry.host}"\nusername = "acme"')

        code = project.hatch_refuses(registry.host, "acme", target="container:registry", PYCONTAINER_PASSWORD=SECRET)
    assert code == exit_codes.DENIED


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals")
def test_an_interrupt_is_told_and_not_traced(project: HatchBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {"PYCONTAINER_BASE_IMAGE": f"127.0.0.1:{silent.getsockname()[1]}/base:1"}
        with subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, sys.executable, "-m", "hatchling", "build", "-t", "container"],
            cwd=project.root,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # it has asked, and waits for an answer that does not come
                running.send_signal(signal.SIGINT)
                _, errors = running.communicate(timeout=60)

    assert running.returncode == 130
    assert errors.splitlines()[-1] == "interrupted"
    assert "Traceback" not in errors


def test_a_lock_of_one_platform_is_explained(project: HatchBench) -> None:
    forge = WheelForge(tag="cp312-cp312-manylinux_2_17_aarch64")
    project.lock_wheel(forge.build(), filename=forge.filename)
    (project.root / "pylock.toml").rename(project.root / "pylock.container.toml")
    project.configure(project=NEEDS_DEMO)

    project.hatch_refuses(
        "warning: `pylock.container.toml` is locked for one platform, and not for linux/amd64",
        "hint: Write `universal = true` into the table `[tool.uv.pip]`",
        "No wheel of `demo` 1.0 fits linux/amd64",
    )


def test_the_lock_of_the_environment_goes_before_others(project: HatchBench) -> None:
    project.lock_forge(WheelForge())
    (project.root / "pylock.toml").rename(project.root / "pylock.container.toml")
    project.write("pylock.toml", "not a lock")
    project.write("uv.lock", "not a lock")
    project.configure(project=NEEDS_DEMO)

    project.builds()
    (project.root / "pylock.container.toml").unlink()

    project.configure(f'[{TARGET}]\nversions = ["oci-archive"]', project=NEEDS_DEMO)
    assert "`pylock.toml`" in project.hatchling().err
