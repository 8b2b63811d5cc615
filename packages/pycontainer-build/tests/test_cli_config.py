from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from pycontainer.config import OPTIONS
from pycontainer.config.schema import configuration_schema

Run: TypeAlias = Callable[..., Any]


def test_the_configuration_is_shown_with_its_sources(run: Run) -> None:
    Path("pycontainer.toml").write_text('[build]\nworkdir = "/srv"\n[build.env]\nPORT = "8080"\n')
    Path("pyproject.toml").write_text('[tool.pycontainer]\nworkdir = "/x"\nbase_image = "scratch"\n')
    done = run("config", "--push", environment={"PYCONTAINER_USER": "1000"})
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in done.out.splitlines()}
    assert rows["workdir"] == ["/srv", "build.workdir in pycontainer.toml"]
    assert rows["env.PORT"] == ["8080", "build.env in pycontainer.toml"]
    assert rows["base-image"] == ["scratch", "tool.pycontainer.base_image in pyproject.toml"]
    assert rows["push"] == ["yes", "--push"]
    assert rows["user"] == ["1000", "PYCONTAINER_USER"]
    assert rows["cache"] == ["yes", "default"]
    assert (done.code, done.err) == (0, "")


def test_programs_get_the_same_as_json(run: Run) -> None:
    found = json.loads(run("config", "--json", "--platform", "linux/arm64", "--no-cache").out)
    assert found["platform"] == {"value": ["linux/arm64"], "source": "--platform"}
    assert found["cache"] == {"value": False, "source": "--no-cache"}
    assert found["registry.url"] == {"value": None, "source": "default"}
    assert len(found) == sum(option.is_field for option in OPTIONS.values())


def test_the_schema_is_printed(run: Run) -> None:
    assert json.loads(run("config", "--schema").out) == configuration_schema()
    assert json.loads(run("config", "--schema", "pyproject.toml").out) == configuration_schema("pyproject.toml")


def test_warnings_go_to_standard_error(run: Run) -> None:
    done = run("config", environment={"PYCONTAINER_TAGS": "x"})
    assert done.err == "warning: `PYCONTAINER_TAGS` is not a variable of pycontainer; is `PYCONTAINER_TAG` meant?\n"
    assert "PYCONTAINER_TAGS" not in done.out


def test_a_password_is_read_from_standard_input(run: Run) -> None:
    done = run("config", "--json", "--username", "bob", "--password-stdin", stdin=b"hunter2\r\n")
    assert json.loads(done.out)["registry.password"] == {"value": "***", "source": "--password-stdin"}
    assert run("config", "--username", "bob", "--password-stdin", stdin=b"\xff\xff").code == 2
    assert run("config", "--username", "bob", "--password-stdin", stdin=b"x" * 70_000).code == 2


def test_credentials_are_explained_and_not_shown(run: Run) -> None:
    folder = Path.home() / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text('{"auths": {"registry.example": {"auth": "Ym9iOmh1bnRlcjI="}}}')
    done = run("auth", "explain", "registry.example/acme/api")
    assert done.out.splitlines()[-1].startswith("registry.example/acme/api: user `bob`, from `~/.docker/config.json`")
    assert "hunter2" not in done.out
    found = json.loads(run("auth", "explain", "--json", "registry.example/acme/api").out)
    assert found["found"].startswith("user `bob`")
    assert run("auth", "explain", "other.example/x").out.endswith("no credentials, access is anonymous\n")
