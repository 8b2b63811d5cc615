r"""The licence that a wheel declares (*Core metadata*, `License-Expression`, `License`, `Classifier`; PEP 639).

declared_license(b"Classifier: License :: OSI Approved :: MIT License\n")      # "MIT"
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 200
_CLASSIFIER = re.compile(r"License :: (?:OSI Approved :: )?(?!OSI Approved$)(.+)")
# Those that can mean only one licence (PEP 639, *Mapping license classifiers to SPDX identifiers*); `BSD License` or
# `Apache Software License` can mean several.
_SPDX: Final = {
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
}


def declared_license(metadata: bytes) -> str | None:
    """An SPDX expression if one of the three fields gives it, else the first name that stands there, else none.

    The text of a whole licence is no name, and several classifiers do not say whether all or one of them holds.
    """
    fields = [(key.strip().lower(), value.strip()) for key, value in _fields(metadata)]
    said = [value for name in ("license-expression", "license") for key, value in fields if key == name]
    classifiers = [match[1] for key, value in fields if key == "classifier" and (match := _CLASSIFIER.fullmatch(value))]
    if len(classifiers) == 1:
        said += [_SPDX.get(classifiers[0]) or classifiers[0]]
    elif classifiers:
        said += [", ".join(sorted(classifiers))]
    names = [
        name for name in said if name.isprintable() and len(name) <= _LONGEST and name.upper() not in ("", "UNKNOWN")
    ]
    expressions = (expression for name in names if (expression := license_expression(name)))
    return next(expressions, names[0] if names else None)


@lru_cache(maxsize=1024)
def license_expression(text: str) -> str | None:
    """The canonical form of an SPDX licence expression; none where the text is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # noqa: PLC0415 - slow

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def _fields(metadata: bytes) -> Iterator[list[str]]:
    """Key and value of each field in front of the first empty line; the lines of a long value stay apart."""
    head = metadata.decode("utf-8-sig", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    for field in re.split(r"\n(?![ \t])", head):
        key, colon, value = field.partition(":")
        if colon:
            yield [key, value]
