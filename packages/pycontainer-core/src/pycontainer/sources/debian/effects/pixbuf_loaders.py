r"""What `gdk-pixbuf-query-loaders` writes: which formats of images gdk-pixbuf reads, and with which of its modules.

    files = pixbuf_loaders(system)      # {"/usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/2.10.0/loaders.cache": "# Gdk…"}
    reason = unknown_loader(summary)    # "image loader `libpixbufloader-x.so`: its formats are not known"

The program asks the code of each module, which is never run here. What Debian's own modules answer is a constant of
their format, and stands in a table. What the base's list says of other modules of the base stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.libraries import TRIPLETS

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.installed import InstalledSystem
    from pycontainer.sources.debian.summary import DebSummary

_PACKAGE: Final = "libgdk-pixbuf-2.0-0"
_VERSION: Final = "gdk-pixbuf-2.0/2.10.0"
_LOADER: Final = re.compile(r"(?:usr/)?lib/(?:[^/]+/)?gdk-pixbuf-2\.0/2\.10\.0/loaders/([^/]+\.so)")
_HEAD: Final = """\
# GdkPixbuf Image Loader Modules file
# Automatically generated file, do not edit
# Created by gdk-pixbuf-query-loaders from gdk-pixbuf-%s
#
"""
_SVG: Final = """\
"svg" 6 "gdk-pixbuf" "Scalable Vector Graphics" "LGPL"
"image/svg+xml" "image/svg" "image/svg-xml" "image/vnd.adobe.svg+xml" "text/xml-svg" "image/svg+xml-compressed" ""
"svg" "svgz" "svg.gz" ""
" <svg" "*    " 100
" <!DOCTYPE svg" "*             " 100
"""
# Name, flags (1 writes, 2 scales, 4 is safe in threads), domain, description and licence; MIME types; extensions;
# then how such files begin, which bytes of that count, and how certain it is.
_FORMATS: Final = {
    "libpixbufloader-ani.so": """\
"ani" 4 "gdk-pixbuf" "Windows animated cursor" "LGPL"
"application/x-navi-animation" ""
"ani" ""
"RIFF    ACON" "    xxxx    " 100
""",
    "libpixbufloader-bmp.so": """\
"bmp" 5 "gdk-pixbuf" "BMP" "LGPL"
"image/bmp" "image/x-bmp" "image/x-MS-bmp" ""
"bmp" ""
"BM" "" 100
""",
    "libpixbufloader-gif.so": """\
"gif" 4 "gdk-pixbuf" "GIF" "LGPL"
"image/gif" ""
"gif" ""
"GIF8" "" 100
""",
    "libpixbufloader-icns.so": """\
"icns" 4 "gdk-pixbuf" "MacOS X icon" "GPL"
"image/x-icns" ""
"icns" ""
"icns" "" 100
""",
    "libpixbufloader-ico.so": """\
"ico" 5 "gdk-pixbuf" "Windows icon" "LGPL"
"image/x-icon" "image/x-ico" "image/x-win-bitmap" "image/vnd.microsoft.icon" \
"application/ico" "image/ico" "image/icon" "text/ico" ""
"ico" "cur" ""
"  \\001   " "zz znz" 100
"  \\002   " "zz znz" 100
""",
    "libpixbufloader-pnm.so": """\
"pnm" 4 "gdk-pixbuf" "PNM/PBM/PGM/PPM" "LGPL"
"image/x-portable-anymap" "image/x-portable-bitmap" "image/x-portable-graymap" "image/x-portable-pixmap" ""
"pnm" "pbm" "pgm" "ppm" ""
"P1" "" 100
"P2" "" 100
"P3" "" 100
"P4" "" 100
"P5" "" 100
"P6" "" 100
""",
    "libpixbufloader-qtif.so": """\
"qtif" 4 "gdk-pixbuf" "QuickTime" "LGPL"
"image/x-quicktime" "image/qtif" ""
"qtif" "qif" ""
"abcdidsc" "xxxx    " 100
"abcdidat" "xxxx    " 100
""",
    "libpixbufloader-tga.so": """\
