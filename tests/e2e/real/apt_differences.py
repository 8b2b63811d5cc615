"""Every difference between an image with operating system packages and what apt would have made, with its reason.

    unexplained, used = explain(differences, theirs=apt_root, ours=image_root, place="status")

This is the one list: what is not in it is a failure, and so is a line of it that no difference needs any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from real.trees import Difference

MISSING: Final = ("missing",)
ADDED: Final = ("added",)
CONTENT: Final = ("detail",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why paths may differ.

    Attributes:
        pattern: Of the whole path, without the leading slash.
        what: What may differ; `missing` and `added` are said of the image.
        alike: Whether two contents, apt's and ours, differ in no more than the reason says; none where content is
            compared by a test of its own, or is not known beforehand.
        place: `status` for a base with dpkg, `status.d` for a composed one; none for both.
    """

    pattern: str
    what: tuple[str, ...]
    reason: str
    alike: Callable[[bytes, bytes], bool] | None = None
    place: str | None = None

    def fits(self, difference: Difference, place: str, theirs: Path, ours: Path) -> bool:
        """Whether this explains all that differs at a path."""
        if self.place not in {None, place} or not set(difference.what) <= set(self.what):
            return False
        if not re.fullmatch(self.pattern, difference.path):
            return False
        return self.alike is None or self.alike(
            (theirs / difference.path).read_bytes(), (ours / difference.path).read_bytes()
        )


def explain(
    differences: Iterable[Difference], *, theirs: Path, ours: Path, place: str
) -> tuple[list[Difference], set[Explanation]]:
    """What nothing explains, and the explanations that were needed."""
    unexplained, used = [], set()
    for difference in differences:
        reason = next((each for each in EXPLANATIONS if each.fits(difference, place, theirs, ours)), None)
        if reason:
            used.add(reason)
        else:
            unexplained.append(difference)
    return unexplained, used


def _only_apt(pattern: str, reason: str) -> Explanation:
    return Explanation(pattern=pattern, what=MISSING, reason=reason)


def _only_ours(pattern: str, reason: str) -> Explanation:
    return Explanation(pattern=pattern, what=ADDED, reason=reason)


def _content(pattern: str, reason: str, alike: Callable[[bytes, bytes], bool] | None = None) -> Explanation:
    return Explanation(pattern=pattern, what=CONTENT, reason=reason, alike=alike)


def _composed(pattern: str, what: tuple[str, ...], reason: str) -> Explanation:
    return Explanation(pattern=pattern, what=what, reason=reason, place="status.d")


def _same_lines(theirs: bytes, ours: bytes) -> bool:
    return sorted(theirs.splitlines()) == sorted(ours.splitlines())


def _same_but_blanks(theirs: bytes, ours: bytes) -> bool:
    return _stripped(theirs) == _stripped(ours)


def _stripped(content: bytes) -> list[bytes]:
    lines = (line.rstrip() for line in content.splitlines())
    return [line.replace(b"Status: install ok unpacked", b"Status: install ok installed") for line in lines]


def _without_a_directory(theirs: bytes, ours: bytes) -> bool:
    return set(ours.splitlines()) - set(theirs.splitlines()) == {b"/usr/share/doc/perl"}


