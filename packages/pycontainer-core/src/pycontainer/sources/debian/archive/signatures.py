"""The signature of an `InRelease`: who signed it, and the text that was signed.

    text = open_signed(content, keyrings, verifier=find_verifier(), now=now, name=url)

`gpgv` checks it where it is installed, else pysequoia. Only the text that the verifier gives back is ever read: what
stands in the file beside it was signed by nobody. One good signature is enough, since an archive signs with its old
and its new key at once and a base image may know only one of them.
"""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from pycontainer.errors import IntegrityError, ToolError
from pycontainer.sources.debian.archive.gpgv import Gpgv
from pycontainer.sources.debian.archive.sequoia import Sequoia
from pycontainer.sources.debian.archive.verifier import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from pycontainer.sources.debian.archive.keyrings import Keyring
    from pycontainer.sources.debian.archive.verifier import Signature, Verifier

_BEGIN: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE: Final = b"-----BEGIN PGP SIGNATURE-----"
_END: Final = b"-----END PGP SIGNATURE-----"
# RFC 9580, 7.1. `NotDashEscaped`, an invention of GnuPG, would change what the lines mean.
_HEADER: Final = re.compile(rb"Hash: [A-Za-z0-9, -]+")


def find_verifier(environment: Mapping[str, str] | None = None) -> Verifier:
    """The program gpgv of `PATH`, else pysequoia.

    Raises:
        ToolError: Neither is installed.
    """
    environment = os.environ if environment is None else environment
    if program := shutil.which("gpgv", path=environment.get("PATH")):
        return Gpgv(program)
    if find_spec("pysequoia") is not None:
        return Sequoia()
    raise ToolError(
        "Nothing on this host can check the signature of a Debian archive",
        facts=["looked for: `gpgv` on PATH, the Python package `pysequoia`"],
        hint="Install gpgv, or `pycontainer-core[debian]`, or build from a lock, which needs neither",
    )


def open_signed(
    message: bytes,
    keyrings: Sequence[Keyring],
    *,
    verifier: Verifier,
    now: datetime,
    name: str,
    only: Collection[str] = (),
) -> bytes:
    """The signed text of a message.

    Args:
        message: Clear-signed (RFC 9580, 7), nothing before and nothing after.
        keyrings: Whose keys count.
        verifier: Checks it.
        now: Keys that have expired by then do not count.
        name: What an error calls the message.
        only: Fingerprints of the only keys that count, in upper case; none means all in the keyrings.

    Raises:
        IntegrityError: Not signed, signed by nobody that counts, or changed since.
        ToolError: The verifier failed.
    """
    _check_frame(message, name)
    opened = verifier.open(message, keyrings, now)
    good = [signature for signature in opened.signatures if signature.state is State.GOOD]
    if any(not only or not set(only).isdisjoint(signature.keys) for signature in good):
        return opened.text
    raise _refused(name, opened.signatures, keyrings, verifier, only)


def _refused(
    name: str,
    signatures: Sequence[Signature],
    keyrings: Sequence[Keyring],
    verifier: Verifier,
    only: Collection[str],
) -> IntegrityError:
    facts = [f"key {signature.keys[0]}: {_reason(signature)}" for signature in signatures]
    facts.append(f"keys: {', '.join(keyring.name for keyring in keyrings)}")
    if only:
        facts.append(f"wanted by the source: {', '.join(sorted(only))}")
    facts.append(f"checked by: {verifier.name}")
    states = {signature.state for signature in signatures}
    if State.BAD in states:
        return IntegrityError(f"`{name}` was changed after it was signed", facts=facts)
    hint = "Set {os_keyring} to a file with the key of this archive, if you trust it"
    if states == {State.EXPIRED}:
        return IntegrityError(f"`{name}` is signed by a key that has expired", facts=facts, hint=hint)
    if states == {State.REVOKED}:
        return IntegrityError(f"`{name}` is signed by a key that was revoked", facts=facts)
    return IntegrityError(f"`{name}` is not signed by a key that is trusted", facts=facts, hint=hint)


def _reason(signature: Signature) -> str:
    return "good, but not one that the source wants" if signature.state is State.GOOD else signature.state.value


def _check_frame(message: bytes, name: str) -> None:
    """One signed message fills the file: nobody has to guess which part of it counts."""
    lines = [line.rstrip() for line in message.rstrip().split(b"\n")]
    if lines.count(_BEGIN) == 0:
        raise IntegrityError(f"`{name}` is not signed", facts=["it is no clear-signed message"])
    if any(lines.count(mark) != 1 for mark in (_BEGIN, _SIGNATURE, _END)):
        raise IntegrityError(f"`{name}` is not one signed message", facts=["it has several parts, or half of one"])
    if lines[0] != _BEGIN or lines[-1] != _END or lines.index(_SIGNATURE) > lines.index(_END):
        raise IntegrityError(f"`{name}` has text outside of what is signed")
    head = lines[1 : lines.index(b"")] if b"" in lines else lines
    if not all(_HEADER.fullmatch(line) for line in head):
        raise IntegrityError(f"`{name}` is signed in a way that is not understood")
