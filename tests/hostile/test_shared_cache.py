"""Eight builders that share a cache, none of which knows of the others, make the same image every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bench import Bench, Outcome

from pycontainer.testing.wheels import WheelForge

BUILDERS, BUILDS = 8, 3


def test_eight_builders_of_one_cold_cache_make_one_digest(bench: Bench) -> None:
    bench.lock_forge(WheelForge())

    def build(number: int) -> list[Outcome]:
        place = f"oci:{bench.root.parent / f'image-{number}'}"
        return [bench.run("--output", place) for _ in range(BUILDS)]

    with ThreadPoolExecutor(BUILDERS) as pool:
        outcomes = [outcome for own in pool.map(build, range(BUILDERS)) for outcome in own]
    assert [(outcome.code, outcome.err) for outcome in outcomes if outcome.code] == []
    assert len(outcomes) == BUILDERS * BUILDS
    assert len({outcome.out.rpartition("@")[2] for outcome in outcomes}) == 1
    assert len(bench.index.asked(".whl")) <= BUILDERS, "each fetches a wheel at most once"
