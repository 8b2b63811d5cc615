from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.control import Paragraph, read_paragraphs

STATUS = b"""\
Package: libpq5
Status: install ok installed
Description: PostgreSQL C client library
 libpq is a C library.
 .
 It has a second paragraph.
Conffiles:
 /etc/one 0123
 /etc/two 4567

# a comment

Package: empty
Homepage:
"""
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=40)
VALUES = st.one_of(
    st.just(""),
    LINES,
    st.builds(lambda first, more: first + "".join(f"\n {line}" for line in more), LINES, st.lists(LINES, max_size=4)),
    st.lists(LINES, min_size=1, max_size=4).map(lambda more: "".join(f"\n {line}" for line in more)),
)


def read(text: bytes, **limits: int) -> list[Paragraph]:
    return list(read_paragraphs(io.BytesIO(text), **limits))


def test_fields_keep_their_order_spelling_and_further_lines() -> None:
    first, second = read(STATUS)
    assert list(first) == ["Package", "Status", "Description", "Conffiles"]
    assert (
        first["description"] == "PostgreSQL C client library\n libpq is a C library.\n .\n It has a second paragraph."
    )
    assert first["CONFFILES"] == "\n /etc/one 0123\n /etc/two 4567"
    assert dict(second) == {"Package": "empty", "Homepage": ""}
    assert second.get("Version") is None


def test_a_paragraph_prints_as_it_was_read() -> None:
    first, second = read(STATUS)
    assert f"{first}\n# a comment\n\n{second}".encode() == STATUS


@given(st.lists(st.dictionaries(NAMES.map(str.title), VALUES, min_size=1, max_size=5), max_size=4))
@settings(deadline=None)
def test_what_is_printed_reads_back(paragraphs: list[dict[str, str]]) -> None:
    printed = [Paragraph(fields.items()) for fields in paragraphs]
    assert read("\n".join(map(str, printed)).encode()) == printed


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_give_paragraphs_or_one_kind_of_error(text: bytes) -> None:
    try:
        paragraphs = read(text)
    except DocumentError:
        return
    assert all(len(paragraph) for paragraph in paragraphs)


def test_other_ends_of_lines_and_blank_lines_of_blanks_are_read() -> None:
    assert [dict(paragraph) for paragraph in read(b"A: 1\r\nB: 2\r\n \t\r\n\r\nA: 3")] == [
        {"A": "1", "B": "2"},
        {"A": "3"},
    ]


def test_comments_do_not_end_a_field() -> None:
    assert dict(read(b"URIs: one\n# not this\n two\n")[0]) == {"URIs": "one\n two"}


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert read(b"Maintainer: J\xf6rg\n")[0]["Maintainer"] == "J\N{REPLACEMENT CHARACTER}rg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"no field\n", "no field"),
        (b"Two Words: x\n", "no field"),
        (b"-X: 1\n", "no field"),
        (b"A\0: 1\n", "no field"),
        (b" continued\n", "before there is one"),
        (b"A: 1\na: 2\n", "`a` twice"),
        (b"".join(b"F%d: 1\n" % n for n in range(600)), "more than 512 fields"),
    ],
)
def test_what_is_no_paragraph_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read(text)


@pytest.mark.parametrize("text", [b"A: " + b"x" * 2000, b"A:\n" + b" x\n" * 700, b"x" * 5000])
def test_a_field_has_a_largest_size(text: bytes) -> None:
    with pytest.raises(DocumentError):
        read(text, max_field=1000)
    assert read(b"A: " + b"x" * 900 + b"\nB: " + b"x" * 900, max_field=1000)


def test_one_paragraph_is_one() -> None:
    assert Paragraph.parse(b"A: 1\n\n") == {"A": "1"}
    for text in (b"", b"A: 1\n\nA: 2\n"):
        with pytest.raises(DocumentError, match="where one belongs"):
            Paragraph.parse(text)
