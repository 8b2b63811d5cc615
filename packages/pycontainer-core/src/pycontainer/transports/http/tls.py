"""Which certificates are trusted and shown: the system's, `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`, Docker's `certs.d`."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.transports.http.settings import HttpSettings
    from pycontainer.transports.http.urls import Origin


def make_context(settings: HttpSettings, host_directories: Sequence[Path]) -> ssl.SSLContext:
    """A verifying context for one host.

    Raises:
        NetworkError: A file that the user named cannot be read or holds no certificates.
    """
    context = ssl.create_default_context()
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        if value := settings.environment.get(variable):
            _trust(context, Path(value), named_by=f"`{variable}`")
    for path in settings.ca_files:
        _trust(context, path, named_by="the settings")
    for directory in host_directories:
        for path in sorted(directory.glob("*.crt")):
            _trust(context, path, named_by=f"`{directory}`")
        for path in sorted(directory.glob("*.cert")):
            _show(context, path)
    return context


def host_directories(certs_dirs: Sequence[Path], origin: Origin) -> tuple[Path, ...]:
    """The directories of `certs.d` that are about this host, the more specific name last."""
    names = [origin.host, f"{origin.host}:{origin.port}"]
    if os.name == "nt":  # Docker on Windows leaves the colon out
        names = [name.replace(":", "") for name in names]
    return tuple(path for root in certs_dirs for name in names if (path := root / name).is_dir())


def default_certs_dirs() -> tuple[Path, ...]:
    """Where Docker and the containers tools look for the certificates of registries."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    if sys.platform == "win32":
        return (Path(os.environ.get("PROGRAMDATA", "C:\\ProgramData")) / "docker" / "certs.d",)
    return (Path("/etc/docker/certs.d"), Path("/etc/containers/certs.d"), config / "containers" / "certs.d")


def _trust(context: ssl.SSLContext, path: Path, *, named_by: str) -> None:
    try:
        context.load_verify_locations(capath=path) if path.is_dir() else context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        reason = "no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise NetworkError(
            f"The CA certificates in `{path}` cannot be read", facts=[f"reason: {reason}", f"named by: {named_by}"]
        ) from error


def _show(context: ssl.SSLContext, certificate: Path) -> None:
    key = certificate.with_suffix(".key")
    try:
        # A key with a passphrase must fail, never ask on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not a certificate and its key"
        raise NetworkError(
            f"The client certificate `{certificate}` cannot be used",
            facts=[f"key: `{key}`", f"reason: {str(reason).lower().replace('_', ' ')}"],
        ) from error
