"""What `update-mime-database` writes below `/usr/share/mime`, from the descriptions of types that packages bring.

    files = mime_database({"freedesktop.org.xml": content}, version="2.4")
    files["mime.cache"], files["globs2"], files["text/plain.xml"]

They are the same bytes that the program of Debian 12 and 13 writes, the order of its hash tables included: GLib reads
`mime.cache` to know a file by its name or its content, and `text/plain.xml` for what people call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.mime.cache import mime_cache
from pycontainer.sources.debian.effects.mime.database import MimeDatabase
from pycontainer.sources.debian.effects.mime.source import lowered, read_source
from pycontainer.sources.debian.effects.mime.text_files import text_files
from pycontainer.sources.debian.effects.mime.xml import type_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "/usr/share/mime"
_LAST: Final = "Override.xml"


def mime_database(sources: Mapping[str, bytes], *, version: str) -> dict[str, bytes]:
    """The files by their path below the folder.

    Args:
        sources: The files in `packages`, by name; those that do not end in `.xml` are passed over.
        version: Of shared-mime-info: `2.4`.

    Raises:
        DocumentError: A file declares entities.
    """
    database = MimeDatabase()
    names = (name for name in sources if name.endswith(".xml"))
    for name in sorted(names, key=lambda name: (name == _LAST, name.encode())):
        read_source(sources[name], database)
    files = {f"{lowered(name)}.xml": type_xml(name, list(fields.values())) for name, fields in database.types.items()}
    return files | text_files(database) | {"mime.cache": mime_cache(database), "version": f"{version}\n".encode()}
