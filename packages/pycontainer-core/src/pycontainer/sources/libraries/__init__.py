"""Shared libraries: what files need of them, and whether an image has it."""

from pycontainer.sources.libraries.debian_names import debian_package, debian_packages
from pycontainer.sources.libraries.elf import Elf, ElfReading
from pycontainer.sources.libraries.linkage import link, version_order
from pycontainer.sources.libraries.preflight import AvailableLibraries, Missing, check_libraries

__all__ = [
    "AvailableLibraries",
    "Elf",
    "ElfReading",
    "Missing",
    "check_libraries",
    "debian_package",
    "debian_packages",
    "link",
    "version_order",
]
