"""Faults that a real server will not make on request."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Answer this instead of doing anything; the request's body is read first unless `early`."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    early: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset:
    """Break the connection after so many bytes of the request's body, or with none of the answer's body."""

    after: int = 0
    answer: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LoseAnswer:
    """Do what was asked and break the connection instead of answering."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stall:
    """Wait before answering, or in the middle of the answer's body, at most until the registry ends."""

    seconds: float
    within: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Drip:
    """Send the answer's body a byte at a time."""

    interval: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrupt:
    """Flip a bit of the answer's body, cut `cut` bytes off its end or add `extra`, and change headers."""

    flip: bool = False
    cut: int = 0
    extra: bytes = b""
    headers: Mapping[str, str | None] = field(default_factory=dict)


Effect: TypeAlias = Answer | Reset | LoseAnswer | Stall | Drip | Corrupt


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """An effect on requests of a method whose path and query match: after `skip` of them, `times` times."""

    effect: Effect
    method: str = ""
    path: str = ""
    skip: int = 0
    times: int | None = 1

    def concerns(self, method: str, target: str) -> bool:
        """Whether it is about such a request."""
        return self.method in {"", method} and re.search(self.path, target) is not None


class Faults:
    """The faults in force; safe to share between threads."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, list[int]]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append((fault, [0]))

    def clear(self) -> None:
        """No faults from now on."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, target: str) -> Effect | None:
        """The effect on this request, counted."""
        with self._lock:
            for fault, seen in self._faults:
                if not fault.concerns(method, target):
                    continue
                seen[0] += 1
                if seen[0] > fault.skip and (fault.times is None or seen[0] <= fault.skip + fault.times):
                    return fault.effect
            return None
