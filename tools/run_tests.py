"""What `./test` does, after it has found a Python that is new enough.

While the main run waits for engines and servers, the checks and the unit tests of every other Python run beside it.
What is wrong with one of them is told when it has ended, and pytest's summary of the main run is the last line of all.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TYPE_CHECKING

from workspace import (
    PACKAGES,
    ROOT,
    WORK,
    SetupError,
    find_program,
    interpreter,
    is_root,
    need_programs,
    other_pythons,
    run,
    say,
    uv_settings,
    virtual_environment,
    works,
)

if TYPE_CHECKING:
    from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
REQUIREMENTS = "requirements-dev.txt"
# Options of `base_image.py` for what end-to-end tests build on, in the order in which they ask for it.
BASES: tuple[tuple[str, ...], ...] = ((), ("--arch", "arm64"), ("--suite", "trixie"))
# What tests start, and the Debian package of each. Not pigz: engines that find it unpack with it from then on, in other
# times.
PROGRAMS = {
    "arch-test": "arch-test",
    "bsdtar": "libarchive-tools",
    "busybox": "busybox",
    "containerd": "containerd",
    "docker-registry": "docker-registry",
    "dockerd": "docker.io",
    "faketime": "faketime",
    "git": "git",
    "mmdebstrap": "mmdebstrap",
    "npm": "npm",
    "podman": "podman",
    "qemu-aarch64-static": "qemu-user-static",
    "runc": "runc",
    "skopeo": "skopeo",
    "strace": "strace",
    "umoci": "umoci",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    "/etc/containers/policy.json": "golang-github-containers-common",
}
_NICE = ["nice", "-n", "5"] if shutil.which("nice") else []
# Also the client, where a distribution packs it apart from the engine.
CLIENT = {"docker": "docker-cli"}


def main() -> None:
    """Set up, check, test; the status is that of the first thing that failed."""
    options = _arguments()
    os.chdir(ROOT)
    # Tools that tests install, and our packages for other Pythons, run many times: where nothing that was compiled is
    # kept, Poetry takes 1.4 s of processor time to start, instead of 0.5 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    if not options.no_e2e:
        _need_engines()
        # A minute on a new machine, in which all workers would wait. It begins while others wait for the network; a
        # test that comes too early waits for it, and one that finds that it failed tries again, and tells.
        Thread(target=_make_bases, daemon=True).start()
    _start_podman()
    python = _main_environment()
    os.environ["PATH"] = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    wheels = _build_wheels(python)
    _install_wheels(python, wheels)
    others = _other_environments(python, wheels)
    steps = {f"unit tests on Python {v}": _unit(p) for v, p in others.items()} | _checks(python)
    with ThreadPoolExecutor(max_workers=1) as beside:
        running = beside.submit(_run_steps, steps)
        status, summary = _main_run(python, options)
        failed = running.result()
    if failed:
        say(f"FAILED: {', '.join(failed)}; their output is above")
    sys.stdout.write(summary)
    sys.exit(status or bool(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test", description="Run all tests.")
    parser.add_argument("--no-e2e", action="store_true", help="leave out what needs container engines and root")
    parser.add_argument("--coverage", action="store_true", help="tell which lines the main run leaves out")
    parser.add_argument("pytest", nargs="*", help="options and paths for the main run of pytest, after `--`")
    return parser.parse_args()


def _need_engines() -> None:
    if not is_root():
        raise SetupError("The end-to-end tests start container engines, which needs root", "./test --no-e2e")
    need_programs(PROGRAMS)
    if not find_program("docker"):
        need_programs(CLIENT)


def _start_podman() -> None:
    """Let a Podman, where there is one, make its table of locks in memory: the first on a machine does that.

    Another one that starts meanwhile, whatever its folders, reads a table that is not whole and dies (SIGBUS).
    """
    podman = find_program("podman")
    if podman:
        with tempfile.TemporaryDirectory() as place:
            own = [f"--{name}={place}/{name}" for name in ("root", "runroot", "tmpdir")]
            command = [podman, *own, "--storage-driver=vfs", "images"]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _make_bases() -> None:
    for options in BASES:
        command = [sys.executable, str(ROOT / "tools" / "base_image.py"), *options]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _main_environment() -> Path:
    """The virtual environment of the main run, with everything that is pinned."""
    say(f"Python {VERSION}: {sys.executable}")
    python = virtual_environment(WORK / "venvs" / VERSION)
    os.environ.update(uv_settings(python))
    if _is_stale(python):
        say(f"installing {REQUIREMENTS} from the Python index into {python.parent.parent.relative_to(ROOT)}")
        # uv installs in 3 s of processor time what takes pip half a minute, in which nothing else could run.
        run(*_pip_install(python), *_hashed(_pinned_uv()))
        _install_pinned(python, python)
    return python


def _pinned_uv() -> Path:
    """The requirement of uv alone, with its hashes."""
    alone = WORK / "uv.txt"
    pinned = re.search(r"^uv==.*(\n +--hash=.*)+", (ROOT / REQUIREMENTS).read_text(), re.MULTILINE)
    alone.write_text(pinned[0] if pinned else "uv")
    return alone


def _pip_install(python: Path) -> tuple[str | Path, ...]:
    return (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def _uv(main: Path) -> tuple[str | Path, ...]:
    return (main, "-m", "uv", "--quiet", "--no-progress")


def _install_pinned(main: Path, python: Path) -> None:
    run(*_uv(main), "pip", "install", "--python", python, "--no-config", *_hashed(ROOT / REQUIREMENTS))
    _mark_fresh(python)


def _hashed(requirements: Path) -> tuple[str | Path, ...]:
    return ("--require-hashes", "--only-binary", ":all:", "-r", requirements)


def _stamp(python: Path) -> Path:
    return python.parent.parent / REQUIREMENTS


def _is_stale(python: Path) -> bool:
    stamp = _stamp(python)
    return not stamp.exists() or stamp.read_bytes() != (ROOT / REQUIREMENTS).read_bytes()


def _mark_fresh(python: Path) -> None:
    shutil.copyfile(ROOT / REQUIREMENTS, _stamp(python))


def _build_wheels(python: Path) -> list[Path]:
    """Wheels of our packages: what is tested is what would be published."""
    target = WORK / "wheels"
    shutil.rmtree(target, ignore_errors=True)
    for package in PACKAGES:
        build = [str(python), "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
        subprocess.run(build, cwd=ROOT / package, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return sorted(target.glob("*.whl"))


def _install_wheels(python: Path, wheels: list[Path]) -> None:
    run(*_pip_install(python), "--no-deps", "--force-reinstall", "--no-index", *wheels)


def _other_environments(main: Path, wheels: list[Path]) -> dict[str, Path]:
    """A virtual environment for each other Python that is found, by version."""
    environments = {}
    for version, found in other_pythons(VERSION).items():
        say(f"Python {version}: {found}")
        directory = WORK / "venvs" / version
        python = interpreter(directory)
        uv = _uv(main)
        if not works(python, "import sys") or _is_stale(python):
            run(*uv, "venv", "--clear", "--no-python-downloads", "--python", found, directory)
            _install_pinned(main, python)
        reinstall = ("--no-deps", "--reinstall", "--no-index", "--no-cache")
        run(*uv, "pip", "install", "--python", python, *reinstall, *wheels)
        environments[version] = python
    return environments


def _checks(python: Path) -> dict[str, list[str]]:
    module = [str(python), "-m"]
    return {
        "format": [*module, "ruff", "format", "--check", "--quiet"],
        "lint": [*module, "ruff", "check", "--quiet"],
        "types": [*module, "mypy", *_typed()],
        "imports": [str(python.parent / "lint-imports"), "--no-cache"],
    }


def _typed() -> list[str]:
    """What mypy looks at, one run for all."""
    tests = [f"{package}/tests" for package in PACKAGES]
    sources = [f"{package}/src" for package in PACKAGES]
    return [path for path in [*sources, *tests, "tests", "tools", "benchmarks"] if (ROOT / path).is_dir()]


def _unit(python: Path) -> list[str]:
    tests = [f"{package}/tests" for package in PACKAGES if (ROOT / package / "tests").is_dir()]
    # What compares with other tools over the network is the same on every Python: the main run has it, once.
    # Property tests have the same examples on every Python, too: there it is enough to try the first of them.
    options = ["--quiet", *_parallel(_processors() // 2), "-p", "no:cacheprovider", "-m", "not network and not once"]
    options += ["--hypothesis-profile", "quarter"]
    return [str(python), "-m", "pytest", *options, *tests]


def _processors() -> int:
    return max(2, min(os.cpu_count() or 2, 8))


def _parallel(workers: int) -> list[str]:
    # One worker alone would only be another process that collects the tests.
    return ["-n", str(workers)] if workers > 1 else []


def _run_steps(steps: dict[str, list[str]]) -> list[str]:
    """Run one step after the other, and let the main run go first; return the names of those that failed."""
    failed = []
    for name, command in steps.items():
        begin = time.monotonic()
        done = subprocess.run(
            [*_NICE, *command], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        passed = done.returncode == 0
        if not passed:
            failed.append(name)
        said = "" if passed else f"\n{done.stdout}"
        say(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - begin:.0f} s{said}")
    return failed


def _main_run(python: Path, options: argparse.Namespace) -> tuple[int, str]:
    """Run all tests, showing what they say but for the last line, which is given back with the status."""
    say("all tests; beside them checks, and unit tests on other Pythons")
    colour = ["--color", "yes"] if sys.stdout.isatty() else []
    command = [
        str(python),
        "-m",
        "pytest",
        "-n",
        str(_processors()),
        "--dist",
        "loadfile",
        "--durations",
        "15",
        *colour,
    ]
    command += ["--no-loadscope-reorder"]  # the order is that of `conftest.py`: what takes long begins early
    if options.coverage:
        command += ["--cov", "--cov-report", "term:skip-covered"]
    if options.no_e2e:
        command += ["-m", "not e2e"]
    last = ""
    with subprocess.Popen([*command, *options.pytest], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None  # noqa: S101  # a pipe was asked for
        for line in running.stdout:
            sys.stdout.write(last)
            sys.stdout.flush()
            last = line
    return running.returncode, last
