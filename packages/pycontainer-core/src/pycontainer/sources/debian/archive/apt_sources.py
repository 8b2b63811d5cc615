"""Where packages come from, as apt's own files tell: `sources.list` and the like (sources.list(5)).

    for source in read_apt_sources({"etc/apt/sources.list.d/debian.sources": content}):
        source.uri, source.suite, source.components      # "http://archive.example/debian", "bookworm", ("main",)

Both styles are read. Docker's Debian images name the snapshot service in a comment above each address; it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence  # noqa: TC003 - dataclasses keep annotations readable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from pycontainer.errors import DocumentError
from pycontainer.transports.secrets import Redacted, redact_url

_LIST: Final = re.compile(r"etc/apt/(?:sources\.list|sources\.list\.d/[^/]+\.list)")
_DEB822: Final = re.compile(r"etc/apt/sources\.list\.d/[^/]+\.sources")
_ONE_LINE: Final = re.compile(
    r"""(?x)
    (?P<type>deb|deb-src) \s+
    (?:\[(?P<options>[^\]]*)\] \s+)?
    (?P<uri>(?:[^\s\[]|\[[^\]]*\])+) \s+       # the name of a CD-ROM stands in brackets and has spaces
    (?P<suite>\S+) (?:\s+(?P<components>.+))?"""
)
_SNAPSHOT: Final = re.compile(r"#[#\s]*(?:deb\s+(?:\[[^\]]*\]\s+)?)?(https?://\S+/)\d{8}T\d{6}Z(?:/?(?:\s.*)?)$")
# Both become parts of addresses.
_SUITE: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9./][A-Za-z0-9.+~_/-]*")
_COMPONENT: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9.+~_/-]*")
# strutl.cc of apt, StringToBool.
_FALSE: Final = frozenset({"no", "false", "without", "off", "disable", "0"})
_MIRROR_LIST: Final = "mirror+file:"
_MAX_SOURCES: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class AptSource:
    """One suite at one address.

    Attributes:
        uri: Where the archive is, without a user part and without a slash at its end.
        suite: Under `dists/`; one that ends in a slash is the path of a flat archive.
        components: `main` and the like; none in a flat archive.
        signed_by: Paths of keyrings, fingerprints, or keys themselves (armored); empty where the source names none.
        architectures: Those it has; empty where it does not say.
        options: The others, by their names in deb822 in lower case: `check-valid-until`, `trusted`.
        mirrors: Other addresses that have the same, asked where the first one fails.
        snapshot: The address of the snapshot service for this one, with `{time}` in it.
        credentials: `user:password` of the address.
        guessed: The suite is one that archives usually have: where it does not exist, it is passed over.
        file: Which file says so.
    """

    uri: str
    suite: str
    components: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    snapshot: str | None = None
    credentials: Redacted | None = None
    guessed: bool = False
    file: str = ""

    def __str__(self) -> str:
        return f"{redact_url(self.uri)} {self.suite}"

    @property
    def is_flat(self) -> bool:
        """Whether the index lies beside the packages, without `dists` and components."""
        return self.suite.endswith("/")

    def says_no(self, option: str) -> bool:
        """Whether an option that is on by default was turned off."""
        return self.options.get(option, "yes").lower() in _FALSE


def read_apt_sources(files: Mapping[str, bytes]) -> tuple[AptSource, ...]:
    """The sources of binary packages, in apt's order.

    Args:
        files: Contents by path from the root, with or without a slash before it. What is not apt's is passed over, but
            for lists of mirrors that a source names.

    Raises:
        DocumentError: A file that apt would refuse, too.
    """
    texts = {path.lstrip("/"): content for path, content in files.items()}
    found: list[AptSource] = []
    for path in sorted(texts, key=lambda path: (path != "etc/apt/sources.list", path)):
        if _LIST.fullmatch(path):
            found += _one_line_style(path, _decoded(path, texts[path]), texts)
        elif _DEB822.fullmatch(path):
            found += _deb822_style(path, _decoded(path, texts[path]), texts)
        if len(found) > _MAX_SOURCES:
            raise DocumentError(f"There are more than {_MAX_SOURCES} apt sources", facts=[f"file: {path}"])
    return tuple(found)


def parse_source_line(text: str, *, file: str) -> tuple[AptSource, ...]:
    """The sources of one line, its `deb` left out or not: `[arch=amd64] http://archive.example/debian bookworm main`.

    Raises:
        DocumentError: Not such a line.
    """
    line = text if re.match(r"deb(-src)?\s", text) else f"deb {text}"
    return tuple(_of_line(line, file, {}, None))


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"`{path}` is not UTF-8", facts=[f"byte: {error.start}"]) from error


def _one_line_style(path: str, text: str, files: Mapping[str, bytes]) -> Iterator[AptSource]:
    snapshot = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            snapshot = _snapshot(line) or snapshot
            continue
        line = line.partition(" #")[0].strip()
        if line:
            yield from _of_line(line, f"{path}:{number}", files, snapshot)
            snapshot = None


def _of_line(line: str, where: str, files: Mapping[str, bytes], snapshot: str | None) -> Iterator[AptSource]:
    match = _ONE_LINE.fullmatch(line)
    if match is None:
        raise DocumentError("A line of apt's sources is malformed", facts=[f"line: {where}", "form: deb URI SUITE …"])
    if match["type"] == "deb-src":
        return
    fields: dict[str, str] = {}
    for option in (match["options"] or "").split():
        name, equals, value = option.partition("=")
        if not equals:
            raise DocumentError(f"An option of apt's sources is malformed: `{name[:100]}`", facts=[f"line: {where}"])
        # `arch+=` and `arch-=` change apt's own set of architectures, which is not ours.
        if not name.endswith(("+", "-")):
            name = {"arch": "architectures"}.get(name.lower(), name.lower())
            fields[name] = f"{fields[name]} {value}" if name in fields else value
    uris, suites = [match["uri"]], [match["suite"]]
    yield from _product(uris, suites, (match["components"] or "").split(), fields, snapshot, where, files)


def _deb822_style(path: str, text: str, files: Mapping[str, bytes]) -> Iterator[AptSource]:
    for number, fields, snapshot in _paragraphs(path, text):
        where = f"{path}:{number}"
        if fields.get("enabled", "yes").strip().lower() in _FALSE:
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        uris, suites = fields.get("uris", "").split(), fields.get("suites", "").split()
        if not uris or not suites:
            raise DocumentError("A paragraph of apt's sources has no `URIs` or no `Suites`", facts=[f"line: {where}"])
        yield from _product(uris, suites, fields.get("components", "").split(), fields, snapshot, where, files)


def _paragraphs(path: str, text: str) -> Iterator[tuple[int, dict[str, str], str | None]]:
    """Line, fields by name in lower case, and the snapshot service's address in a comment, of each paragraph."""
    fields: dict[str, str] = {}
    snapshot, name, begin = None, "", 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#"):
            snapshot = _snapshot(line) or snapshot
        elif not line.strip():
            if fields:
                yield begin, fields, snapshot
            fields, snapshot, name, begin = {}, None, "", number + 1
        elif line[0] in " \t":
            if not name:
                raise DocumentError("A line of apt's sources continues nothing", facts=[f"line: {path}:{number}"])
            fields[name] += f"\n{line[1:]}"
        else:
            name, colon, value = line.partition(":")
            name = name.strip().lower()
            if not colon or not name or name in fields:
                raise DocumentError("A line of apt's sources is malformed", facts=[f"line: {path}:{number}"])
            fields[name] = value.strip()


