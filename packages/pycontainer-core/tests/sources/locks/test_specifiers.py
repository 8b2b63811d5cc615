"""`requires-python` means what the specification says, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from pycontainer.errors import LockError
from pycontainer.sources.locks.specifiers import satisfies, supports_python

RELEASES = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
OPERATORS = st.sampled_from([">=", "<=", ">", "<", "!=", "==", "~="])
CLAUSES = st.lists(st.tuples(OPERATORS, RELEASES, st.sampled_from(["", ".*", "rc1"])), min_size=1, max_size=3)
VERSIONS = st.tuples(RELEASES, st.sampled_from(["", "rc1", ".post1"])).map("".join)


@given(clauses=CLAUSES, version=VERSIONS)
def test_the_short_way_and_packaging_agree(clauses: list[tuple[str, ...]], version: str) -> None:
    text = ", ".join(map("".join, clauses))
    try:
        expected = SpecifierSet(text).contains(version, prereleases=True)
    except ValueError:
        with pytest.raises(ValueError, match="Invalid specifier"):
            satisfies(text, version)
    else:
        assert satisfies(text, version) is expected


def test_what_is_no_specifier_is_refused_by_the_name_of_whose_it_is() -> None:
    with pytest.raises(LockError, match="of `demo` is malformed"):
        supports_python("3.11 or newer", "3.12.0", "`demo`")
