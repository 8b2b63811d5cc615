"""Azure Container Registry through the Azure CLI, for those who are signed in there and nowhere else."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from pycontainer.transports.registry.settings import Credential
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

# What ACR calls the user of a token (Microsoft: *Authenticate with an Azure container registry*).
_TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - a user's name
_TIMEOUT = 60.0


def azure_credential(registry: str, *, environment: Mapping[str, str]) -> Credential | None:
    """A token of `az acr login --expose-token`; none where `az` is not installed, not signed in or slow."""
    path = shutil.which("az", path=environment.get("PATH"))
    if path is None:
        return None
    command = [path, "acr", "login", "--name", registry.partition(".")[0], "--expose-token", "--output", "json"]
    try:
        done = subprocess.run(  # noqa: S603 - an absolute path; the name is a checked reference's host
            command, capture_output=True, timeout=_TIMEOUT, check=False, env=dict(environment), stdin=subprocess.DEVNULL
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        token, server = answer["accessToken"], str(answer.get("loginServer", registry))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, subprocess.TimeoutExpired):
        return None
    if not isinstance(token, str) or server.lower() != registry.lower():
        return None
    return Credential(username=_TOKEN_USER, identity_token=Redacted(token), source="from the Azure CLI")
