"""One commit of a git repository, checked out with its submodules: what a lock pins with a commit's full hash.

    with checkout(url, commit, environment=os.environ) as tree: ...

The host's git does it, with the user's own credential helpers and ssh. History and tags come along, since versions are
derived from them; the content of other commits does not, where the server can leave it out.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from pycontainer.errors import NetworkError, ToolError
from pycontainer.sources.locks.addresses import insecure_host, redact
from pycontainer.transports.secrets import printable, redact_url, scrub
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

# `ext::` runs commands. Submodules, whose addresses are the repository's, may not lead to this host's files: `user`.
_PROTOCOLS = {"protocol.allow": "never", "protocol.https.allow": "always", "protocol.ssh.allow": "always"}
_SCHEMES = frozenset({"https", "http", "ssh", "file"})
_LINES = 5


@contextmanager
def checkout(
    url: str, commit: str, *, environment: Mapping[str, str], insecure_hosts: Collection[str] = ()
) -> Iterator[Path]:
    """A temporary directory with the files of the commit.

    Args:
        url: https, ssh or file; perhaps with credentials, which are kept off the command line.
        commit: All 40 or 64 digits.
        environment: What git runs in.
        insecure_hosts: Hosts that may be cloned from over plain http.

    Raises:
        ToolError: git is not installed.
        NetworkError: The address may not be used, the repository cannot be read or does not have the commit.
    """
    program = shutil.which("git", path=environment.get("PATH"))
    if program is None:
        raise ToolError(
            "git is needed to fetch a locked commit and is not installed", facts=[f"from: {redact_url(url)}"]
        )
    _check_address(url, insecure_hosts)
    with temporary_folder("pycontainer-git-") as folder:
        tree = folder.resolve() / "tree"
        git = _Git(program, url, environment)
        git.run(["clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", git.url, str(tree)], tree.parent)
        if not git.succeeds(["cat-file", "-e", f"{commit}^{{commit}}"], tree):
            # A commit that no branch holds, as that of a pull request, has to be asked for by its hash.
            git.run(["fetch", "--quiet", "origin", commit], tree)
        git.run(["checkout", "--quiet", "--detach", commit], tree)
        head = git.run(["rev-parse", "HEAD"], tree).strip()
        if head != commit:
            raise NetworkError(
                f"git checked out `{head[:40]}` instead of `{commit}`", facts=[f"from: {redact_url(url)}"]
            )
        if (tree / ".gitmodules").is_file():
            git.run(["submodule", "--quiet", "update", "--init", "--recursive"], tree)
        yield tree


def _check_address(url: str, insecure_hosts: Collection[str]) -> None:
    scheme = urlsplit(url).scheme
    host = insecure_host(url, insecure_hosts)
    if scheme not in _SCHEMES or host:
        raise NetworkError(
            f"`{redact_url(url)}` cannot be cloned",
            facts=["reason: plain http" if host else f"reason: the scheme `{scheme[:20]}`"],
            hint=f"Use https, or name `{host}` in {{allow_http}}" if host else None,
        )


class _Git:
    """git with the settings of one repository."""

    def __init__(self, program: str, url: str, environment: Mapping[str, str]) -> None:
        self._program = program
        parts = urlsplit(url)
        userinfo, at, host = parts.netloc.rpartition("@")
        self._secrets: frozenset[str] = frozenset()
        settings = {**_PROTOCOLS, "protocol.http.allow": "always" if parts.scheme == "http" else "never"}
        settings |= {"protocol.file.allow": "user", "core.hooksPath": os.devnull, "transfer.fsckObjects": "true"}
        settings |= {"core.autocrlf": "false", "advice.detachedHead": "false"}
        self.url = url
        if at and parts.scheme in {"http", "https"}:
            self.url = urlunsplit(parts._replace(netloc=host))
            username, _, password = (unquote(part) for part in userinfo.partition(":"))
            token = base64.b64encode(f"{username}:{password}".encode()).decode()
            settings[f"http.{parts.scheme}://{host}/.extraHeader"] = f"Authorization: Basic {token}"
            self._secrets = frozenset({token, password or username})
        self._environment = {**_without_git(environment), **_as_variables(settings)}

    def run(self, arguments: Sequence[str], cwd: Path) -> str:
        done = self._start(arguments, cwd)
        if done.returncode != 0:
            said = [printable(line) for line in redact(scrub(done.stderr, self._secrets)).splitlines() if line.strip()]
            raise NetworkError(
                f"git cannot {arguments[0]} `{redact_url(self.url)}`", facts=[f"git: {line}" for line in said[-_LINES:]]
            )
        return done.stdout

    def succeeds(self, arguments: Sequence[str], cwd: Path) -> bool:
        return self._start(arguments, cwd).returncode == 0

    def _start(self, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - an absolute path, no shell; addresses stand after `--`
                [self._program, *arguments],
                cwd=cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise ToolError(f"`{self._program}` cannot be run", facts=[error.strerror or str(error)]) from error


def _without_git(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what ties git to another repository, as in a hook, and without questions on the terminal."""
    tied = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"}
    kept = {name: value for name, value in environment.items() if name not in tied}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings by the environment: unlike `-c` on the command line, other users of this host do not see them."""
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
