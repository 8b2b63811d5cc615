from __future__ import annotations

import itertools
import random
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.version import satisfies, version_key

# Each row is one version to dpkg; the rows ascend.
ASCENDING = [
    ["0~~"],
    ["0~"],
    ["0", "0:0", "0-0", "00", "0-"],
    ["1.0~~"],
    ["1.0~", "1.0~0", "1.0~-0"],
    ["1.0~beta1"],
    ["1.0~beta2"],
    ["1.0~beta10"],
    ["1.0~rc1-1"],
    ["1.0", "1.00", "1.0-0", "01.0", "0:1.0"],
    ["1.0-0.1"],
    ["1.0-1~bpo12+1"],
    ["1.0-1"],
    ["1.0-1+b1"],
    ["1.0-1+deb12u1"],
    ["1.0-1.1"],
    ["1.0-2"],
    ["1.0-10"],
    ["1.0a"],
    ["1.0+dfsg-1"],
    ["1.0.1"],
    ["1.2"],
    ["1.10"],
    ["20240101"],
    ["123456789012345678901234567890"],
    ["1:0.1"],
    ["1:1-2-3"],
    ["2:0"],
    ["10:0"],
]
PIECES = st.lists(st.sampled_from(["0", "1", "9", "10", "007", "~", "+", ".", "a", "Z", "b"]), max_size=6).map("".join)
VERSIONS = st.builds(
    lambda epoch, upstream, revision: epoch + "1" + upstream + revision,
    st.sampled_from(["", "0:", "1:", "12:"]),
    PIECES,
    st.one_of(st.just(""), PIECES.map(lambda piece: f"-{piece or '0'}")),
)


def test_versions_stand_in_dpkgs_order() -> None:
    for lower, higher in itertools.combinations(ASCENDING, 2):
        for one, other in itertools.product(lower, higher):
            assert version_key(one) < version_key(other), (one, other)
    for row in ASCENDING:
        assert len({version_key(version) for version in row}) == 1, row


@given(VERSIONS, VERSIONS, VERSIONS)
@settings(deadline=None)
def test_the_order_is_total(one: str, two: str, three: str) -> None:
    assert sum(satisfies(one, operator, two) for operator in ("<<", "=", ">>")) == 1
    assert satisfies(one, "<=", two) == satisfies(two, ">=", one)
    if satisfies(one, "<=", two) and satisfies(two, "<=", three):
        assert satisfies(one, "<=", three)


@given(VERSIONS)
@settings(deadline=None)
def test_a_tilde_comes_before_and_a_plus_behind(version: str) -> None:
    assert satisfies(f"{version}~", "<<", version)
    assert satisfies(f"{version}+", ">>", version)
    assert satisfies(version, "", "7")


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg on this host")
def test_dpkg_has_the_same_order() -> None:
    versions = [row[-1] for row in ASCENDING if not row[-1].endswith("-")]
    pairs = random.Random(5).sample(list(itertools.product(versions, versions)), 200)  # noqa: S311 - no secret
    # One shell for all: a program of its own for each pair takes ten times as long.
    script = "".join(
        f"dpkg --compare-versions '{one}' '{_relation(one, other)}' '{other}' || echo '{one} {other}'\n"
        for one, other in pairs
    )
    answer = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True)
    assert answer.stdout == ""


def _relation(one: str, other: str) -> str:
    return next(
        operator
        for operator in ("lt", "eq", "gt")
        if satisfies(one, {"lt": "<<", "eq": "=", "gt": ">>"}[operator], other)
    )


@pytest.mark.parametrize(
    ("version", "operator", "wanted", "expected"),
    [
        ("1.0", "<", "1.0", True),  # the obsolete forms allow equality
        ("1.0", ">", "1.0", True),
        ("1.0", "<<", "1.0", False),
        ("2:1.4-1", ">=", "1.5", True),
        ("1.0-1", "=", "1.0-1", True),
        ("1.0-1", "=", "1.0", False),
    ],
)
def test_operators(version: str, operator: str, wanted: str, expected: bool) -> None:  # noqa: FBT001
    assert satisfies(version, operator, wanted) is expected


@pytest.mark.parametrize("version", ["", "a:1", ":1", "1 2", "1_0", "1\0", "é", "1\n", "1" * 1001])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(DocumentError, match="is not the version"):
        version_key(version)
