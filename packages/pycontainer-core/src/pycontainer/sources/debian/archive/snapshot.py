"""The snapshot service: an archive as it was at some time, for packages that have left it since.

for url in snapshot_urls("http://snapshot.example/archive/debian/{time}", "pool/…/libpq5_….deb", dates, now=now): ...
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLACEHOLDER: Final = "{time}"
# A release is dated before its packages have reached the mirrors and the service, which looks four times a day; and
# what an index names stays in the archive for more than a day after the next index does not.
_AFTER: Final = timedelta(hours=12)


def snapshot_urls(template: str, path: str, dates: Iterable[datetime], *, now: datetime) -> Iterator[str]:
    """Where a file was after releases of these dates, the newest first.

    Args:
        template: The service's address for one archive, with `{time}` in it.
        path: Of the file, as the index has it, fit for an address.
        dates: Of the releases that had the file.
        now: Nothing later is asked for.
    """
    stamps = {f"{min(date + _AFTER, now).astimezone(timezone.utc):%Y%m%dT%H%M%SZ}" for date in dates}
    for stamp in sorted(stamps, reverse=True):
        yield f"{template.replace(PLACEHOLDER, stamp).rstrip('/')}/{path}"
