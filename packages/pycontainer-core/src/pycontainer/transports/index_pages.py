"""Pages of Python indexes: which files there are of a project, and where (*Simple repository API*: PEP 503, 691, 700).

    pages = IndexPages(http, authorize=credentials.headers)
    files = pages.project("https://index.example/simple/", "numpy")     # none where the index has no such project
    files = pages.links("/srv/wheels")                                  # a directory or one page of links: find-links

A page is read once, however many threads ask for it. `file:` addresses and plain paths are read from this host: an
`index.html`, or the files of the directory themselves.
"""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from pycontainer.errors import DeniedError, NetworkError
from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pycontainer.transports.http import HttpClient, Response

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_HTML_TYPES = frozenset({"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"})
# Nightly builds of the largest projects have pages of some 30 MB.
_MAX_PAGE = 128 << 20
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE = 200, 401, 403, 404, 410
_HASH = re.compile(r"(?:^|&)(md5|sha1|sha224|sha256|sha384|sha512|blake2b)=([0-9a-fA-F]+)")
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class IndexFile:
    """One file that a page links to.

    Attributes:
        filename: The last part of its address, percent-decoded; not checked.
        url: Absolute; none where the file is on this host.
        path: Where it is on this host.
        hashes: Algorithm → lower-case hexadecimal digest; empty where the page gives none.
        size: Bytes, where the page gives them (PEP 700).
        requires_python: A specifier set.
        yanked: Whether installers should leave it alone unless it is pinned (PEP 592).
        page: The address of the page, which the file may share its credentials with.
    """

    filename: str
    url: str | None = None
    path: Path | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    requires_python: str | None = None
    yanked: bool = False
    page: str = ""

    def __repr__(self) -> str:
        where = redact_url(self.url) if self.url else self.path
        return f"IndexFile({self.filename!r}, at={str(where)!r})"


