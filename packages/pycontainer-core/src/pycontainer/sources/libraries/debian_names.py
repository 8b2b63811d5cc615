"""Which Debian package likely has a shared library, by its name alone.

    debian_package("libGL.so.1")                            # "libgl1"
    debian_packages(["libglib-2.0.so.0"], {"ID": "debian", "VERSION_ID": "13"})      # ("libglib2.0-0t64",)

Debian names the package after the soname (Debian Policy, 8.1): `libfoo.so.1` is in `libfoo1`, `libfoo1.2.so.3` in
`libfoo1.2-3`. What does not follow, because a package has several libraries or an old name, is in a table. It is a
hint: the package may be called otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NUMBERED = re.compile(r"(lib.+?)\.so\.([\w.]+)")
_FAMILY = re.compile(r"(libicu|libpython3\.)(?:data|i18n|io|tu|uc)?(?:\.so\.)?(\d+)(?:t?\.so\.1\.0)?")
_NAMED = re.compile(r"(lib.+)-(\d[\w.]*)\.so")
_EXCEPTIONS: Final = {
    "ld-linux-aarch64.so.1": "libc6",
    "ld-linux-x86-64.so.2": "libc6",
    "libanl.so.1": "libc6",
    "libatk-1.0.so.0": "libatk1.0-0",
    "libatk-bridge-2.0.so.0": "libatk-bridge2.0-0",
    "libatspi.so.0": "libatspi2.0-0",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libbrotlienc.so.1": "libbrotli1",
    "libcrypto.so.1.1": "libssl1.1",
    "libcrypto.so.3": "libssl3",
    "libcurl-gnutls.so.4": "libcurl3-gnutls",
    "libdl.so.2": "libc6",
    "libexslt.so.0": "libxslt1.1",
    "libform.so.6": "libncurses6",
    "libgdk-3.so.0": "libgtk-3-0",
    "libgdk-x11-2.0.so.0": "libgtk2.0-0",
    "libgeos_c.so.1": "libgeos-c1v5",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libGLdispatch.so.0": "libglvnd0",
    "libGLESv2.so.2": "libgles2",
    "libgomp.so.1.0.0": "libgomp1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGLU.so.1": "libglu1-mesa",
    "libgmodule-2.0.so.0": "libglib2.0-0",
    "libgmpxx.so.4": "libgmpxx4ldbl",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgstapp-1.0.so.0": "libgstreamer-plugins-base1.0-0",
    "libgstaudio-1.0.so.0": "libgstreamer-plugins-base1.0-0",
    "libgstbase-1.0.so.0": "libgstreamer1.0-0",
    "libgstgl-1.0.so.0": "libgstreamer-gl1.0-0",
    "libgstpbutils-1.0.so.0": "libgstreamer-plugins-base1.0-0",
    "libgstreamer-1.0.so.0": "libgstreamer1.0-0",
    "libgstvideo-1.0.so.0": "libgstreamer-plugins-base1.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgtk-x11-2.0.so.0": "libgtk2.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libhistory.so.8": "libreadline8",
    "libjpeg.so.62": "libjpeg62-turbo",
    "liblber-2.5.so.0": "libldap-2.5-0",
    "libm.so.6": "libc6",
    "libmvec.so.1": "libc6",
    "libnsl.so.1": "libc6",
    "libOSMesa.so.8": "libosmesa6",
    "libpam.so.0": "libpam0g",
    "libpthread.so.0": "libc6",
    "libR.so": "r-base-core",
    "libresolv.so.2": "libc6",
    "librsvg-2.so.2": "librsvg2-2",
    "librt.so.1": "libc6",
    "libtcl8.6.so": "libtcl8.6",
    "libtic.so.6": "libtinfo6",
    "libtk8.6.so": "libtk8.6",
    "libutil.so.1": "libc6",
    "libxml2.so.2": "libxml2",
    "libxslt.so.1": "libxslt1.1",
    "libz.so.1": "zlib1g",
}

# Renamed for 64-bit times, in Debian 13 and Ubuntu 24.04, of those that wheels are likely to need.
_TIME64: Final = frozenset(
    {
        "libasound2",
        "libatk-bridge2.0-0",
        "libatk1.0-0",
        "libatspi2.0-0",
        "libcups2",
        "libcurl4",
        "libelf1",
        "libevent-2.1-7",
        "libgeos-c1",
        "libglib2.0-0",
        "libgnutls30",
        "libgtk-3-0",
        "libgtk2.0-0",
        "libmagic1",
        "libpcap0.8",
        "libpng16-16",
        "libreadline8",
        "libssl3",
    }
)


# The first release where they are called so, by the `ID` of os-release(5).
_FIRST_TIME64: Final = {"debian": (13,), "ubuntu": (24, 4)}


def debian_packages(libraries: Iterable[str], os_release: Mapping[str, str]) -> tuple[str, ...]:
    """The packages that likely have these libraries, each once; none on a system that is not Debian's or alike.

    Args:
        libraries: As the loader looks for them.
        os_release: The fields of os-release(5).
    """
    system = os_release.get("ID", "")
    if system not in _FIRST_TIME64 and not {"debian", "ubuntu"} & set(os_release.get("ID_LIKE", "").split()):
        return ()
    # A Debian without a number is newer than all that have one.
    release = tuple(int(part) for part in os_release.get("VERSION_ID", "99").split(".") if part.isdecimal())
    time64 = system in _FIRST_TIME64 and release >= _FIRST_TIME64[system]
    packages = (debian_package(library, time64=time64) for library in libraries)
    return tuple(dict.fromkeys(package for package in packages if package))


def debian_package(library: str, *, time64: bool = False) -> str | None:
    """The package that likely has a library; none where the name tells nothing.

    Args:
        library: As the loader looks for it.
        time64: Whether it is Debian 13, Ubuntu 24.04 or newer, where many packages have another name.
    """
    package = _EXCEPTIONS.get(library) or _by_rule(library)
    return f"{package}t64" if time64 and package in _TIME64 else package


def _by_rule(library: str) -> str | None:
    if match := _FAMILY.fullmatch(library):
        return f"{match[1]}{match[2]}"
    match = _NUMBERED.fullmatch(library) or _NAMED.fullmatch(library)
    if match is None:
        return None
    name, version = match[1].lower().replace("_", "-"), match[2]
    return f"{name}-{version}" if name[-1].isdigit() else f"{name}{version}"
