"""What `./demo` does, after it has found a Python that is new enough."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from workspace import PACKAGES, ROOT, WORK, SetupError, find_program, run, say, uv_settings, virtual_environment

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = ROOT / "examples" / "fastapi"
LAYOUT = EXAMPLE / "dist" / "image"
NAME = "hello-fastapi:latest"
PUBLIC_REGISTRY = "https://registry-1.docker.io/v2/"
PUBLIC_BASE = "python:3.12-slim"
COMPOSED_BASE = "deb:bookworm"
APT_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d/*.list", "etc/apt/sources.list.d/*.sources")
PORT = 8000
# Each set of options works where the one before it is not allowed, down to a build machine inside a container.
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
PODMAN_OPTIONS = ((), ("--runtime=runc", *LIMITS), ("--cgroups=disabled", *LIMITS))
ASK = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{PORT}/?name=you', timeout=5).read().decode())"
START_SECONDS = 60


def main() -> None:
    """Set up, build, run."""
    os.chdir(ROOT)
    python = virtual_environment(WORK / "demo-venv")
    _install(python)
    os.environ.update(uv_settings(python))
    _lock(python)
    base = _base_image()
    _build(python, base)
    _explain(base, _start(python, base))


def _install(python: Path) -> None:
    say(f"installing pycontainer and what it needs from the Python index into {WORK.relative_to(ROOT)}/demo-venv")
    core, command = PACKAGES[:2]
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, f"./{core}[debian,fast,uv,zstd]", f"./{command}")


def _lock(python: Path) -> None:
    if (EXAMPLE / "uv.lock").exists():
        return
    say(
        "uv lock                                   (a lock carries addresses of an index, so the example comes without)"
    )
    env = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    run(python, "-m", "uv", "lock", "--quiet", "--project", EXAMPLE, env=env)


def _base_image() -> str:
    """What the settings say, else Python's official image, else a base that is made of Debian's packages."""
    if stated := os.environ.get("PYCONTAINER_BASE_IMAGE"):
        return stated
    if _reaches_public_registry():
        return PUBLIC_BASE
    if not _knows_debian_archive():
        raise SetupError(
            "No public registry can be reached, and this host has no apt sources of Debian to make a base image from",
            "Set PYCONTAINER_OS_ARCHIVE to the address of an archive of Debian and PYCONTAINER_OS_KEYRING to a file "
            "with its keys, or PYCONTAINER_BASE_IMAGE to an image with Python that can be reached",
        )
    say(f"no public registry can be reached: the base image is made of Debian's packages, instead of `{PUBLIC_BASE}`")
    return COMPOSED_BASE


def _reaches_public_registry() -> bool:
    try:
        with urllib.request.urlopen(PUBLIC_REGISTRY, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004  # it asks who we are: it is there
    except OSError:
        return False


def _knows_debian_archive() -> bool:
    """Whether the settings or this host's apt name one."""
    if os.environ.get("PYCONTAINER_OS_ARCHIVE"):
        return True
    try:
        distribution = platform.freedesktop_os_release()["ID"]
    except OSError:
        return False
    return distribution == "debian" and any(any(Path("/").glob(pattern)) for pattern in APT_SOURCES)


def _build(python: Path, base: str) -> None:
    begin = time.monotonic()
    _pycontainer(python, base, shown=True)
    say(f"made {LAYOUT.relative_to(ROOT)} in {time.monotonic() - begin:.1f} s")


def _pycontainer(python: Path, base: str, *options: str, shown: bool = False) -> None:
    context = EXAMPLE.relative_to(ROOT)
    command = ["build", "--context", str(context), "--base-image", base, "--tag", NAME, *options]
    if shown:
        say(" ".join(["pycontainer", *command]))
    run(python.parent / "pycontainer", *command, quiet=not shown)


@dataclass(frozen=True)
class Started:
    """An image that was started: by what, and what it answered."""

    engine: str
    answer: str


def _start(python: Path, base: str) -> Started | None:
    """Start the image in an engine that is there already, and ask it."""
    engines: dict[str, Callable[[], str]] = {
        "Podman": _ask_podman,
        "Docker": lambda: _ask_docker(python, base),
    }
    for engine, ask in engines.items():
        if find_program(engine.lower()):
            try:
                return Started(engine, ask())
            except EngineError as error:
                say(f"{engine} cannot start containers here: {error}")
    return None


class EngineError(Exception):
    """An engine that is installed but does not work for this user; the message is the last line it said."""


def _ask_podman() -> str:
    """The answer of the image in Podman, in a store of its own."""
    with TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as store:
        podman = ("podman", "--root", f"{store}/root", "--runroot", f"{store}/run")
        try:
            # Podman names the image after the path, and not every path of a clone makes a name; this one does.
            return _ask(podman, PODMAN_OPTIONS, f"oci:{LAYOUT.relative_to(ROOT)}")
        finally:
            _call("umount", f"{store}/root/overlay")


def _ask_docker(python: Path, base: str) -> str:
    """The answer of the image in Docker, which keeps the image."""
    _finish(_call("docker", "version"))
    say("loading it into Docker, too")
    _pycontainer(python, base, "--output", "docker")
    return _ask(("docker",), ((),), NAME)


def _ask(engine: tuple[str, ...], attempts: tuple[tuple[str, ...], ...], image: str) -> str:
    """Start a container with the first options that work, and ask the application in it.

    It is asked from inside, so that no port of this machine is taken.
    """
    container = f"pycontainer-demo-{os.getpid()}"
    for options in attempts:
        started = _call(*engine, "run", "--detach", f"--name={container}", "--network=none", *options, image)
        try:
            if started.returncode == 0:
                return _answer(engine, container)
        finally:
            _call(*engine, "rm", "--force", container)
    raise EngineError(_last_line(started))


def _answer(engine: tuple[str, ...], container: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        asked = _call(*engine, "exec", container, "python3", "-c", ASK)
        if asked.returncode == 0:
            return asked.stdout.strip()
        time.sleep(0.2)
    logs = _call(*engine, "logs", container)
    raise SystemExit(f"error: The image started but did not answer\n{logs.stdout}{logs.stderr}{asked.stderr}")


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _finish(called: subprocess.CompletedProcess[str]) -> None:
    if called.returncode:
        raise EngineError(_last_line(called))


def _last_line(called: subprocess.CompletedProcess[str]) -> str:
    return (called.stderr.strip().splitlines() or [f"status {called.returncode}"])[-1]


def _explain(base: str, started: Started | None) -> None:
    layout, context = LAYOUT.relative_to(ROOT), EXAMPLE.relative_to(ROOT)
    if started:
        json.loads(started.answer)
        say(f"{started.engine} started it, and it answered: {started.answer}")
    load = f".work/demo-venv/bin/pycontainer build --context {context} --base-image {base} --tag {NAME} --output docker"
    say(
        "run it yourself, with Podman:\n"
        f"    podman run --rm -p {PORT}:{PORT} oci:{layout}\n"
        "or with Docker:\n"
        f"    {load}\n"
        f"    docker run --rm -p {PORT}:{PORT} {NAME}\n"
        "and ask it:\n"
        f"    curl 'http://localhost:{PORT}/?name=you'"
    )
