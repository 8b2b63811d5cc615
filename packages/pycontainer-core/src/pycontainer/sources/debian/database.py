"""dpkg's database as it is once packages were added: what scanners, `dpkg -l` and the next apt-get believe.

    change = database_files(state, summaries, unconfigured={"libgvc6"})
    for path, file in change.files.items():
        writer.file(path, file.content, mode=file.mode)

Where the base has `/var/lib/dpkg/status`, that file is extended and each package gets its files in
`/var/lib/dpkg/info`, scripts included, so that dpkg can go on from here. Where it has no dpkg, each package gets a file
in `status.d`, as in distroless images.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.control import Paragraph, read_paragraphs
from pycontainer.sources.debian.filters import is_left_out
from pycontainer.sources.debian.placement import Placement
from pycontainer.sources.debian.triggers import interested

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary

_DPKG: Final = "var/lib/dpkg"
_INFO: Final = f"{_DPKG}/info"
_STATUS_D: Final = f"{_DPKG}/status.d"
_SCRIPT: Final = 0o755
_FILE: Final = 0o644
# The order in which dpkg writes the fields that it knows; the others follow in their own.
_FIELDS: Final = (
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Origin",
    "Maintainer",
    "Bugs",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Config-Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Enhances",
    "Conffiles",
    "Description",
)
_PACKAGE: Final = re.compile(r"^(Package|Architecture):[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseFile:
    """A file of the database."""

    content: bytes
    mode: int = _FILE


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseChange:
    """What becomes of the database: files to write, by canonical path, and files of the base that are gone."""

    files: Mapping[str, DatabaseFile] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


def database_files(
    state: DebianState, summaries: Sequence[DebSummary], *, unconfigured: Collection[str] = ()
) -> DatabaseChange:
    """The database with packages added, or brought anew where the base has another version.

    Args:
        state: Of the base.
        summaries: Of all packages of the request.
        unconfigured: Names of packages whose scripts still have to be run: dpkg is told that they are only unpacked.

    Raises:
        PackageError: Two packages have the same file.
        DocumentError: The base's database is malformed.
    """
    if state.database == "status.d":
        return _status_d(state, summaries)
    files = {f"{_DPKG}/status": DatabaseFile(content=_status(state, summaries, unconfigured).encode())}
    if "format" not in state.info:
        files[f"{_INFO}/format"] = DatabaseFile(content=b"1\n")
    for summary in summaries:
        stem = f"{_INFO}/{info_name(summary.package)}"
        files[f"{stem}.list"] = DatabaseFile(content=_list(summary).encode())
        if summary.sums and not summary.md5sums:
            files[f"{stem}.md5sums"] = DatabaseFile(content=_sums(summary).encode())
        for name, text in summary.members.items():
            files[f"{stem}.{name}"] = DatabaseFile(content=text.encode())
        for name, text in summary.scripts.items():
            files[f"{stem}.{name}"] = DatabaseFile(content=text.encode(), mode=_SCRIPT)
    files |= {
        f"{_INFO}/{name}.list": DatabaseFile(content=text.encode())
        for name, text in _shortened_lists(state, summaries).items()
    }
    files |= {
        f"{_DPKG}/triggers/{name}": DatabaseFile(content=text.encode())
        for name, text in interested(state, summaries).items()
    }
    old = {f"{_INFO}/{name}" for name in state.info if _belongs(name, summaries)}
    canonical = state.tree.canonical
    return DatabaseChange(
        files={canonical(path): file for path, file in sorted(files.items())},
        removed=tuple(canonical(path) for path in sorted(old - files.keys())),
    )


def info_name(package: BinaryPackage) -> str:
    """What dpkg calls a package's files in `info`, without their extension."""
    return f"{package.name}:{package.architecture}" if package.multi_arch == "same" else package.name


def _status(state: DebianState, summaries: Sequence[DebSummary], unconfigured: Collection[str]) -> str:
    """The base's text with the stanzas of the packages where dpkg would write them; others stay as they are."""
    stanzas = {_key(text): text for text in re.split(r"\n[ \t]*\n", state.status) if text.strip()}
    was_sorted = list(stanzas) == sorted(stanzas)
    for summary in summaries:
        package = summary.package
        old = _replaced(stanzas, package)
        stanzas[package.name, package.architecture] = str(
            _stanza(summary, old, "unpacked" if package.name in unconfigured else "installed")
        )
    keys = sorted(stanzas) if was_sorted else list(stanzas)
    return "".join(stanzas[key].strip("\n") + "\n\n" for key in keys)


def _replaced(stanzas: dict[tuple[str, str], str], package: BinaryPackage) -> str:
    """Take out the stanza of the version before, which may have been of `all` architectures; empty where none was."""
    keys = [key for key in stanzas if key[0] == package.name]
    if package.multi_arch == "same":
        keys = [key for key in keys if key[1] in {package.architecture, "all"}]
    return next(iter([stanzas.pop(key) for key in keys]), "")


