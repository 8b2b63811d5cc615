"""Debian archives: where they are, what they sign, and their packages by hash.

sources = choose_sources(base=read_apt_sources(state.files), distribution="debian", codename="bookworm")
with closing(HttpClient(archive_settings(settings, sources))) as http:
    archive = Archive(sources, http=http, store=store, folder=folder, keyrings=Keyrings(base=state.files))
    index = archive.index("amd64")
"""

from pycontainer.sources.debian.archive.apt_sources import AptSource, parse_source_line, read_apt_sources
from pycontainer.sources.debian.archive.archive import Archive, archive_settings
from pycontainer.sources.debian.archive.choice import choose_sources
from pycontainer.sources.debian.archive.credentials import Credentials
from pycontainer.sources.debian.archive.host import HostApt, host_apt_sources, read_host_apt
from pycontainer.sources.debian.archive.keyrings import Keyring, Keyrings
from pycontainer.sources.debian.archive.release import Release
from pycontainer.sources.debian.archive.signatures import find_verifier
from pycontainer.sources.debian.archive.verifier import Verifier

__all__ = [
    "AptSource",
    "Archive",
    "Credentials",
    "HostApt",
    "Keyring",
    "Keyrings",
    "Release",
    "Verifier",
    "archive_settings",
    "choose_sources",
    "find_verifier",
    "host_apt_sources",
    "parse_source_line",
    "read_apt_sources",
    "read_host_apt",
]
