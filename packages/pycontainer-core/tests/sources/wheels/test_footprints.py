"""A footprint tells as much as the wheels: whether two layers have different files of one path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pycontainer.sources.wheels import find_collisions, footprint, may_collide
from pycontainer.sources.wheels.install import Claim

CLAIMS = st.builds(Claim, st.sampled_from(["", "sha256"]), st.sampled_from(["one", "two"]), st.just(1))
LAYERS = st.lists(st.dictionaries(st.sampled_from(["a.py", "b.py", "c.py", "d.py"]), CLAIMS), max_size=4)


@given(LAYERS)
def test_layers_collide_where_their_wheels_do(layers: list[dict[str, Claim]]) -> None:
    packages = [(f"package {number}", claims) for number, claims in enumerate(layers)]
    found = any(collision.differs for collision in find_collisions(packages))
    assert may_collide([footprint([package]) for package in packages]) == found


def test_of_two_packages_in_one_layer_the_later_one_counts() -> None:
    one, two = Claim("sha256", "one", 1), Claim("sha256", "two", 1)
    layer = footprint([("first", {"a.py": one}), ("second", {"a.py": two})])
    assert not may_collide([layer, footprint([("third", {"a.py": two})])])
    assert may_collide([layer, footprint([("third", {"a.py": one})])])
