from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer import errors
from pycontainer.frontend import exit_codes
from pycontainer_cli import main

Run: TypeAlias = Callable[..., Any]

# Every way to use the command wrongly: name of the snapshot → words, with a file and variables where they matter.
WRONG: dict[str, tuple[list[str], dict[str, str], str]] = {
    "no-command": ([], {}, ""),
    "unknown-command": (["biuld"], {}, ""),
    "half-a-command": (["auth"], {}, ""),
    "unknown-subcommand": (["cache", "clear"], {}, ""),
    "unknown-option": (["build", "--plattform", "linux/arm64"], {}, ""),
    "abbreviated-option": (["build", "--platf=linux/arm64"], {}, ""),
    "password-as-argument": (["build", "--password", "hunter2"], {}, ""),
    "option-without-value": (["build", "--tag"], {}, ""),
    "switch-with-value": (["build", "--push=expected"], {}, ""),  # a word of argparse's own, too
    "argument-too-many": (["build", "./project"], {}, ""),
    "bad-reference": (["build", "--tag", "acme/API:1"], {}, ""),
    "long-tag": (["build", "--tag", "a:" + "t" * 129], {}, ""),
    "short-digest": (["build", "--base-image", "python@sha256:abc"], {}, ""),
    "digest-as-tag": (["build", "--tag", "a@sha256:" + "0" * 64], {}, ""),
    "bad-port-of-registry": (["build", "--tag", "host:99999/x"], {}, ""),
    "path-as-reference": (["build", "--tag", "../x"], {}, ""),
    "unicode-host": (["build", "--tag", "bücher.example/x"], {}, ""),
    "large-variable": (["build", "--env", "A=" + "x" * 131072], {}, ""),
    "newline-in-label": (["build", "--label", "a=one\ntwo"], {}, ""),
    "bad-source-date-epoch": (["build"], {"SOURCE_DATE_EPOCH": "yesterday"}, ""),
    "foreign-platform": (["build", "--platform", "windows/amd64"], {}, ""),
    "platform-in-variable": (["build"], {"PYCONTAINER_PLATFORM": "linux"}, ""),
    "variable-without-name": (["build", "--env", "hunter2"], {}, ""),
    "user-out-of-range": (["build", "--user", "2147483648"], {}, ""),
    "unknown-sbom": (["build", "--sbom", "xml"], {}, ""),
    "unknown-output": (["build", "--output", "tar:x.tar"], {}, ""),
    "http-registry": (["build", "--registry", "http://registry.lab.example"], {}, ""),
    "username-alone": (["build", "--username", "bob"], {}, ""),
    "empty-password": (["build", "--username", "bob", "--password-stdin"], {}, ""),
    "quiet-and-verbose": (["build", "-q", "-v"], {}, ""),
    "unknown-key": (["build"], {}, '[build]\nbase-imge = "x"\n'),
    "key-in-wrong-table": (["build"], {}, '[registry]\nbase-image = "x"\n'),
    "password-in-file": (["build"], {}, '[registry]\npassword = "hunter2"\n'),
    "not-toml": (["build"], {}, "[build\n"),
    "number-for-string": (["build"], {}, "[build.env]\nPORT = 8080\n"),
    "several": (
        ["build", "--tag", "A", "--user", "-1", "--env", "1=2"],
        {"PYCONTAINER_PORTS": "0"},
        '[build]\nworkdir = "app"\nstop-signal = "no signal"\n',
    ),
    "missing-config": (["build", "--config", "none.toml"], {}, ""),
    "unknown-schema": (["config", "--schema", "setup.cfg"], {}, ""),
    "auth-of-nothing": (["auth", "explain"], {}, ""),
    "auth-of-no-reference": (["auth", "explain", "bob:hunter2@host.example/x"], {}, ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_told_as_agreed_and_ends_with_2(name: str, run: Run, snapshot: Callable[[str, str], None]) -> None:
    words, environment, toml = WRONG[name]
    if toml:
        Path("pycontainer.toml").write_text(toml)
    done = run(*words, environment=environment)
    assert done.code == exit_codes.USAGE
    assert done.out == ""
    assert "hunter2" not in done.err
    # What a library says of malformed TOML differs between the Pythons.
    snapshot(f"error_{name}.txt", re.sub(r"reason: Expected.*", "reason: …", done.transcript))


def test_a_failing_command_tells_programs_in_json(run: Run) -> None:
    done = run("build", "--json", "--user", "-1")
    assert json.loads(done.out) == {
        "error": {
            "kind": "ConfigError",
            "message": "`-1` is not a user",
            "facts": ["set by: --user", "expected: `name`, `uid` or `uid:gid`"],
            "hint": None,
            "exit_code": 2,
        }
    }
    assert done.err.startswith("error: `-1` is not a user\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.ProjectError("x"), 1),
        (errors.LockError("x"), 1),
        (errors.WheelBuildError("x"), 1),
        (errors.StoreError("x"), 1),
        (errors.ToolError("x"), 1),
        (errors.NetworkError("x"), 3),
        (errors.HTTPStatusError("x", status=500), 3),
        (errors.DeniedError("x"), 4),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: errors.PyContainerError, code: int) -> None:
    assert exit_codes.exit_code(error) == code


def raising(error: BaseException) -> Callable[[list[str]], int]:
    def command(words: list[str]) -> int:
        del words
        raise error

    return command


def test_a_mistake_of_our_own_shows_no_traceback_and_no_text(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_dispatch", raising(RuntimeError("hunter2")))
    done = run("build")
    assert done.code == 1
    assert done.err.startswith("error: pycontainer failed with `RuntimeError`, which is a mistake of its own\n")
    assert "Traceback" not in done.err
    assert "hunter2" not in done.err
    assert "Traceback" in run("build", environment={"PYCONTAINER_DEBUG": "1"}).err


def test_what_the_system_says_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_dispatch", raising(OSError(28, "No space left on device", "/x/y")))
    done = run("build")
    assert (done.code, done.err) == (1, "error: No space left on device\n  path: /x/y\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "pycontainer_cli", "config", "--schema"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_names_that_the_terminal_cannot_show_are_no_reason_to_fail(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pycontainer_cli", "config", "--label", "a=ü漢", "--context", str(tmp_path)],
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert rb"\xfc\u6f22" in done.stdout
