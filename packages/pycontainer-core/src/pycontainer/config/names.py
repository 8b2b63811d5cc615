"""Names of images and registries, as options have them: completed, and checked without a network.

    complete_reference("api:1.4", "ghcr.io/acme")     # ghcr.io/acme/api:1.4

Whatever stands before an `@` may be credentials, so it is never quoted.
"""

from __future__ import annotations

import re
from typing import Final

from pycontainer.config.values import show
from pycontainer.errors import ConfigError, PyContainerError
from pycontainer.oci import Reference

_DOCKER_HUB: Final = "docker.io"
# The name of a suite that a base image is composed of; `docker.io/library/deb` has to be written whole.
_SUITE: Final = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}", re.ASCII)
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:-]{0,127}", re.ASCII)
_HOST_PORT: Final = re.compile(r":[0-9]+$", re.ASCII)


def complete_reference(text: str, registry: str | None) -> Reference:
    """A tag as the name it stands for.

    `registry` goes before a tag that names no registry. Where `registry` ends with the tag's own repository, it is the
    repository: `ghcr.io/acme/api` and `api:1.4` are `ghcr.io/acme/api:1.4`.

    Raises:
        DocumentError: Not a reference.
    """
    reference = Reference.parse(text)
    first, slash, _ = text.partition("/")
    named = reference.registry != _DOCKER_HUB or (slash and "." in first)
    if registry and not named:
        repository = text.partition(":")[0]
        is_repository = f"/{registry}".endswith(f"/{repository}")
        reference = Reference.parse(registry if is_repository else f"{registry}/{repository}").with_tag(reference.tag)
    return reference if reference.tag else reference.with_tag("latest")


def check_tag(text: str) -> str:
    """A name for the image, without a digest.

    Raises:
        ConfigError: It is not.
    """
    try:
        reference = Reference.parse(text)
    except PyContainerError as error:
        raise _reference_error(text, error) from error
    if reference.digest is not None:
        raise ConfigError(
            f"`{show(text)}` names the image by digest",
            facts=["expected: a name and a tag; the digest is what the build gives"],
        )
    return text


def check_cache_registry(text: str) -> str:
    """A repository, without tag and digest: the cache has tags of its own.

    Raises:
        ConfigError: It is not.
    """
    try:
        reference = Reference.parse(text)
    except PyContainerError as error:
        raise _reference_error(text, error) from error
    if reference.tag or reference.digest:
        raise ConfigError(
            f"`{show(text.partition('@')[0])}` has a tag or a digest",
            facts=["expected: a repository, such as `ghcr.io/acme/cache`"],
        )
    return text


def check_base_image(text: str) -> str:
    """A reference, an archive or layout, `deb:SUITE`, or `scratch`.

    Raises:
        ConfigError: It is not.
    """
    kind, colon, path = text.partition(":")
    if kind == "deb" and colon:
        return _check_suite(text, path)
    if text == "scratch" or (colon and path and kind in {"oci", "oci-archive", "docker-archive"} and "/" not in kind):
        return text
    try:
        Reference.parse(text)
    except PyContainerError as error:
        raise _reference_error(text, error) from error
    return text


def _check_suite(text: str, suite: str) -> str:
    if not _SUITE.fullmatch(suite):
        raise ConfigError(f"`{show(text)}` names no suite", facts=["expected: such as `deb:bookworm`"])
    return text


def check_os_package(text: str) -> str:
    """The name of an operating system package (Debian Policy 5.6.7), which a version may follow.

    Raises:
        ConfigError: It is not.
    """
    name, equals, version = text.partition("=")
    if not _PACKAGE.fullmatch(name) or (equals and not _VERSION.fullmatch(version)):
        raise ConfigError(
            f"`{show(text)}` is not a package", facts=["expected: such as `libpq5`, or `libpq5=15.14-0+deb12u1`"]
        )
    return text


def check_os_package_name(text: str) -> str:
    """The name of an operating system package, alone.

    Raises:
        ConfigError: It is not.
    """
    if not _PACKAGE.fullmatch(text):
        raise ConfigError(f"`{show(text)}` is not the name of a package", facts=["expected: such as `libpq5`"])
    return text


def check_archive(text: str) -> str:
    """An archive as apt's `sources.list` names it, without `deb`; it may hold credentials, so it is never quoted.

    Raises:
        ConfigError: It is not.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - rarely needed

    uri = text.partition(" ")[0]
    try:
        parts = urlsplit(uri)
        known = parts.scheme in {"https", "http"} and bool(parts.hostname)
    except ValueError:
        known = False
    if not known or not text.isprintable():
        raise ConfigError(
            "The value is not a package archive",
            facts=["expected: `https://…/debian`, or `https://…/debian SUITE main`"],
        )
    return text


def check_snapshot(text: str) -> str:
    """The URL of a snapshot service.

    Raises:
        ConfigError: It is not, or has no place for the time.
    """
    check_archive(text)
    if "{time}" not in text or " " in text:
        raise ConfigError(
            "The value is not the URL of a snapshot service", facts=["expected: `https://…/archive/debian/{time}`"]
        )
    return text


def _reference_error(text: str, error: PyContainerError) -> ConfigError:
    shown = show(text, 160)
    # Parts of a text that holds credentials may be credentials.
    facts = () if "***@" in shown else tuple(show(fact, 400) for fact in error.facts)
    return ConfigError(f"`{shown}` is not an image reference", facts=facts)


def check_registry(text: str) -> str:
    """A registry, perhaps with the beginning of a repository; returned without its scheme.

    Raises:
        ConfigError: It is not.
    """
    scheme, separator, rest = text.rpartition("://")
    host = rest.rstrip("/")
    if separator and scheme.lower() != "https":
        raise ConfigError(
            f"`{show(text)}` is not a registry",
            facts=[f"found: `{show(scheme)}://`"],
            hint=f"Write `{show(host)}`, and add it to {{insecure_registries}} if it is spoken to over plain http",
        )
    if "@" in host:
        raise ConfigError(
            "The registry's URL holds credentials", hint="Set {username} and {password_stdin} instead of them"
        )
    try:
        named = Reference.parse(f"{host}/name").registry
    except PyContainerError as error:
        raise ConfigError(f"`{show(text)}` is not a registry", facts=["expected: such as `ghcr.io/acme`"]) from error
    if named == _DOCKER_HUB and "." not in host.partition("/")[0]:
        raise ConfigError(
            f"`{show(text)}` names no registry", facts=["expected: a host, such as `ghcr.io` or `localhost:5000`"]
        )
    return host


def check_host(text: str) -> str:
    """A host, perhaps with a port; returned in lower case.

    Raises:
        ConfigError: It is not.
    """
    try:
        Reference.parse(f"{text if _HOST_PORT.search(text) else f'{text}:443'}/name")
    except PyContainerError as error:
        raise ConfigError(f"`{show(text)}` is not a host", facts=["expected: `host` or `host:port`"]) from error
    if "/" in text:
        raise ConfigError(f"`{show(text)}` is not a host", facts=["expected: `host` or `host:port`"])
    return text.lower()


def check_mirror(pair: tuple[str, str]) -> None:
    """A registry and its mirrors, with commas between them.

    Raises:
        ConfigError: It is not.
    """
    registry, hosts = pair
    check_host(registry)
    mirrors = [part.strip() for part in hosts.split(",")]
    for mirror in mirrors:
        check_registry(mirror)
