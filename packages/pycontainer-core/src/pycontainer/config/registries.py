"""How the options say that registries are spoken to.

RegistryClient(registry_settings(config, own=config.references), emit=emit)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.transports.http import HttpSettings
from pycontainer.transports.registry import Credential, RegistrySettings
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycontainer.config.build_config import BuildConfig


def http_settings(config: BuildConfig) -> HttpSettings:
    """How every client speaks HTTP, as far as the options say."""
    ca_file = config.ca_file
    return HttpSettings(
        ca_files=() if ca_file is None else (config.path(ca_file),),
        allowed_hosts=frozenset(config.allow_http),
    )


def registry_settings(config: BuildConfig, *, own: Iterable[str]) -> RegistrySettings:
    """How registries are reached; user name and password of the options are for the hosts in `own` alone."""
    hosts = frozenset(own)
    username, password = config.username, config.password
    credentials = {}
    if username is not None and isinstance(password, Redacted):
        stated = Credential(username=username, password=password)
        credentials = dict.fromkeys(hosts, stated)
    return RegistrySettings(
        http=http_settings(config),
        insecure=frozenset(config.insecure_registries),
        mirrors=config.mirrors_by_registry,
        credentials=credentials,
        anonymous_pull=config.anonymous_pull,
        own_registries=hosts,
        jobs=config.jobs or 4,
    )
