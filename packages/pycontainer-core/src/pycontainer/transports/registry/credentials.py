"""Who we are at a registry, found where people keep such things.

    credentials = Credentials(RegistrySettings())
    credentials.find("ghcr.io", "acme/api", for_push=True)
    credentials.explain("ghcr.io", "acme/api").lines       # what was looked at, and what was found, without secrets

The order, first found wins:

1. a flag, or what the caller gave for the registry
2. `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`, for the registry that the image is pushed to
3. `REGISTRY_AUTH_FILE`
4. `DOCKER_CONFIG`, a directory with a `config.json`
5. `$XDG_RUNTIME_DIR/containers/auth.json`
6. `$XDG_CONFIG_HOME/containers/auth.json`
7. `~/.docker/config.json`
8. `GITHUB_TOKEN`, for ghcr.io
9. the Azure CLI, for registries of Azure

Within a file `credHelpers` go before `credsStore`, and that before `auths`; a helper that has nothing is passed over.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.errors import ToolError
from pycontainer.events import Warned, ignore
from pycontainer.transports.registry.docker_config import DockerConfig, helper_names, lookup_names
from pycontainer.transports.registry.settings import Credential
from pycontainer.transports.secrets import Redacted
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.events import Emit
    from pycontainer.transports.registry.settings import RegistrySettings

_AZURE_SUFFIXES = (".azurecr.io", ".azurecr.cn", ".azurecr.us")


class Explanation(Value, frozen=True, kw_only=True):
    """How the credentials of a repository were looked for: one line a place; `credential` is what was found."""

    registry: str
    repository: str
    lines: tuple[str, ...]
    credential: Credential | None


class Credentials:
    """Finds credentials once for each repository; safe to share between threads."""

    def __init__(self, settings: RegistrySettings, *, emit: Emit = ignore) -> None:
        self._settings = settings
        self._emit = emit
        self._known: dict[tuple[str, str], Credential | None] = {}
        self._lock = threading.Lock()

    def find(self, registry: str, repository: str, *, for_push: bool) -> Credential | None:
        """The credential for a repository, or none.

        Raises:
            NetworkError: A file of credentials cannot be read.
            ToolError: A credential helper failed; for a pull only unless `anonymous_pull` is set.
        """
        with self._lock:
            key = (registry, repository)
            if key not in self._known:
                try:
                    self._known[key] = self._look(registry, repository, [])
                except ToolError as error:
                    if for_push or not self._settings.anonymous_pull:
                        raise
                    self._emit(Warned(message=f"{error.message}, pulling without credentials", facts=error.facts))
                    return None
            return self._known[key]

    def explain(self, registry: str, repository: str) -> Explanation:
        """Look again and say what was looked at; a place that fails is a line, not an exception."""
        lines: list[str] = []
        try:
            found = self._look(registry, repository, lines)
        except Exception as error:  # noqa: BLE001 - whatever fails is what the user asked to see
            lines.append(str(error))
            found = None
        return Explanation(registry=registry, repository=repository, lines=tuple(lines), credential=found)

    def _look(self, registry: str, repository: str, lines: list[str]) -> Credential | None:
        for place, found in self._places(registry, repository):
            lines.append(f"{place}: {found if found is not None else 'nothing for this registry'}")
            if found is not None:
                return found
        return None

    def _places(self, registry: str, repository: str) -> Iterator[tuple[str, Credential | None]]:
        settings, environment = self._settings, self._settings.environment
        yield "options", settings.credentials.get(registry)
        username, password = environment.get("REGISTRY_USERNAME"), environment.get("REGISTRY_PASSWORD")
        if username and password:
            source = "from `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`"
            mine = registry in settings.own_registries
            found = Credential(username=username, password=Redacted(password), source=source) if mine else None
            yield "`REGISTRY_USERNAME`", found
        for path, shown in self._files():
            config = DockerConfig.read(path, shown=shown)
            if config is None:
                continue
            yield f"`{shown}`", self._in_file(config, registry, repository)
        if registry == "ghcr.io" and (token := environment.get("GITHUB_TOKEN")):
            # GHCR takes any user name with a token; the actor is the honest one where it is known.
            user = environment.get("GITHUB_ACTOR") or "x-access-token"
            yield "`GITHUB_TOKEN`", Credential(username=user, password=Redacted(token), source="from `GITHUB_TOKEN`")
        if registry.lower().endswith(_AZURE_SUFFIXES):
            from pycontainer.transports.registry.azure import azure_credential  # noqa: PLC0415 - only for Azure

            yield "Azure CLI", azure_credential(registry, environment=environment)

    def _in_file(self, config: DockerConfig, registry: str, repository: str) -> Credential | None:
        names = lookup_names(registry, repository)
        helper = config.helper(names)
        # An empty name in `credHelpers` sends this registry to `auths`, past `credsStore`.
        for name in () if helper == "" else (helper, config.creds_store):
            if name:
                from pycontainer.transports.registry.helpers import ask_helper  # noqa: PLC0415 - few have helpers

                found = ask_helper(
                    name,
                    helper_names(registry),
                    named_by=config.shown,
                    environment=self._settings.environment,
                    timeout=self._settings.helper_timeout,
                )
                if found is not None:
                    return found
        return config.entry(names)

    def _files(self) -> Iterator[tuple[Path, str]]:
        environment, home = self._settings.environment, self._settings.home
        if value := environment.get("REGISTRY_AUTH_FILE"):
            yield Path(value), value
        if value := environment.get("DOCKER_CONFIG"):
            yield Path(value, "config.json"), str(Path(value, "config.json"))
        if value := environment.get("XDG_RUNTIME_DIR"):
            path = Path(value, "containers", "auth.json")
            yield path, str(path)
        if value := environment.get("XDG_CONFIG_HOME"):
            path = Path(value, "containers", "auth.json")
            yield path, str(path)
        elif home is not None:
            yield home / ".config" / "containers" / "auth.json", "~/.config/containers/auth.json"
        if home is not None:
            yield home / ".docker" / "config.json", "~/.docker/config.json"
