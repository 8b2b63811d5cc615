"""What was looked at, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pycontainer.errors import PyContainerError
    from pycontainer.oci import Digest


class Verdict(Enum):
    """Whether something holds; what is `open` nobody has vouched for, which is no contradiction."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What: `layer 3 of linux/arm64`, `signature`, `provenance`.
        verdict: What became of it.
        text: In one sentence without a full stop.
        digest: Of the manifest or blob it is about.
        facts: What was expected and found, where it fails.
    """

    subject: str
    verdict: Verdict
    text: str
    digest: Digest | None = None
    facts: tuple[str, ...] = ()

    @classmethod
    def failure(cls, subject: str, error: PyContainerError, digest: Digest | None = None) -> Finding:
        """What an error says of a subject."""
        return cls(subject=subject, verdict=Verdict.FAILS, text=error.message, digest=digest, facts=error.facts)

    def to_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "subject": self.subject,
            "verdict": self.verdict.value,
            "text": self.text,
            "digest": None if self.digest is None else str(self.digest),
            "facts": list(self.facts),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that was looked at.

    Attributes:
        name: What the image was asked for as.
        digest: Of its manifest or index.
        contents: Of manifests, configs and layers.
        evidence: Of what is attached, or should be.
    """

    name: str
    digest: Digest
    contents: tuple[Finding, ...]
    evidence: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of it, in the order in which it was looked at."""
        return (*self.contents, *self.evidence)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What does not hold."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.FAILS)

    @property
    def holds(self) -> bool:
        """Whether nothing fails."""
        return not self.failures

    def to_json(self) -> dict[str, Any]:
        """The report for programs: stable names."""
        return {
            "image": self.name,
            "digest": str(self.digest),
            "holds": self.holds,
            "findings": [finding.to_json() for finding in self.findings],
        }