class IndexPages:
    """Reads pages, each of them once.

    Args:
        http: Sends the requests.
        authorize: Gives the headers that a URL is requested with, such as `Authorization`.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        authorize: Callable[[str], Mapping[str, str]] = lambda url: {},  # noqa: ARG005
    ) -> None:
        self._http = http
        self._authorize = authorize
        self._lock = threading.Lock()
        self._read: dict[str, Future[tuple[IndexFile, ...] | None]] = {}

    def project(self, index: str, name: str) -> tuple[IndexFile, ...] | None:
        """The files of a project, or none where the index does not know it.

        Args:
            index: The address of the index: http, https, file, or a path.
            name: Normalised (PEP 503).

        Raises:
            NetworkError: The index cannot be reached, or its answer is no page of an index.
            DeniedError: It wants other credentials.
        """
        return self._once(f"{index.rstrip('/')}/{quote(name)}/")

    def links(self, address: str) -> tuple[IndexFile, ...]:
        """The files of one page, or of one directory, whatever projects they are of.

        Raises:
            NetworkError: As for `project`, or there is no such page.
        """
        files = self._once(address)
        if files is None:
            raise NetworkError(f"There is nothing at `{redact_url(address)}`", facts=["asked for: links to files"])
        return files

    def _once(self, address: str) -> tuple[IndexFile, ...] | None:
        with self._lock:
            future = self._read.get(address)
            mine = future is None
            if future is None:
                future = self._read[address] = Future()
        if mine:
            try:
                future.set_result(self._load(address))
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()

    def _load(self, address: str) -> tuple[IndexFile, ...] | None:
        path = local_path(address)
        if path is not None:
            return _read_local(path)
        headers = {"Accept": _ACCEPT, **self._authorize(address)}
        with self._http.request("GET", address, headers=headers) as response:
            if response.status in {_NOT_FOUND, _GONE}:
                return None
            if response.status != _OK:
                raise _refused(response)
            return _parse(response)


def local_path(address: str) -> Path | None:
    """The path that a `file:` address or a plain path means; none for http and https."""
    scheme, colon, _ = address.partition(":")
    if colon and len(scheme) > 1 and scheme.lower() != "file":  # one letter is a drive of Windows
        return None
    if scheme.lower() != "file" or not colon:
        return Path(address)
    from urllib.request import url2pathname  # noqa: PLC0415 - most indexes are not folders

    parts = urlsplit(address)
    host = f"//{parts.netloc}" if parts.netloc not in {"", "localhost"} else ""
    return Path(url2pathname(f"{host}{parts.path}"))


def _parse(response: Response) -> tuple[IndexFile, ...]:
    kind, url = response.headers.media_type, response.url
    content = response.content(limit=_MAX_PAGE)
    if kind == _JSON or (kind == "application/json" and content.lstrip()[:1] == b"{"):
        return parse_json(content, url)
    if kind in _HTML_TYPES:
        return _from_anchors(content.decode("utf-8", "replace"), url)
    raise NetworkError(
        f"`{urlsplit(url).hostname}` answered something that is no page of a Python index",
        facts=[f"GET {redact_url(url)}: type `{kind[:80]}`"],
    )


def parse_json(content: bytes, url: str) -> tuple[IndexFile, ...]:
    """The files of a page in its JSON form (PEP 691).

    Raises:
        NetworkError: It is malformed, or of a version from the future.
    """
    try:
        document = json.loads(content)
        _check_version(str(document.get("meta", {}).get("api-version", "1.0")), url)
        return tuple(_from_json(entry, url) for entry in document["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NetworkError(
            f"The page of `{urlsplit(url).hostname}` is malformed", facts=[f"GET {redact_url(url)}"]
        ) from error


def _from_json(entry: Mapping[str, Any], page: str) -> IndexFile:
    size = entry.get("size")
    return IndexFile(
        filename=str(entry["filename"]),
        url=_join(page, str(entry["url"])),
        hashes={str(name): str(value).lower() for name, value in entry["hashes"].items()},
        size=size if isinstance(size, int) and size >= 0 else None,
        requires_python=entry.get("requires-python"),
        yanked=bool(entry.get("yanked", False)),
        page=page,
    )


def _from_anchors(text: str, page: str) -> tuple[IndexFile, ...]:
    """The files of a page in its HTML form (PEP 503): anchors whose address ends in the name of an archive."""
    from pycontainer.transports.index_html import parse_html  # noqa: PLC0415 - most indexes answer in JSON

    parsed = parse_html(text)
    _check_version(parsed.version, page)
    base = _join(page, parsed.base) if parsed.base else page
    files = []
    for anchor in parsed.anchors:
        url, _, fragment = _join(base, anchor.href).partition("#")
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        if filename.endswith(_ARCHIVES):
            path = local_path(url) if local_path(page) is not None else None
            files.append(
                IndexFile(
                    filename=filename,
                    url=None if path else url,
                    path=path,
                    hashes={found[1]: found[2].lower() for found in _HASH.finditer(fragment)},
                    requires_python=anchor.requires_python,
                    yanked=anchor.yanked,
                    page=page,
                )
            )
    return tuple(files)


def _read_local(path: Path) -> tuple[IndexFile, ...] | None:
    """What a directory or a page on this host lists; none where there is neither."""
    try:
        if path.is_dir() and not (path / "index.html").is_file():
            found = sorted(entry for entry in path.iterdir() if entry.name.endswith(_ARCHIVES) and entry.is_file())
            folder = path.absolute().as_uri()
            return tuple(IndexFile(filename=entry.name, path=entry.absolute(), page=folder) for entry in found)
        file = path / "index.html" if path.is_dir() else path
        if not file.is_file():
            return None
        text = file.read_text("utf-8", "replace")
    except OSError as error:
        raise NetworkError(f"The index at `{path}` cannot be read", facts=[error.strerror or str(error)]) from error
    return _from_anchors(text, file.absolute().as_uri())


def _join(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError as error:
        raise NetworkError(
            f"The page of `{urlsplit(base).hostname}` has a malformed link", facts=[f"GET {redact_url(base)}"]
        ) from error


def _check_version(version: str, url: str) -> None:
    """Clients must fail on another major version (PEP 629)."""
    if version.partition(".")[0] != "1":
        raise NetworkError(
            f"The index `{urlsplit(url).hostname}` speaks the unknown version `{version[:20]}` of the index API",
            facts=[f"GET {redact_url(url)}", "known versions: 1.x"],
        )


def _refused(response: Response) -> NetworkError:
    from pycontainer.transports.http.failures import status_error, status_fact  # noqa: PLC0415 - only where it fails

    if response.status not in {_UNAUTHORIZED, _FORBIDDEN}:
        return status_error(response)
    fact, _ = status_fact(response)
    host = urlsplit(response.url).hostname
    return DeniedError(
        f"The index `{host}` did not let us in",
        facts=[fact],
        hint="Give its credentials as `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD`, by "
        "`poetry config http-basic.<name>`, or in `.netrc`",
    )
