from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.relations import Relation, parse_relations, print_relations

RELATIONS = st.builds(
    lambda name, versioned, qualifier, restrictions: Relation(
        name=name,
        operator=versioned[0],
        version=versioned[1],
        architecture_qualifier=qualifier,
        restrictions=tuple(restrictions),
    ),
    st.from_regex(r"[a-z0-9][a-z0-9+.-]{1,20}", fullmatch=True),
    st.one_of(
        st.just(("", "")),
        st.tuples(
            st.sampled_from(["<<", "<=", "=", ">=", ">>"]), st.from_regex(r"[0-9][0-9a-z.~+-]{0,9}", fullmatch=True)
        ),
    ),
    st.sampled_from(["", "any", "native", "arm64"]),
    st.sampled_from([(), ("[amd64]",), ("[!i386 !arm64]", "<!nocheck>"), ("<a b>", "<!c>")]),
)


def test_a_field_is_groups_of_alternatives() -> None:
    groups = parse_relations("libc6 (>= 2.36), default-mta | mail-transport-agent,\n python3:any (<<3.12) ,")
    assert groups == (
        (Relation(name="libc6", operator=">=", version="2.36"),),
        (Relation(name="default-mta"), Relation(name="mail-transport-agent")),
        (Relation(name="python3", operator="<<", version="3.12", architecture_qualifier="any"),),
    )
    assert parse_relations("") == parse_relations(" , ,") == ()


def test_the_obsolete_operators_are_the_inclusive_ones() -> None:
    (one,), (other,) = parse_relations("a (< 1), b (> 1)")
    assert (one.operator, other.operator) == ("<=", ">=")


@given(st.lists(st.lists(RELATIONS, min_size=1, max_size=4).map(tuple), max_size=5).map(tuple))
@settings(deadline=None)
def test_what_is_printed_parses_back(groups: tuple[tuple[Relation, ...], ...]) -> None:
    assert parse_relations(print_relations(groups)) == groups


@given(st.text("ab(<>=)|,:[]! 1\t\n\0é", max_size=60))
@settings(deadline=None)
def test_any_text_is_relations_or_one_kind_of_error(text: str) -> None:
    try:
        groups = parse_relations(text)
    except DocumentError:
        return
    assert parse_relations(print_relations(groups)) == groups


@pytest.mark.parametrize(
    "text", ["a | | b", "a b", "a (1)", "a (>= 1 2)", "a (>= é)", "a (>= 1", "-a", "a\0", "a (=> 1)", "|"]
)
def test_what_is_no_relation_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match=r"not a relation|not the version"):
        parse_relations(text)


@pytest.mark.parametrize(
    ("restrictions", "architecture", "expected"),
    [
        ("", "amd64", True),
        ("[amd64 i386]", "amd64", True),
        ("[amd64 i386]", "arm64", False),
        ("[!amd64]", "amd64", False),
        ("[!amd64]", "arm64", True),
        ("[linux-any]", "arm64", True),
        ("[any-arm64]", "arm64", True),
        ("<!nocheck>", "amd64", True),
        ("<stage1>", "amd64", False),
    ],
)
def test_restrictions(restrictions: str, architecture: str, expected: bool) -> None:  # noqa: FBT001
    ((relation,),) = parse_relations(f"a (>= 1) {restrictions}")
    assert relation.concerns(architecture) is expected


def test_huge_fields_take_no_long_time() -> None:
    begin = time.process_time()
    assert len(parse_relations(" | ".join(f"a{n}" for n in range(10_000)))[0]) == 10_000
    with pytest.raises(DocumentError, match="more than 100000"):
        parse_relations("a," * 200_000)
    for text in (f"a{' ' * 100_000}!", f"a ({'<' * 100_000}", f"a {'<x> ' * 20_000}!", "a" * 100_000 + "!"):
        with pytest.raises(DocumentError):
            parse_relations(text)
    assert time.process_time() - begin < 5
