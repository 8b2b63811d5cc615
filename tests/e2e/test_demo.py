"""README's first command in a fresh clone, with a fresh home: what it makes runs and answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from real.engines import DockerLike

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600
NOBODY = 65534
# One that other users may run, as a virtual environment's often is not.
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
ANSWER = re.compile(r"(?P<engine>Podman|Docker) started it, and it answered: (?P<answer>\{.*\})")
# Settings of this host that a fresh machine has, too: where packages come from, and what it trusts.
KEPT = ("PIP_", "UV_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "LANG", "LC_", "TZ")


class Newcomer:
    """Somebody who has cloned the repository and nothing else.

    Args:
        ground: An empty directory that everyone can enter.
        uid: Who it is.
    """

    def __init__(self, ground: Path, uid: int) -> None:
        self.clone, self.home, self.programs = ground / "clone", ground / "home", ground / "bin"
        self._uid = uid
        self.home.mkdir()
        self.programs.mkdir()
        run("git", "clone", "--quiet", "--no-hardlinks", ROOT, self.clone)
        run("chown", "-R", f"{uid}:{uid}", ground)

    def forbid(self, program: str) -> None:
        """Let a program be there that does not work, whatever is installed."""
        path = self.programs / program
        path.write_text(f"#!/bin/sh\necho '{program} is not allowed here' >&2\nexit 125\n")
        path.chmod(0o755)

    def run_demo(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `./demo`."""
        environment = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        environment |= {
            "HOME": str(self.home),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            **variables,
        }
        become = ("setpriv", f"--reuid={self._uid}", f"--regid={self._uid}", "--clear-groups")
        return subprocess.run(
            [*(become if self._uid != os.geteuid() else ()), PYTHON, "demo"],
            cwd=self.clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory that everyone can enter, as pytest's own are not, with a path that is no name for an image."""
    directory = Path(tempfile.mkdtemp(prefix="Demo-", suffix="_"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def answered(done: subprocess.CompletedProcess[str]) -> str:
    """Which engine it was started in; the answer is what the example says."""
    assert done.returncode == 0, done.stderr
    found = ANSWER.search(done.stderr)
    assert found, done.stderr
    assert json.loads(found["answer"])["message"] == "Hello, you!"
    return found["engine"]


def test_root_gets_an_image_that_podman_runs(outside: Path) -> None:
    newcomer = Newcomer(outside, os.geteuid())

    done = newcomer.run_demo()

    assert answered(done) == "Podman"
    assert (newcomer.clone / "examples/fastapi/dist/image/index.json").exists()
    assert "installing Debian packages" not in done.stderr
    assert run("git", "-C", newcomer.clone, "status", "--porcelain").stdout == ""


def test_a_user_gets_an_image_that_docker_runs_as_it_is_said(outside: Path, docker: DockerLike) -> None:
    """Podman is there, but this user may not use it; Docker's socket is open to them."""
    socket = Path(docker.client[docker.client.index("--host") + 1].removeprefix("unix://"))
    for folder in (socket.parent, socket.parent.parent):
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    socket.chmod(0o666)
    newcomer = Newcomer(outside, NOBODY)
    newcomer.forbid("podman")

    done = newcomer.run_demo(DOCKER_HOST=f"unix://{socket}")

    assert "Podman cannot start containers here: podman is not allowed here" in done.stderr
    assert answered(done) == "Docker"
    assert {path.stat().st_uid for path in newcomer.clone.glob("examples/fastapi/dist/image/**/*")} == {NOBODY}
    image = re.search(r"docker run --rm -p 8000:8000 (\S+)", done.stderr)
    assert image
    with docker.serve(image[1]) as container:
        assert json.loads(container.ask(8000, "/?name=docker").body)["message"] == "Hello, docker!"
        assert json.loads(container.ask(8000, "/whoami").body)["uid"] != 0


def test_a_machine_without_registry_and_apt_is_told_what_to_set(outside: Path) -> None:
    """As on macOS: no sources of apt, no os-release(5), and here nothing behind the proxy."""
    if run("unshare", "--mount", "true", status=None).returncode:
        pytest.skip("this user may not mount anything")
    newcomer = Newcomer(outside, os.geteuid())
    ask = f"{PYTHON} -c 'import run_demo; run_demo._base_image()'"

    done = run(
        *(
            "unshare",
            "--mount",
            "sh",
            "-c",
            f"mount -t tmpfs none /etc/apt; mount --bind /dev/null /etc/os-release; {ask}",
        ),
        cwd=newcomer.clone / "tools",
        env={"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
        status=1,
    )

    assert done.stderr.count("error: ") == 1
    assert "PYCONTAINER_OS_ARCHIVE" in done.stderr
    assert "PYCONTAINER_BASE_IMAGE" in done.stderr
