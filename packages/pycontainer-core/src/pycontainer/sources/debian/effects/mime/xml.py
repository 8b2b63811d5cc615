"""Reads and writes the XML of MIME types: elements of one namespace, without entities of their own.

root = read_xml(content)        # Element(name="mime-info", children=(Element(name="mime-type", …), …))
type_xml("text/plain", [Element(name="comment", text="plain text document")])

What stands in other namespaces is passed over: no program looks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from pycontainer.errors import DocumentError

NAMESPACE: Final = "http://www.freedesktop.org/standards/shared-mime-info"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_SEPARATOR: Final = "\n"  # in no name
_MAX_DEPTH: Final = 64
_HEAD: Final = f"""\
<?xml version="1.0" encoding="utf-8"?>
<mime-type xmlns="{NAMESPACE}" type="%s">
  <!--Created automatically by update-mime-database. DO NOT EDIT!-->
"""
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
)


@dataclass(kw_only=True, slots=True)
class Element:
    """An element of the namespace of MIME types.

    Attributes:
        name: Its local name.
        attributes: Those without a namespace, and `xml:lang`, in their order.
        children: The elements in it.
        text: The text in it, that of its children left out.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""


def read_xml(content: bytes) -> Element | None:
    """The document element; none where the document is not well-formed, or of another namespace.

    Raises:
        DocumentError: It declares entities, or is nested too deeply.
    """
    reading = _Reading()
    try:
        reading.parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError):
        return None
    return reading.root


def type_xml(name: str, elements: list[Element]) -> bytes:
    """The file of one type."""
    parts = [_HEAD % name.translate(_ATTRIBUTE)]
    for element in elements:
        parts += ["  ", *_written(element), "\n"]
    return "".join([*parts, "</mime-type>\n"]).encode()


def _written(element: Element) -> list[str]:
    attributes = "".join(f' {name}="{value.translate(_ATTRIBUTE)}"' for name, value in element.attributes.items())
    if not element.text:
        return ["<", element.name, attributes, "/>"]
    return ["<", element.name, attributes, ">", element.text.translate(_TEXT), "</", element.name, ">"]


class _Reading:
    """Of one document."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element | None] = []
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.ordered_attributes = True
        # Defaults of the document type are those that programs assume anyway.
        self.parser.specified_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: list[str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise DocumentError("XML is nested too deeply", facts=[f"element: `{name[-200:]}`"])
        namespace, _, local = name.rpartition(_SEPARATOR)
        above = self._open[-1] if self._open else None
        if namespace != NAMESPACE or (self._open and above is None):
            self._open.append(None)
            return
        element = Element(name=local, attributes=_named(attributes))
        if above is None:
            self.root = element
        else:
            above.children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if self._open and (element := self._open[-1]) is not None:
            element.text += text

    def _entity(self, name: str, *_: object) -> None:
        raise DocumentError("XML declares entities, which pycontainer does not expand", facts=[f"entity: `{name}`"])


def _named(attributes: list[str]) -> dict[str, str]:
    named = {}
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        namespace, _, local = name.rpartition(_SEPARATOR)
        if namespace == _XML:
            named[f"xml:{local}"] = value
        elif not namespace:
            named[name] = value
    return named