def _key(text: str) -> tuple[str, str]:
    found = {name.lower(): value for name, value in reversed(_PACKAGE.findall(text))}
    return found.get("package", ""), found.get("architecture", "")


def _stanza(summary: DebSummary, old: str, word: str) -> Paragraph:
    fields = {**Paragraph.parse(summary.control.encode()), "Status": f"install ok {word}"}
    conffiles = [*_conffiles(summary), *_obsolete_conffiles(summary, old)]
    if conffiles:
        fields["Conffiles"] = "".join(f"\n {line}" for line in conffiles)
    known = {name.lower(): name for name in fields}
    first = [known[name.lower()] for name in _FIELDS if name.lower() in known]
    order = [*first, *(name for name in fields if name not in first)]
    return Paragraph((name, fields[name]) for name in order)


def _conffiles(summary: DebSummary) -> Iterator[str]:
    """A line each, as dpkg notes them; those to be removed, which are not in the package, with that flag."""
    for line in summary.members.get("conffiles", "").splitlines():
        *flags, path = line.split(" ")
        if path:
            yield " ".join([path, summary.sums.get(path.strip("/"), "newconffile"), *flags])


def _obsolete_conffiles(summary: DebSummary, old: str) -> Iterator[str]:
    """Those of the version before that are no longer in the package: they stay, and dpkg remembers them."""
    known = {line.split()[0] for line in _conffiles(summary)}
    for line in old_conffiles(old):
        path, digest = line.split()[:2]
        if path not in known:
            yield f"{path} {digest} obsolete"


def old_conffiles(stanza: str) -> list[str]:
    """The lines of `Conffiles` of a stanza."""
    paragraphs = list(read_paragraphs(io.BytesIO(stanza.encode())))
    lines = paragraphs[0].get("Conffiles", "").splitlines() if paragraphs else []
    return [line.strip() for line in lines if line.count("/") and len(line.split()) > 1]


def _list(summary: DebSummary) -> str:
    """Every path of the package, what was left out included, as dpkg lists them with `path-exclude`."""
    return "/.\n" + "".join(f"/{packed.path}\n" for packed in summary.paths)


def _sums(summary: DebSummary) -> str:
    """What dpkg writes for a package that has no checksums; those of configuration files are elsewhere."""
    conffiles = set(summary.conffiles)
    return "".join(f"{digest}  {path}\n" for path, digest in summary.sums.items() if path not in conffiles)


def _shortened_lists(state: DebianState, summaries: Sequence[DebSummary]) -> dict[str, str]:
    """The lists of packages of the base without the files that others have taken over (Policy, 7.6.1)."""
    placement = place_all(summaries, state)
    anew = {summary.package.name for summary in summaries}
    files = {path for path, there in placement.placed.items() if there.packed.kind is not Kind.DIRECTORY}
    shortened = {}
    for name, text in state.lists.items():
        if name.partition(":")[0] in anew:
            continue
        lines = text.splitlines()
        left = [line for line in lines if state.tree.canonical(line.strip("/")) not in files]
        if left != lines:
            shortened[name] = "".join(f"{line}\n" for line in left)
    return shortened


def place_all(summaries: Sequence[DebSummary], state: DebianState) -> Placement:
    """Where the files of all packages of a request are, in whatever layers.

    Raises:
        PackageError: Two packages, or a package and the base, have the same file.
    """
    anew = {summary.package.name for summary in summaries} & {package.name for package in state.packages}
    placement = Placement(state, upgraded=anew)
    for summary in summaries:
        files = placement.package(summary.package, summary.members)
        for packed in summary.paths:
            if not is_left_out(packed):
                files.place(packed)
    return placement


def _belongs(name: str, summaries: Sequence[DebSummary]) -> bool:
    """Whether a file in `info` is one of a package that comes anew."""
    stem, _, extension = name.rpartition(".")
    return bool(extension) and any(
        stem in {summary.package.name, f"{summary.package.name}:{summary.package.architecture}"}
        for summary in summaries
    )


def _status_d(state: DebianState, summaries: Sequence[DebSummary]) -> DatabaseChange:
    files = {}
    for summary in summaries:
        name = summary.package.name
        files[f"{_STATUS_D}/{name}"] = DatabaseFile(content=summary.control.encode())
        sums = _kept_sums(summary)
        if sums:
            files[f"{_STATUS_D}/{name}.md5sums"] = DatabaseFile(content=sums.encode())
    canonical = state.tree.canonical
    return DatabaseChange(files={canonical(path): file for path, file in sorted(files.items())})


def _kept_sums(summary: DebSummary) -> str:
    """The checksums of the files that were installed: scanners take any other line for a missing file."""
    kept = {packed.path for packed in summary.paths if packed.kind is Kind.FILE and not is_left_out(packed)}
    lines = (summary.md5sums or _sums(summary)).splitlines()
    pairs = (line.split(maxsplit=1) for line in lines)
    return "".join(f"{pair[0]}  {pair[1]}\n" for pair in pairs if len(pair) == 2 and pair[1] in kept)  # noqa: PLR2004