"tga" 4 "gdk-pixbuf" "Targa" "LGPL"
"image/x-tga" ""
"tga" "targa" ""
" \\001\\001" "x  " 100
" \\001\\t" "x  " 100
"  \\002" "xz " 99
"  \\003" "xz " 100
"  \\n" "xz " 100
"  \\v" "xz " 100
""",
    "libpixbufloader-tiff.so": """\
"tiff" 5 "gdk-pixbuf" "TIFF" "LGPL"
"image/tiff" ""
"tiff" "tif" ""
"MM *" "  z " 100
"II* " "   z" 100
"II* \\020   CR\\002 " "   z zzz   z" 0
""",
    "libpixbufloader-xbm.so": """\
"xbm" 4 "gdk-pixbuf" "XBM" "LGPL"
"image/x-xbitmap" ""
"xbm" ""
"#define " "" 100
"/*" "" 50
""",
    "libpixbufloader-xpm.so": """\
"xpm" 4 "gdk-pixbuf" "XPM" "LGPL"
"image/x-xpixmap" ""
"xpm" ""
"/* XPM */" "" 100
""",
    # Of other packages.
    "libpixbufloader-avif.so": """\
"avif" 5 "gdk-pixbuf" "AV1 Image File Format" "BSD"
"image/avif" ""
"avif" ""
"    ftypavif" "zzz         " 100
""",
    "libpixbufloader-heif.so": """\
"heif/avif" 4 "pixbufloader-heif" "HEIF/AVIF Image" "LGPL3"
"image/heif" "image/heic" "image/avif" ""
"heif" "heic" "avif" ""
"    ftyp" "xxxx    " 100
""",
    "libpixbufloader-jxl.so": """\
"jxl" 5 "gdk-pixbuf" "JPEG XL image" "BSD-3"
"image/jxl" ""
"jxl" ""
"\\377\\n" "  " 100
"...\\fJXL \\r\\n\\207\\n" "zzz         " 100
""",
    "libpixbufloader-webp.so": """\
"webp" 5 "gdk-pixbuf" "The WebP image format" "LGPL"
"image/webp" "audio/x-riff" ""
"webp" ""
"RIFFsizeWEBP" "    xxxx    " 100
""",
    "io-wmf.so": """\
"wmf" 0 "gdk-pixbuf" "Windows Metafile" ""
"image/x-wmf" ""
"wmf" "apm" ""
"\\327\\315\\306\\232" "" 100
"\\001" "" 100
""",
    "libpixbufloader-svg.so": _SVG,
    "libpixbufloader_svg.so": _SVG,
}


def unknown_loader(summary: DebSummary) -> str:
    """Why a package's modules for gdk-pixbuf cannot be listed; empty where they can, or there are none."""
    for packed in summary.paths:
        match = _LOADER.fullmatch(packed.path)
        if match is not None and match[1] not in _FORMATS:
            return f"image loader: the formats of `{match[1]}` are not known"
    return ""


def pixbuf_loaders(system: InstalledSystem) -> dict[str, str]:
    """The list by its path; nothing where the architecture has no folder of its own."""
    triplet = TRIPLETS.get(system.state.architecture)
    if triplet is None:
        return {}
    home = f"/usr/lib/{triplet}/{_VERSION}"
    before = _sections((system.known_content(f"{home}/loaders.cache") or b"").decode("utf-8", "replace"))
    folders = f"{home}/loaders", f"/usr/lib/{_VERSION}/loaders"
    paths = [f"{folder}/{name}" for folder in folders for name in system.names(folder) if name.endswith(".so")]
    sections = []
    for path in sorted(paths):
        facts = _FORMATS.get(path.rpartition("/")[2]) or before.get(path)
        sections += [f'"{path}"\n{facts}\n'] if facts else []
    return {f"{home}/loaders.cache": "".join([_HEAD % system.version(_PACKAGE), *sections, "\n"])}


def _sections(text: str) -> dict[str, str]:
    """Path → lines of each module in a list."""
    lines = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    found = (section.partition("\n") for section in lines.split("\n\n"))
    return {path.strip().strip('"'): f"{facts}\n" for path, _, facts in found if facts}
