import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.licenses import canonicalize_license_expression

from pycontainer.policy.licenses import permits

MIT_BSD = ("MIT", "BSD-3-Clause")


@pytest.mark.parametrize(
    ("expression", "allowed", "denied", "permitted"),
    [
        ("MIT", MIT_BSD, (), True),
        ("mit", MIT_BSD, (), True),
        ("Apache-2.0", MIT_BSD, (), False),
        ("MIT OR GPL-3.0-only", MIT_BSD, (), True),
        ("MIT AND GPL-3.0-only", MIT_BSD, (), False),
        # AND binds before OR.
        ("MIT OR GPL-3.0-only AND GPL-2.0-only", MIT_BSD, (), True),
        ("(MIT OR GPL-3.0-only) AND GPL-2.0-only", MIT_BSD, (), False),
        ("(MIT OR GPL-3.0-only) AND (GPL-2.0-only OR BSD-3-Clause)", MIT_BSD, (), True),
        ("MIT", (), ("GPL-*",), True),
        ("GPL-3.0-only", (), ("GPL-*",), False),
        ("MIT OR GPL-3.0-only", (), ("GPL-*",), True),
        ("MIT AND GPL-3.0-only", (), ("GPL-*",), False),
        # What is denied is denied though it is allowed.
        ("LGPL-3.0-only", ("LGPL-*",), ("LGPL-3.0-*",), False),
        # An exception grants more.
        ("GPL-3.0-or-later WITH GCC-exception-3.1", (), ("GPL-*",), True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", (), ("GPL-* WITH *",), False),
        ("GPL-3.0-only WITH GCC-exception-3.1", ("GPL-3.0-only",), (), True),
        ("GPL-3.0-only", ("GPL-3.0-only WITH GCC-exception-3.1",), (), False),
        ("GPL-3.0-only WITH GCC-exception-3.1", ("GPL-3.0-only WITH GCC-exception-3.1",), (), True),
        ("GPL-2.0-or-later", ("GPL-2.0-only",), (), True),
        ("GPL-2.0-only", ("GPL-2.0-or-later",), (), False),
        ("Apache-2.0+", ("Apache-2.0",), (), True),
        ("LicenseRef-ours", ("LicenseRef-*",), (), True),
    ],
)
def test_an_expression_is_judged_by_what_can_be_chosen(
    expression: str, allowed: tuple[str, ...], denied: tuple[str, ...], *, permitted: bool
) -> None:
    assert permits(expression, allowed=allowed, denied=denied) is permitted


@pytest.mark.parametrize("text", ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT MIT", "MIT WITH", "(" * 100 + "MIT"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expression|bracket"):
        permits(text, allowed=["MIT"], denied=[])


NAMES = ("MIT", "ISC", "Zlib", "Apache-2.0")
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=8,
)


@given(EXPRESSIONS, st.sets(st.sampled_from(NAMES), min_size=1))
def test_it_agrees_with_logic(expression: str, allowed: set[str]) -> None:
    """Python's own `and` and `or` bind in the same order."""
    canonical = canonicalize_license_expression(expression)
    words = canonical.replace("(", "( ").replace(")", " )").split()
    meant = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    logic = " ".join(meant.get(word) or str(word in allowed) for word in words)
    assert permits(canonical, allowed=sorted(allowed), denied=[]) is eval(logic)  # noqa: S307 - words of ours
    assert permits(canonical, allowed=[], denied=sorted(set(NAMES) - allowed)) is eval(logic)  # noqa: S307 - as above
