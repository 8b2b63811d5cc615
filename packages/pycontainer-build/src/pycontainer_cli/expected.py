"""The options that say whose signatures count, of the commands that look at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.builder.verifier import Expected


def add_expected(group: Any, *, without: str, help_without: str) -> None:
    """Add a key, an identity, and the flag that does without either."""
    group.add_argument("--key", metavar="FILE", help="public key, PEM, that the image must be signed with")
    group.add_argument("--identity", metavar="NAME", help="subject of the certificate that it must be signed by")
    group.add_argument("--issuer", metavar="URL", help="who vouched for that identity")
    group.add_argument(without, action="store_true", help=help_without)


def expected_of(others: Mapping[str, Any], *, without: str) -> Expected | None:
    """Whose signatures count; none where the flag of that name does without.

    Raises:
        ConfigError: Nothing was said, or more than one thing.
    """
    from pycontainer.builder.verifier import Expected, unclear  # noqa: PLC0415 - not for `--help`

    key, identity, issuer = others["key"], others["identity"], others["issuer"]
    if not others[without]:
        return Expected(key=Path(key) if key else None, identity=identity, issuer=issuer)
    if key or identity or issuer:
        raise unclear()
    return None
