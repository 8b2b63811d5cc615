"""What a fake registry holds and what it was asked."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One request as it came, and the status of its answer (0 where there was none)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    received: int
    status: int

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(kw_only=True, slots=True)
class Repository:
    """Blobs and manifests by digest, tags."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Upload:
    """A session: what came until now, and the state that its next request must carry."""

    repository: str
    content: bytearray = field(default_factory=bytearray)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    touched: bool = False


class Store:
    """All repositories and sessions of a registry."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self.uploads: dict[str, Upload] = {}
        self.tokens: dict[str, tuple[frozenset[str], list[int]]] = {}
        self.requests: list[Recorded] = []

    def repository(self, name: str) -> Repository:
        """The repository, made where it is new."""
        with self.lock:
            return self.repositories.setdefault(name, Repository())
