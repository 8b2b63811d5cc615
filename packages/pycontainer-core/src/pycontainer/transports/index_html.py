"""The HTML form of a page of an index (PEP 503), as far as installers read it: anchors, base, version.

parse_html('<a href="numpy-2.1.0.tar.gz#sha256=…" data-requires-python="&gt;=3.10">…').anchors[0].href
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """One link; the address is as written, relative or not."""

    href: str
    requires_python: str | None = None
    yanked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a page says: its links, the address they are relative to, the version of the API (PEP 629)."""

    anchors: tuple[Anchor, ...]
    base: str | None
    version: str


def parse_html(text: str) -> Page:
    """Read a page; what is not understood is left out, as in every browser."""
    parser = _PageParser()
    parser.feed(text)
    parser.close()
    return Page(anchors=tuple(parser.anchors), base=parser.base, version=parser.version)


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[Anchor] = []
        self.base: str | None = None
        self.version = "1.0"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and (href := found.get("href")):
            requires = found.get("data-requires-python")
            self.anchors.append(Anchor(href=href.strip(), requires_python=requires, yanked="data-yanked" in found))
        elif tag == "base" and self.base is None:
            self.base = found.get("href")
        elif tag == "meta" and found.get("name") == "pypi:repository-version":
            self.version = found.get("content") or self.version
