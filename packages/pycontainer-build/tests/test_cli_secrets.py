from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Run: TypeAlias = Callable[..., Any]

# Twelve secrets, one in each place where people have them.
SECRETS = {name: f"s3cr3t-{name}-{number:04d}" for number, name in enumerate([
    "stdin", "own-variable", "registry-variable", "github", "proxy", "docker-auth", "identity-token", "helper",
    "index-url", "image-variable", "userinfo", "toml",
], start=1)}  # fmt: skip


@pytest.fixture
def planted(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command on a host whose every place of credentials holds one."""
    docker = Path.home() / ".docker"
    docker.mkdir()
    basic = base64.b64encode(f"bob:{SECRETS['docker-auth']}".encode()).decode()
    auths = {
        "registry.example": {"auth": basic},
        "token.example": {"identitytoken": SECRETS["identity-token"]},
    }
    (docker / "config.json").write_text(json.dumps({"auths": auths, "credHelpers": {"helper.example": "planted"}}))
    helper = tmp_path / "docker-credential-planted"
    answer = json.dumps({"Username": "bob", "Secret": SECRETS["helper"], "ServerURL": ""})
    helper.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
    helper.chmod(0o755)
    for name, value in {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "REGISTRY_USERNAME": "bob",
        "REGISTRY_PASSWORD": SECRETS["registry-variable"],
        "GITHUB_TOKEN": SECRETS["github"],
        "HTTPS_PROXY": f"http://bob:{SECRETS['proxy']}@127.0.0.1:9",
        "HTTP_PROXY": f"http://bob:{SECRETS['proxy']}@127.0.0.1:9",
        "PYCONTAINER_INDEX_URL": f"https://bob:{SECRETS['index-url']}@index.example/simple",
        "PYCONTAINER_ENV": f"API_TOKEN={SECRETS['image-variable']}",
    }.items():
        monkeypatch.setenv(name, value)
    return run


USERINFO = f"bob:{SECRETS['userinfo']}@host.example"
COMMANDS: list[list[str]] = [
    ["config"],
    ["config", "--json"],
    ["config", "--user", "-1"],
    ["config", "--tag", f"{USERINFO}/x"],
    ["config", "--tag", f"https://{USERINFO}/x:y:z"],
    ["config", "--base-image", f"{USERINFO}/x"],
    ["config", "--registry", f"https://{USERINFO}"],
    ["config", "--registry", f"http://{USERINFO}"],
    ["config", "--mirror", f"docker.io={USERINFO}"],
    ["config", "--mirror", f"docker.io=https://{USERINFO}"],
    ["config", "--insecure-registry", USERINFO],
    ["config", "--allow-http", f"http://{USERINFO}"],
    ["config", "--index-url", f"bob:{SECRETS['index-url']}@index.example"],
    ["config", "--index-url", f"https://bob:{SECRETS['index-url']}@[index.example"],
    ["config", "--env", SECRETS["image-variable"]],
    ["config", "--env", f"1={SECRETS['image-variable']}"],
    ["config", "--env", f"A={SECRETS['image-variable']}\0"],
    ["config", "--label", f"a b={SECRETS['image-variable']}"],
    ["config", "--password", SECRETS["stdin"]],
    ["config", f"--password={SECRETS['stdin']}"],
    ["config", "--password-stdin", SECRETS["stdin"]],
    ["config", f"--push={SECRETS['stdin']}"],
    ["config", "--username", f"bob:{SECRETS['stdin']}"],
    ["auth", "explain", "registry.example/x"],
    ["auth", "explain", "token.example/x"],
    ["auth", "explain", "helper.example/x"],
    ["auth", "explain", "ghcr.io/x/y"],
    ["auth", "explain", "--json", "other.example/x"],
    ["auth", "explain", f"{USERINFO}/x"],
    ["build", "--dry-run", "--base-image", "registry.example/x:1"],
    ["build", "--json", "--verbose", "--base-image", "token.example/x:1"],
    ["build", "--push", "--tag", "helper.example/x:1", "--verbose", "--base-image", "helper.example/x:1"],
    ["cache", "info"],
]


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:60])
def test_no_output_holds_a_secret(words: list[str], debug: str, planted: Run) -> None:
    Path("app.py").write_text("print(1)\n")
    environment = {"PYCONTAINER_DEBUG": debug}
    outputs = [planted(*words, environment=environment)]
    if words[0] in {"config", "build"}:
        variable = {**environment, "PYCONTAINER_USERNAME": "bob", "PYCONTAINER_PASSWORD": SECRETS["own-variable"]}
        outputs.append(planted(*words, environment=variable))
        flags = ["--username", "bob", "--password-stdin"]
        outputs.append(planted(*words, *flags, stdin=f"{SECRETS['stdin']}\nx".encode(), environment=environment))
        outputs.append(planted(*words, *flags, stdin=SECRETS["stdin"].encode() + b"\xff", environment=environment))
        Path("pycontainer.toml").write_text(f'[registry]\npassword = "{SECRETS["toml"]}"\n')
        outputs.append(planted(*words, environment=environment))
        Path("pycontainer.toml").write_text(f'[registry]\nurl = {{ token = "{SECRETS["toml"]}" }}\n')
        outputs.append(planted(*words, environment=environment))
    for output in outputs:
        assert output.out or output.err
        for name, secret in SECRETS.items():
            assert secret not in output.out, name
            assert secret not in output.err, name


def test_the_planted_secrets_are_really_found(planted: Run) -> None:
    """Else the test above would prove nothing."""
    for registry, shown in {
        "registry.example": "user `bob`",
        "token.example": "a token",
        "helper.example": "user `bob`",
    }.items():
        assert shown in planted("auth", "explain", f"{registry}/x", environment={"REGISTRY_PASSWORD": ""}).out
    assert "API_TOKEN" in planted("config").out
    assert "index.example" in planted("config").out
