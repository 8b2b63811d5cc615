"""Registries: the distribution API as a client, and the credentials for it."""

from pycontainer.transports.registry.blobs import RegistryBlob
from pycontainer.transports.registry.client import Pushed, RegistryClient
from pycontainer.transports.registry.credentials import Explanation
from pycontainer.transports.registry.manifests import FetchedManifest
from pycontainer.transports.registry.settings import Credential, RegistrySettings

__all__ = [
    "Credential",
    "Explanation",
    "FetchedManifest",
    "Pushed",
    "RegistryBlob",
    "RegistryClient",
    "RegistrySettings",
]
