"""The bench is shared; its fixtures are named here, where pytest looks for them."""

from bench_debian import debian, signing_key
from bench_fixtures import base, bench, index

__all__ = ["base", "bench", "debian", "index", "signing_key"]
