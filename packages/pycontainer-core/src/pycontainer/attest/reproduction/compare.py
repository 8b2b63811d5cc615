"""Two images that should be the same.

for part in compare_images(published, rebuilt):
    part.subject, part.differences
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from pycontainer.attest.reproduction.files import Difference, compare_layers
from pycontainer.oci import ImageConfig, Manifest
from pycontainer.sources.base.variant import read_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.attest.verification.contents import Part
    from pycontainer.sources.base.variant import Contents

_SHOWN: Final = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Unequal:
    """A part of the image that is not the same: the manifest or config of a platform, or one of its layers."""

    subject: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two images: where it is, and its manifests."""

    source: Contents
    parts: Sequence[Part]


def compare_images(published: Side, rebuilt: Side) -> Iterator[Unequal]:
    """Everything that is not the same, from the files up: what stands above differs because of them.

    Raises:
        PyContainerError: One of the images cannot be read.
    """
    others = {part.name: part for part in rebuilt.parts}
    for part in published.parts:
        other = others.pop(part.name, None)
        if other is None:
            yield Unequal(subject=part.name, differences=(Difference(text="It is in the published image alone"),))
        elif other.descriptor.digest != part.descriptor.digest:
            if isinstance(part.document, Manifest) and isinstance(other.document, Manifest):
                yield from _compare_platform(part.name, published, part.document, rebuilt, other.document)
            else:
                yield Unequal(subject=part.name, differences=tuple(_index_differences(part, other)))
    for name in others:
        yield Unequal(subject=name, differences=(Difference(text="It is in the rebuilt image alone"),))


def _compare_platform(name: str, one: Side, published: Manifest, two: Side, rebuilt: Manifest) -> Iterator[Unequal]:
    old = read_config(one.source, published, name=name)
    new = read_config(two.source, rebuilt, name=name)
    titles = _titles(old, len(published.layers))
    for number, (left, right) in enumerate(zip_longest(published.layers, rebuilt.layers)):
        title = titles.get(number, "")
        subject = f"{name}, layer {number + 1}" + (f" ({title})" if title else "")
        if left is None or right is None:
            where = "rebuilt" if left is None else "published"
            yield Unequal(subject=subject, differences=(Difference(text=f"It is in the {where} image alone"),))
        elif left.digest != right.digest:
            found = tuple(compare_layers(one.source.blob(left), two.source.blob(right)))
            yield Unequal(subject=subject, differences=found)
    fields = list(_fields(_plain(old), _plain(new)))
    if fields:
        yield Unequal(subject=f"{name}, config", differences=tuple(fields))
    annotations = list(_fields(dict(published.annotations), dict(rebuilt.annotations)))
    if annotations:
        yield Unequal(subject=f"{name}, annotations", differences=tuple(annotations))


def _titles(config: ImageConfig, layers: int) -> dict[int, str]:
    """What the history calls the layers; the last ones, where the base's have none there."""
    lines = [entry.comment or entry.created_by or "" for entry in config.history if not entry.empty_layer]
    return dict(enumerate(lines, layers - len(lines)))


def _index_differences(published: Part, rebuilt: Part) -> Iterator[Difference]:
    """What an index says besides the manifests that differ themselves."""
    yield from _fields(dict(published.document.annotations), dict(rebuilt.document.annotations))


def _plain(config: ImageConfig) -> dict[str, Any]:
    """A config as names and values, without the diff_ids, which are told of with the layers."""
    fields = {name: getattr(config.config, name) for name in config.config.__struct_fields__}
    own = {name: getattr(config, name) for name in config.__struct_fields__ if name not in {"config", "rootfs"}}
    return {**own, **fields}


def _fields(published: dict[str, Any], rebuilt: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted(published.keys() | rebuilt.keys()):
        left, right = published.get(name), rebuilt.get(name)
        if left != right:
            facts = (f"published: {str(left)[:_SHOWN]}", f"rebuilt: {str(right)[:_SHOWN]}")
            yield Difference(text=f"`{name}` differs", facts=facts)
