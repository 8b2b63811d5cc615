"""The command inside of Poetry: choices, output, and what it says of mistakes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest
from poetry_projects import PoetrySample, Run, locked, source_of

from pycontainer.testing.index_server import IndexServer
from pycontainer.testing.wheels import WheelForge

SECRET = "s3cr3t-plant"


@pytest.fixture
def ready(project: PoetrySample, index: IndexServer, monkeypatch: pytest.MonkeyPatch) -> PoetrySample:
    """A project whose packages are on an index with a password, which Poetry knows."""
    index.user = ("bob", SECRET)
    monkeypatch.setenv("POETRY_HTTP_BASIC_CORP_USERNAME", "bob")
    monkeypatch.setenv("POETRY_HTTP_BASIC_CORP_PASSWORD", SECRET)
    source = source_of(type="legacy", url=index.simple.rstrip("/"), reference="corp")
    packages = ""
    for name, more in {"alpha": {}, "gamma": {"markers": "'extra == \"pg\"'"}, "delta": {"groups": '"docs"'}}.items():
        forge = WheelForge(name=name, version="1.0", files={f"{name}/__init__.py": b""})
        sha256 = index.add(name, forge.filename, forge.build())
        packages += locked(name, source=source, sha256=sha256, **more)
    sources = f'\n[[tool.poetry.source]]\nname = "corp"\nurl = "{index.simple}"\n'
    project.write(project.pyproject + sources, packages=packages, extras='pg = ["gamma"]')
    return project


def packages_of(run: Run, options: str) -> set[str]:
    """The packages that the plan has."""
    done = run(f"build-container --dry-run --json {options}")
    assert done.code == 0, done.err
    (platform,) = json.loads(done.out)["platforms"]
    return {package["name"] for package in platform["packages"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"alpha"}),
        ("--with docs", {"alpha", "delta"}),
        ("--all-groups", {"alpha", "delta"}),
        ("--only docs", {"delta"}),
        ("--without main", set()),
        ("-E pg", {"alpha", "gamma"}),
        ("--all-extras --only main", {"alpha", "gamma"}),
    ],
)
@pytest.mark.usefixtures("ready")
def test_groups_and_extras_mean_what_they_mean_to_poetry(run: Run, options: str, expected: set[str]) -> None:
    assert packages_of(run, options) == expected


@pytest.mark.usefixtures("ready")
def test_configuration_says_what_is_included_when_nothing_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYCONTAINER_GROUPS", "docs")
    monkeypatch.setenv("PYCONTAINER_EXTRAS", "pg")

    assert packages_of(run, "") == {"alpha", "gamma", "delta"}
    assert packages_of(run, "--without docs") == {"alpha", "gamma"}
    assert packages_of(run, "--only main") == {"alpha", "gamma"}


def test_an_image_is_built_and_the_second_time_nobody_is_asked(
    ready: PoetrySample, run: Run, index: IndexServer
) -> None:
    first = run("build-container --tag demo:1")
    asked = len(index.requests)
    second = run("build-container --tag demo:1 --quiet")

    assert first.code == second.code == 0, first.err + second.err
    assert second.out == first.out
    assert first.out.startswith(f"oci:{ready.root}/dist/image@sha256:")
    assert "Building an image of demo (1.0)" in first.err
    assert asked == 2, "one page and one file"
    assert len(index.requests) == asked, "what is known already is asked of nobody"
    assert second.err == ""
    written = b"".join(path.read_bytes() for path in (ready.root / "dist").rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    assert SECRET not in first.err + first.out


WRONG = {
    "unknown group": ("--with nope", 1, "Group(s) not found: nope (via --with)"),
    "unknown extra": ("--extras nope", 1, "Extra [nope] is not specified."),
    "two ways of extras": ("-E pg --all-extras", 2, "`--extras` and `--all-extras` cannot be used together"),
    "two ways of groups": ("--all-groups --only docs", 2, "`--all-groups` cannot be used with"),
    "on and off": ("--push --no-push", 2, "`--push` and `--no-push` contradict each other"),
    "a wrong value": ("--platform nonsense", 2, "set by: --platform"),
    "unknown option": ("--nope", 1, 'The option "--nope" does not exist'),
    "a value is missing": ("--tag", 1, "--tag"),
    "a lock of its own": ("", 2, "A project of Poetry has `poetry.lock` alone"),
    "no base": ("--base-image oci:/nonexistent", 1, "/nonexistent"),
    "no credentials": ("", 4, "401"),
    "stale": ("", 1, "pyproject.toml changed significantly since poetry.lock was last generated"),
    "no lock": ("", 1, "poetry.lock does not exist"),
    "no entry point": ("", 1, "`--entrypoint`"),
}


@pytest.mark.parametrize("verbosity", ["", " -vvv"])
@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_told_and_nothing_is_written(
    ready: PoetrySample, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, verbosity: str
) -> None:
    options, code, message = WRONG[name]
    path = ready.root / "pyproject.toml"
    if name == "a lock of its own":
        monkeypatch.setenv("PYCONTAINER_LOCK", "uv.lock")
    if name == "no credentials":
        monkeypatch.setenv("POETRY_HTTP_BASIC_CORP_PASSWORD", "wr0ng-plant")
    if name == "stale":
        path.write_text(path.read_text().replace('["alpha"]', '["alpha", "beta"]'))
    if name == "no lock":
        (ready.root / "poetry.lock").unlink()
    if name == "no entry point":
        path.write_text(path.read_text().replace('scripts = { demo = "demo:main" }', ""))

    done = run(f"build-container {options}{verbosity}")

    shown = " ".join(done.err.split())
    assert message in shown, done.err
    assert done.code == code
    assert "Traceback" not in done.err
    assert not [secret for secret in (SECRET, "wr0ng-plant") if secret in done.err + done.out]
    assert not (ready.root / "dist").exists(), "nothing half written"


@pytest.mark.usefixtures("ready")
def test_mistakes_for_programs(run: Run) -> None:
    done = run("build-container --json -E nope")

    error = json.loads(done.out)["error"]
    assert (error["kind"], error["exit_code"]) == ("LockError", done.code)


# A parent in the background makes its children deaf, so the handler is Python's own again.
HEARING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from poetry.console.application import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.usefixtures("run")
def test_an_interrupt_ends_it_although_a_server_does_not_answer(ready: PoetrySample, index: IndexServer) -> None:
    asked, over = threading.Event(), threading.Event()

    def stall(_handler: object) -> bool:
        asked.set()
        return over.wait(60)

    index.faults.append(stall)
    words = [sys.executable, "-c", HEARING, "build-container"]
    with subprocess.Popen(words, cwd=ready.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    over.set()

    assert (process.returncode, out) == (130, "")
    assert err.endswith("interrupted\n")
    assert not (ready.root / "dist").exists()
