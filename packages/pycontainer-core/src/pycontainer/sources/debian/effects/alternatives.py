"""The links and the database of `update-alternatives`, as it writes them itself.

    group = read_alternatives("pager", text)
    group = group.with_choice(Alternative(name="pager", link="/usr/bin/pager", path="/usr/bin/less", priority=77))
    group.text, group.links(exists)

The form of the database is not documented but has not changed for twenty years: the mode, the link, name and link of
each slave, an empty line, then for each choice its path, its priority and the paths of its slaves, and an empty line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pycontainer.sources.debian.effects.actions import Alternative

FOLDER: Final = "/etc/alternatives"
DATABASE: Final = "/var/lib/dpkg/alternatives"
_AUTO: Final = "auto"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Something that a link may lead to: its priority, and the path of each slave that it has."""

    priority: int
    slaves: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlternativeGroup:
    """All that one link may lead to.

    Attributes:
        name: Of the group.
        link: The link that people use.
        is_auto: Whether the highest priority wins; otherwise somebody chose.
        slaves: Name → link of all that follows the choice.
        choices: Path → choice.
    """

    name: str
    link: str
    is_auto: bool = True
    slaves: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)

    def with_choice(self, alternative: Alternative) -> AlternativeGroup:
        """The group with one choice more, or another one for the same path."""
        slaves = {name: path for _, name, path in alternative.slaves}
        links = {name: link for link, name, _ in alternative.slaves}
        choice = Choice(priority=alternative.priority, slaves=slaves)
        choices = {**self.choices, alternative.path: choice}
        return replace(self, link=alternative.link, slaves={**self.slaves, **links}, choices=choices)

    @property
    def best(self) -> str:
        """The path of the choice with the highest priority; of several, the one that was there first."""
        return max(self.choices, key=lambda path: self.choices[path].priority)

    @property
    def text(self) -> str:
        """The file of the database."""
        used = sorted({name for choice in self.choices.values() for name in choice.slaves})
        lines = [_AUTO if self.is_auto else "manual", self.link]
        for name in used:
            lines += [name, self.slaves[name]]
        lines.append("")
        for path, choice in sorted(self.choices.items()):
            lines += [path, str(choice.priority), *(choice.slaves.get(name, "") for name in used)]
        return "\n".join([*lines, "", ""])

    def links(self, exists: Callable[[str], bool]) -> dict[str, str]:
        """Path → target of all its links, for the best choice; slaves only where the file that they follow is there.

        A group that somebody set by hand keeps its links.
        """
        if not self.is_auto or not self.choices:
            return {}
        best = self.best
        links = {self.link: f"{FOLDER}/{self.name}", f"{FOLDER}/{self.name}": best}
        for name, path in self.choices[best].slaves.items():
            if exists(path):
                links |= {self.slaves[name]: f"{FOLDER}/{name}", f"{FOLDER}/{name}": path}
        return links


def read_alternatives(name: str, text: str) -> AlternativeGroup:
    """A group as its file in the database has it.

    Raises:
        DocumentError: The file is malformed.
    """
    try:
        lines = iter(text.split("\n"))
        mode, link = next(lines), next(lines)
        slaves = dict(_slaves(lines))
        choices = {}
        while path := next(lines):
            priority = int(next(lines))
            paths = {slave: found for slave in slaves if (found := next(lines))}
            choices[path] = Choice(priority=priority, slaves=paths)
    except (StopIteration, RuntimeError, ValueError) as error:
        raise DocumentError(f"`{DATABASE}/{name}` of the base image cannot be read") from error
    return AlternativeGroup(name=name, link=link, is_auto=mode == _AUTO, slaves=slaves, choices=choices)


def _slaves(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    while name := next(lines):
        yield name, next(lines)
