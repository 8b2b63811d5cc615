"""Locks: what a project's dependencies were resolved to, in any tool's format, and the wheels of it for one target.

lock = read_lock(find_lock(root))
chosen = choose_wheels(lock.select(target, Choice()), target, SourcePolicy())
"""

from pycontainer.sources.locks.discover import find_lock, read_lock
from pycontainer.sources.locks.model import (
    Artifact,
    Choice,
    Directory,
    File,
    Indexes,
    Lock,
    LockedPackage,
    Registry,
    Source,
    Url,
    Vcs,
)
from pycontainer.sources.locks.remembered import LockMemory, RememberedLock
from pycontainer.sources.locks.wheels import Chosen, SourcePolicy, choose_wheels

__all__ = [
    "Artifact",
    "Choice",
    "Chosen",
    "Directory",
    "File",
    "Indexes",
    "Lock",
    "LockMemory",
    "LockedPackage",
    "Registry",
    "RememberedLock",
    "Source",
    "SourcePolicy",
    "Url",
    "Vcs",
    "choose_wheels",
    "find_lock",
    "read_lock",
]
