"""A strict registry in this process, and the suite that it and real ones pass.

with FakeRegistry() as registry:
    client.push_blob(Reference.parse(f"{registry.host}/acme/api"), blob)
    registry.requests[-1].method

registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Reset(after=1000)))
"""

from pycontainer.testing.registry.faults import Answer, Corrupt, Drip, Effect, Fault, Faults, LoseAnswer, Reset, Stall
from pycontainer.testing.registry.rules import Rules
from pycontainer.testing.registry.server import FakeRegistry
from pycontainer.testing.registry.store import Recorded

__all__ = [
    "Answer",
    "Corrupt",
    "Drip",
    "Effect",
    "FakeRegistry",
    "Fault",
    "Faults",
    "LoseAnswer",
    "Recorded",
    "Reset",
    "Rules",
    "Stall",
]
