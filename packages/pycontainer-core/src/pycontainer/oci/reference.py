"""References, `registry/repository:tag@digest` (distribution-spec, *Pulling manifests*).

Reference.parse("python:3.12-slim")      # docker.io/library/python:3.12-slim
Reference.parse("ghcr.io/acme/api@sha256:…").digest
"""

from __future__ import annotations

import re

from pycontainer.errors import DocumentError
from pycontainer.oci.digest import Digest
from pycontainer.value import Value, replace

DOCKER_HUB = "docker.io"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MAX_NAME = 255
_MAX_PORT = 65535
_HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})


class Reference(Value, frozen=True, order=True):
    """An image in a registry. `registry` is a host with its port, `docker.io` where none was written."""

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference; a name without a registry is one of Docker Hub, as everywhere.

        Neither tag nor digest is made up: `Reference.parse("python").tag` is none.

        Raises:
            DocumentError: Not a reference; the facts say which part and what is allowed.
        """
        rest, at, digest_text = text.partition("@")
        try:
            digest = Digest.parse(digest_text) if at else None
        except DocumentError as error:
            raise _malformed(text, f"its digest: {error.message}") from error
        first, slash, remainder = rest.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
            registry, path = first, remainder
        else:
            registry, path = DOCKER_HUB, rest
        repository, colon, tag = path.partition(":")
        host = _HOST.fullmatch(registry)
        if host is None or int(host.group(1) or 0) > _MAX_PORT:
            raise _malformed(text, f"`{registry}` is not a registry's host and port")
        if registry.lower() in _HUB_ALIASES:
            registry = DOCKER_HUB
            if "/" not in repository:
                repository = f"library/{repository}"
        if not _REPOSITORY.fullmatch(repository) or len(registry) + 1 + len(repository) > _MAX_NAME:
            raise _malformed(
                text,
                f"`{repository[:_MAX_NAME]}` is not a repository",
                "expected: lower-case letters and digits, with `.`, `_`, `-` and `/` between them",
            )
        if colon and not _TAG.fullmatch(tag):
            raise _malformed(
                text,
                f"`{tag[:140]}` is not a tag",
                "expected: up to 128 letters, digits, `_`, `.` and `-`, beginning with neither of the last two",
            )
        return cls(registry, repository, tag if colon else None, digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The short form that people write: `python:3.12-slim`."""
        return str(self).removeprefix(f"{DOCKER_HUB}/library/").removeprefix(f"{DOCKER_HUB}/")

    @property
    def identifier(self) -> str:
        """What names the manifest: the digest if there is one, else the tag, else `latest`."""
        return str(self.digest) if self.digest else self.tag or "latest"

    def with_tag(self, tag: str | None) -> Reference:
        """The same repository at a tag, or at none."""
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Reference:
        """The same repository at a digest, the tag kept."""
        return replace(self, digest=digest)


def _malformed(text: str, *why: str) -> DocumentError:
    return DocumentError(f"`{text[:300]}` is not an image reference", facts=why)
