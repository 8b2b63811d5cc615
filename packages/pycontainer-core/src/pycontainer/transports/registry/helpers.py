"""Credential helpers: programs that the user's own configuration names, asked over standard input.

Protocol (`docker/docker-credential-helpers`): `docker-credential-NAME get`, the server's URL in, JSON out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from pycontainer.errors import ToolError
from pycontainer.transports.registry.settings import Credential
from pycontainer.transports.secrets import Redacted, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# No `/` and no `..`: the name becomes a program's name.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.))*")
# What Docker takes for "I have none"; helpers that fail speak of credentials that they do not find themselves, too.
_NOT_FOUND = "credentials not found in native keychain"
_TOKEN_USER = "<token>"  # noqa: S105 - the protocol's word for "the secret is an identity token"


def ask_helper(
    name: str, servers: Sequence[str], *, named_by: str, environment: Mapping[str, str], timeout: float
) -> Credential | None:
    """What the helper `docker-credential-<name>` has for the first of these servers that it knows.

    Raises:
        ToolError: The helper's name could be a path; or it is missing, fails, hangs or answers something else.
    """
    program = f"docker-credential-{name}"
    facts = [f"named by: `{named_by}`"]
    if not _NAME.fullmatch(name):
        raise ToolError(f"`{name[:80]}` cannot be the name of a credential helper", facts=facts)
    path = shutil.which(program, path=environment.get("PATH"))
    if path is None:
        raise ToolError(
            f"The credential helper `{program}` is not installed",
            facts=facts,
            hint=f"Install it, or remove `{name}` from `{named_by}`",
        )
    for server in servers:
        output = _run(program, [path, "get"], server, facts=facts, environment=environment, timeout=timeout)
        if output is not None:
            return _credential(program, output, facts=facts, named_by=named_by)
    return None


def _run(
    program: str, command: list[str], server: str, *, facts: list[str], environment: Mapping[str, str], timeout: float
) -> str | None:
    facts = [*facts, f"asked for: `{server}`"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed form, the name checked, an absolute path
            command, input=server.encode(), capture_output=True, timeout=timeout, check=False, env=dict(environment)
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"The credential helper `{program}` did not answer in {timeout:g} s", facts=facts) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ToolError(f"The credential helper `{program}` cannot be run", facts=[*facts, reason]) from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        return output
    if _NOT_FOUND in output.lower() or _NOT_FOUND in done.stderr.decode("utf-8", "replace").lower():
        return None
    # A failing helper says why on standard output; one that fails after it answered must not be quoted.
    said = "" if "Secret" in output else printable(output)
    status = f"exit status {done.returncode}"
    raise ToolError(
        f"The credential helper `{program}` failed", facts=[*facts, f"{status}: {said}" if said else status]
    )


def _credential(program: str, output: str, *, facts: list[str], named_by: str) -> Credential | None:
    try:
        answer: Any = json.loads(output)
        username, secret = answer["Username"], answer["Secret"]
        valid = isinstance(username, str) and isinstance(secret, str)
    except (ValueError, KeyError, TypeError, RecursionError):
        valid = False
    if not valid:
        # What it printed may hold the secret, so it is not quoted.
        raise ToolError(
            f"The credential helper `{program}` answered something other than JSON with `Username` and `Secret`",
            facts=facts,
        )
    if not secret:
        return None
    source = f"from the credential helper `{program}` (`{named_by}`)"
    if username == _TOKEN_USER:
        return Credential(identity_token=Redacted(secret), source=source)
    return Credential(username=username, password=Redacted(secret), source=source)
