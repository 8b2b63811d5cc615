"""The bench is shared; its fixtures are named here, where pytest looks for them."""

from bench_debian import debian, signing_key
from bench_fixtures import base, bench, index
from machines import elsewhere, machine, registry, shared_project

__all__ = [
    "base",
    "bench",
    "debian",
    "elsewhere",
    "index",
    "machine",
    "registry",
    "shared_project",
    "signing_key",
]
