"""What the image says about its source: revision and repository, asked of git where the project is in a checkout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycontainer.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

_SCP_LIKE = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!/)(.+)")
_USERINFO = re.compile(r"^(\w+://)[^/@]*@")
_TIMEOUT = 60.0


def source_annotations(root: Path) -> dict[str, str]:
    """`org.opencontainers.image.revision` and `.source` of a git checkout; empty outside of one.

    A revision with uncommitted changes to tracked files ends with `-dirty`. Credentials are cut from the URL.

    Raises:
        ToolError: git does not answer in time: without its answer the image would be another one.
    """
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return {}
    annotations = {}
    if revision := _git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"):
        annotations["org.opencontainers.image.revision"] = revision
    if url := public_url(_git(root, "config", "--get", "remote.origin.url")):
        annotations["org.opencontainers.image.source"] = url
    return annotations


def public_url(remote: str) -> str | None:
    """A remote as a URL for people: `git@host:acme/api.git` is `https://host/acme/api`; a local path is nothing."""
    scp_like = _SCP_LIKE.fullmatch(remote)
    if scp_like and "://" not in remote and len(scp_like.group(1)) > 1:  # one letter is a drive of Windows
        remote = f"https://{scp_like.group(1)}/{scp_like.group(2)}"
    remote = _USERINFO.sub(r"\1", remote)
    if remote.startswith("ssh://"):
        remote = re.sub(r"^ssh://([^/:]+)(?::\d+)?/", r"https://\1/", remote)
    return remote.removesuffix("/").removesuffix(".git") if remote.startswith(("https://", "http://")) else None


def _git(root: Path, *arguments: str) -> str:
    import subprocess  # noqa: PLC0415 - only in a checkout

    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"git did not say within {_TIMEOUT:.0f} s which commit is checked out",
            facts=[f"in: `{root}`"],
            hint="`git status` there shows what it waits for",
        ) from error
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
