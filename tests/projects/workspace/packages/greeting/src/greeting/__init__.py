"""A sibling that other members use."""

from jinja2 import Template


def greet(name: str) -> str:
    return Template("hello from {{ name }}").render(name=name)