EXPLANATIONS: Final = (
    # apt, dpkg and what they call
    _only_apt(r"var/lib/apt/lists/.*", "indexes that apt has fetched"),
    _only_apt(r"var/cache/apt/(src)?pkgcache\.bin", "apt's cache of them"),
    _only_ours(r"var/cache/apt/archives(/.*)?", "the test has removed it from apt's side, with the packages in it"),
    _content(r"var/lib/apt/extended_states", "apt notes here which packages nobody asked for by name"),
    _content(r"var/lib/dpkg/status", "blanks that end a line, and packages that were let through", _same_but_blanks),
    _content(r"var/lib/dpkg/status-old", "dpkg's copy of the state before its last step"),
    _content(r"var/lib/dpkg/triggers/File", "the order in which packages were unpacked", _same_lines),
    _content(
        r"var/lib/dpkg/info/perl-base\.list",
        "a directory of documentation, not installed on either side, that dpkg gives to the package `perl` alone",
        _without_a_directory,
    ),
    _only_apt(
        r"var/log/(apt/(eipp\.log\.xz|(history|term)\.log)|(dpkg|alternatives|fontconfig)\.log)", "what ran, when"
    ),
    _content(r"var/cache/debconf/(config|templates)\.dat(-old)?", "questions that scripts have, and nobody answered"),
    _only_apt(r"var/cache/debconf/tmp\.ci", "where apt had packages ask their questions before it unpacked them"),
    # Lists and caches that programs make of what is installed, and do without
    _content(r"etc/ld\.so\.cache", "names who wrote it; what it lists, `ldconfig -p` compares"),
    _only_apt(r"var/cache/ldconfig/aux-cache", "makes the next run of ldconfig faster"),
    _only_apt(r"var/cache/fontconfig/.*", "makes the first search for a font faster: it depends on the times of files"),
    _only_apt(
        r"usr/lib/python3/dist-packages/.*__pycache__(/.*)?", "makes the first import of Debian's own modules faster"
    ),
    # Documentation, which is left out
    _only_apt(
        r"usr/share/doc/[^/]+/.+",
        "empty directories, and links to what is left out: dpkg keeps them since a licence might follow",
    ),
    _only_apt(
        r"usr/share/man/man\d(/.+)?|(etc/alternatives|var/lib/dpkg/alternatives)/[^/]+\.\d[a-z]*\.gz",
        "alternatives among manual pages",
    ),
    # Services, which nothing starts in a container
    _only_apt(r"etc/rc[0-6S]\.d/[KS]\d\d[^/]+", "what init starts"),
    _only_apt(
        r"(etc/systemd/(system|user)|var/lib/systemd/deb-systemd-(user-)?helper-enabled)(/.*)?", "what systemd starts"
    ),
    # Accounts
    _content(r"etc/(passwd|group|shadow|gshadow)-", "what was there before the last change"),
    _only_apt(r"etc/(passwd|group|shadow|gshadow)-", "what was there before the first change"),
    _only_apt(r"run/adduser", "holds off a second adduser"),
    # Steps of scripts that were read, and that an image does without (`effects/reviews.py`)
    Explanation(
        pattern=r"usr/bin/ssh-agent",
        what=("mode", "owner"),
        reason="not set-group-ID, which keeps other processes of its user from tracing it",
    ),
    _only_apt(r"usr/share/fonts/X11/.*/(encodings\.dir|fonts\.(alias|dir|scale))", "lists of fonts for an X server"),
    _only_apt(r"var/lib/ghostscript/fonts/(Fontmap|cidfmap)", "fonts beyond those that Ghostscript brings along"),
    _only_apt(r"var/lib/ucf/(cache(/.*)?|hashfile\.\d)", "what ucf asks when a file of configuration changes"),
    _content(
        r"var/lib/ucf/hashfile", "the same", lambda theirs, ours: set(ours.splitlines()) <= set(theirs.splitlines())
    ),
    # Packages that stand in `UNCONFIGURED`
    _only_apt(r"usr/lib/[^/]+/graphviz/config6a?", "`libgvc6` was let through: the list of formats"),
    # On a composed base: compared with what apt has of the same packages, and of none
    _composed(r"var/lib/dpkg/status\.d(/.+)?", ADDED, "the database of packages where there is no dpkg"),
    _composed(r"var/lib/dpkg(/.+)?|etc/dpkg/.+", MISSING, "dpkg's own database and settings"),
    _composed(r"usr/share/doc/.+", ADDED, "licences, which the base of the other side leaves out"),
    _composed(r"usr/share/(info|lintian)/.+", MISSING, "documentation, which the base of the other side has"),
    _composed(r"etc/(passwd|group)", CONTENT, "the accounts that files of packages have, and the user of the image"),
    _composed(
        r"usr/lib/python3\.\d+/.*__pycache__(/.*)?|usr/share/python3/(debpython/)?__pycache__(/.*)?",
        MISSING,
        "bytecode of the standard library, which only a script of `python3-minimal` makes",
    ),
    _composed(r"home/nonroot", ADDED, "that user's home"),
    _composed(
        r"etc/(apt/sources\.list|fstab|hostname|resolv\.conf)", MISSING, "of whoever made the base of the other side"
    ),
    _composed(
        r"etc/(\.pwd\.lock|environment|gshadow|pam\.d/.+|security/opasswd|shadow|shells|sub[gu]id)"
        r"|var/lib/(pam/.+|shells\.state)|var/log/(btmp|faillog|lastlog|wtmp)",
        MISSING,
        "what packages for logging in make, which are not here",
    ),
    _composed(
        r"(etc/alternatives|usr/s?bin)/(awk|nawk|pager|rmt|which)", MISSING, "choices among programs that are not here"
    ),
    _composed(r"var/cache/debconf/.+|var/lib/apt/extended_states", MISSING, "of debconf and apt, which are not here"),
    # The project
    _only_ours(r"app(/.*)?", "the project and its environment"),
)
