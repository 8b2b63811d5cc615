"""What git says of the source, and what is done where it says nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pycontainer.errors import ToolError
from pycontainer.project import vcs
from pycontainer.project.vcs import public_url, source_annotations


@pytest.mark.skipif(os.name != "posix", reason="git is a shell script here")
def test_a_git_that_does_not_answer_makes_no_other_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git, root = tmp_path / "bin" / "git", tmp_path / "project"
    for folder in (git.parent, root, root / ".git"):
        folder.mkdir()
    git.write_text("#!/bin/sh\nexec sleep 600\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(vcs, "_TIMEOUT", 0.2)
    with pytest.raises(ToolError, match="which commit is checked out") as caught:
        source_annotations(root)
    assert caught.value.facts == (f"in: `{root}`",)


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@github.com:acme/api.git", "https://github.com/acme/api"),
        ("https://user:s3cret@git.example/acme/api.git", "https://git.example/acme/api"),
        ("ssh://git@git.example:2222/acme/api", "https://git.example/acme/api"),
        ("/srv/git/api", None),
        ("C:/git/api", None),
        ("", None),
    ],
)
def test_a_remote_becomes_a_url_without_credentials(remote: str, url: str | None) -> None:
    assert public_url(remote) == url