def _product(  # noqa: PLR0917 - the parts of one line
    uris: Sequence[str],
    suites: Sequence[str],
    components: Sequence[str],
    fields: Mapping[str, str],
    snapshot: str | None,
    where: str,
    files: Mapping[str, bytes],
) -> Iterator[AptSource]:
    """Every suite at every address; the others of the same paragraph or list are its mirrors."""
    groups = [[_Address.parse(uri) for uri in _mirrors(uri, files, where)] for uri in uris]
    for suite in suites:
        if not _SUITE.fullmatch(suite) or (suite.endswith("/") == bool(components)):
            raise DocumentError(f"The suite `{suite[:100]}` of apt's sources is malformed", facts=[f"line: {where}"])
        _check_components(components, where)
        for group in groups:
            place = group[0]
            others = [*group[1:], *(other for item in groups if item is not group for other in item)]
            yield AptSource(
                uri=place.uri,
                suite=suite,
                components=tuple(dict.fromkeys(components)),
                signed_by=_signed_by(fields.get("signed-by", "")),
                architectures=tuple(re.split(r"[,\s]+", fields.get("architectures", "").strip(", \t\n")))
                if fields.get("architectures")
                else (),
                options={name: value for name, value in fields.items() if name not in _OWN_FIELDS},
                mirrors=tuple(other.uri for other in others),
                snapshot=snapshot,
                credentials=place.credentials,
                file=where,
            )


_OWN_FIELDS: Final = frozenset({"types", "uris", "suites", "components", "signed-by", "architectures", "enabled"})


def _check_components(components: Iterable[str], where: str) -> None:
    for component in components:
        if not _COMPONENT.fullmatch(component):
            raise DocumentError(
                f"The component `{component[:100]}` of apt's sources is malformed", facts=[f"line: {where}"]
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Address:
    uri: str
    credentials: Redacted | None

    @classmethod
    def parse(cls, text: str) -> _Address:
        try:
            parts = urlsplit(text)
        except ValueError:
            return cls(uri=text, credentials=None)
        user, _, host = parts.netloc.rpartition("@")
        uri = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), parts.query, ""))
        return cls(uri=uri, credentials=Redacted(unquote(user)) if user else None)


def _mirrors(uri: str, files: Mapping[str, bytes], where: str) -> list[str]:
    """The addresses that one stands for: those of a list of mirrors by their priority (apt-transport-mirror(1))."""
    if not uri.startswith(_MIRROR_LIST):
        return [uri]
    path = re.sub("^/+", "", uri.removeprefix(_MIRROR_LIST))
    found = []
    for line in _decoded(path, files.get(path, b"")).splitlines():
        words = line.partition("#")[0].split()
        if words:
            priority = next((word[9:] for word in words[1:] if word.startswith("priority:")), "")
            found.append((int(priority) if re.fullmatch("[0-9]{1,9}", priority) else 1 << 30, words[0]))
    if not found:
        raise DocumentError(f"The list of mirrors `/{path}` is absent or empty", facts=[f"named by: {where}"])
    return [mirror for _, mirror in sorted(found, key=lambda item: item[0])]


def _signed_by(value: str) -> tuple[str, ...]:
    if "-----BEGIN" in value:  # a line of a dot is an empty one, as in every deb822 file
        return ("\n".join("" if line.strip() == "." else line.strip() for line in value.splitlines()).strip(),)
    return tuple(word for word in re.split(r"[,\s]+", value) if word)


def _snapshot(comment: str) -> str | None:
    match = _SNAPSHOT.fullmatch(comment.strip())
    return f"{match[1]}{{time}}" if match else None
