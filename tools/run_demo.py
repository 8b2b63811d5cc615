"""What `./demo` does, after it has found a Python that is new enough."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from base_image import TAG as BASE_TAG
from base_image import cached_base, host_architecture
from workspace import PACKAGES, ROOT, WORK, SetupError, need_programs, run, say, uv_settings, virtual_environment

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "examples" / "fastapi"
LAYOUT = EXAMPLE / "dist" / "image"
NAME = "hello-fastapi:latest"
PUBLIC_REGISTRY = "https://registry-1.docker.io/v2/"
PUBLIC_BASE = "python:3.12-slim"
PORT = 8000
ENGINE = {"podman": "podman", "runc": "runc", "/etc/containers/policy.json": "golang-github-containers-common"}
# Each set of options works where the one before it is not allowed, down to a build machine inside a container.
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
PODMAN_OPTIONS = ((), ("--runtime=runc", *LIMITS), ("--cgroups=disabled", *LIMITS))
ASK = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{PORT}/?name=you', timeout=5).read().decode())"
START_SECONDS = 30


def main() -> None:
    """Set up, build, run."""
    os.chdir(ROOT)
    python = virtual_environment(WORK / "demo-venv")
    _install(python)
    os.environ.update(uv_settings(python))
    _lock(python)
    base = _base_image()
    _build(python, base)
    answer = _start_in_podman()
    _explain(answer)


def _install(python: Path) -> None:
    say(f"installing pycontainer and what it needs from the Python index into {WORK.relative_to(ROOT)}/demo-venv")
    core, command = PACKAGES
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, f"./{core}[fast,uv,zstd]", f"./{command}")


def _lock(python: Path) -> None:
    if (EXAMPLE / "uv.lock").exists():
        return
    say(
        "uv lock                                   (a lock carries addresses of an index, so the example comes without)"
    )
    env = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    run(python, "-m", "uv", "lock", "--quiet", "--project", EXAMPLE, env=env)


def _base_image() -> str:
    """Python's official image; where no public registry is reached, one made of Debian's packages."""
    if _reaches_public_registry():
        return PUBLIC_BASE
    need_programs(
        {
            "mmdebstrap": "mmdebstrap",
            "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
        }
    )
    say(f"no public registry can be reached: making a base of Debian's packages instead of `{PUBLIC_BASE}`")
    return f"oci:{cached_base(host_architecture())}:{BASE_TAG}"


def _reaches_public_registry() -> bool:
    try:
        with urllib.request.urlopen(PUBLIC_REGISTRY, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # noqa: PLR2004  # it asks who we are: it is there
    except OSError:
        return False


def _build(python: Path, base: str) -> None:
    command = ["pycontainer", "build", "--context", str(EXAMPLE), "--base-image", base, "--tag", NAME]
    say(" ".join(["pycontainer", "build", "--context", "examples/fastapi", *command[4:]]))
    begin = time.monotonic()
    run(python.parent / "pycontainer", *command[1:])
    say(f"made {LAYOUT.relative_to(ROOT)} in {time.monotonic() - begin:.1f} s")


def _start_in_podman() -> str | None:
    """Start the image with Podman in a store of its own and ask it; none where there is no Podman."""
    try:
        need_programs(
            {"podman": "podman", "runc": "runc", "/etc/containers/policy.json": "golang-github-containers-common"}
        )
    except SetupError:
        return None
    with TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as store:
        podman = ("podman", "--root", f"{store}/root", "--runroot", f"{store}/run")
        failures = ""
        for options in PODMAN_OPTIONS:
            started = _call(*podman, "run", "--detach", "--name=demo", "--network=none", *options, f"oci:{LAYOUT}")
            try:
                if started.returncode == 0:
                    return _ask(podman)
                failures = started.stderr
            finally:
                _call(*podman, "rm", "--force", "demo")
                _call("umount", f"{store}/root/overlay")
    say(f"Podman cannot start containers here: {failures.strip().splitlines()[-1]}")
    return None


def _ask(podman: tuple[str, ...]) -> str:
    """Ask the application in the container `demo`, from inside, so that no port of this machine is taken."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        asked = _call(*podman, "exec", "demo", "python3", "-c", ASK)
        if asked.returncode == 0:
            return asked.stdout.strip()
        time.sleep(0.2)
    logs = _call(*podman, "logs", "demo")
    raise SystemExit(f"error: The image started but did not answer\n{logs.stdout}{logs.stderr}{asked.stderr}")


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _explain(answer: str | None) -> None:
    layout = LAYOUT.relative_to(ROOT)
    if answer:
        json.loads(answer)
        say(f"Podman started it, and it answered: {answer}")
    say(
        "run it yourself:\n"
        f"    podman run --rm -p {PORT}:{PORT} oci:{layout}\n"
        f"    curl 'http://localhost:{PORT}/?name=you'\n"
        "or with Docker:\n"
        f"    skopeo copy oci:{layout} docker-daemon:{NAME}\n"
        f"    docker run --rm -p {PORT}:{PORT} {NAME}"
    )
