"""What an application on a base image must know of it: `BaseFacts`.

    facts = find_facts(image)
    facts.python, facts.interpreter, facts.libc        # 3.12.4, "/usr/local/bin/python3.12", glibc 2.36

They are remembered, so that a build seldom needs what finds them: `examine.py`.
"""

from __future__ import annotations

from pycontainer.sources.base.packages import OSPackage  # noqa: TC001 - msgspec reads the annotations
from pycontainer.sources.libraries.preflight import AvailableLibraries  # noqa: TC001 - as above
from pycontainer.sources.target import Libc, PythonVersion  # noqa: TC001 - as above
from pycontainer.value import Value, field


class BaseFacts(Value, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        python: The version of the first Python on the image's `PATH`; without micro version where nothing tells it.
        interpreter: That Python's path, links resolved, so that its directory is what `pyvenv.cfg` calls `home`.
        free_threaded: Whether it is built without the global interpreter lock.
        libc: The C library that the interpreter is linked to.
        user: `User` of the config; empty means root.
        shell: A shell, or none.
        passwd: `/etc/passwd`, empty where there is none.
        group: `/etc/group`.
        os_release: The fields of os-release(5).
        libraries: The shared libraries of its architecture; none where nobody knows where its loader looks.
        packages: The packages of its operating system; none where their database cannot be read.
    """

    python: PythonVersion | None = None
    interpreter: str | None = None
    free_threaded: bool = False
    libc: Libc | None = None
    user: str = ""
    shell: str | None = None
    passwd: bytes = b""
    group: bytes = b""
    os_release: dict[str, str] = field(default_factory=dict)
    libraries: AvailableLibraries | None = None
    packages: tuple[OSPackage, ...] = ()
