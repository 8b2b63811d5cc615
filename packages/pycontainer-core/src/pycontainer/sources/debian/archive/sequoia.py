"""pysequoia as a verifier of signatures, for hosts without gpgv.

Sequoia asks whether a key was valid when it signed; we ask, as gpgv does, whether
it is valid now.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.archive.verifier import Opened, Signature, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.archive.keyrings import Keyring

_LONG_ID: Final = 16


class Sequoia:
    """Sequoia-PGP, as a library."""

    name = "pysequoia"

    def open(self, message: bytes, keyrings: Sequence[Keyring], now: datetime) -> Opened:
        """See `Verifier`."""
        import pysequoia  # noqa: PLC0415 - an optional dependency

        keys = _Keys(now)
        for keyring in keyrings:
            for certificate in _certificates(keyring):
                keys.add(certificate)
        asked: list[str] = []

        def certificates(issuers: list[str]) -> list[Any]:
            asked.extend(issuer.upper() for issuer in issuers)
            return keys.certificates

        try:
            opened = pysequoia.verify(message, store=certificates)
        except RuntimeError:  # one for everything: no message, no signature, none that is good
            return Opened(text=b"", signatures=tuple(keys.failed(issuer) for issuer in dict.fromkeys(asked)))
        good = [(str(item.signing_key).upper(), str(item.certificate).upper()) for item in opened.valid_sigs]
        signatures = [Signature(keys=pair, state=keys.states.get(pair[0], State.UNUSABLE)) for pair in good]
        others = [issuer for issuer in dict.fromkeys(asked) if not any(key.endswith(issuer) for key, _ in good)]
        signatures += [keys.failed(issuer) for issuer in others]
        return Opened(text=bytes(opened.bytes or b""), signatures=tuple(signatures))


def _certificates(keyring: Keyring) -> list[Any]:
    import pysequoia  # noqa: PLC0415 - as above

    try:
        return list(pysequoia.Cert.split_bytes(keyring.keys))
    except RuntimeError as error:
        raise DocumentError(f"The keyring `{keyring.name}` cannot be read", facts=[_first(error)]) from error


class _Keys:
    """Every key of some certificates, and whether it is usable now."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.certificates: list[Any] = []
        self.states: dict[str, State] = {}

    def add(self, certificate: Any) -> None:
        try:
            primary = self._state_of_primary(certificate)
            subkeys = self._subkeys(certificate)
        except RuntimeError:
            # Bound by nothing, or only by SHA-1: other keys of the keyring may still be good.
            return
        self.certificates.append(certificate)
        self.states[str(certificate.fingerprint).upper()] = primary
        for name, state in subkeys.items():
            self.states[name] = state if primary is State.GOOD else primary

    def _state_of_primary(self, certificate: Any) -> State:
        if certificate.is_revoked:
            return State.REVOKED
        expires = certificate.expiration
        return State.EXPIRED if expires is not None and expires <= self._now else State.GOOD

    def _subkeys(self, certificate: Any) -> dict[str, State]:
        from pysequoia.packet import PacketPile, SignatureType, Tag  # noqa: PLC0415 - as above

        states: dict[str, State] = {}
        name, created, newest = "", None, None
        for packet in PacketPile.from_bytes(bytes(certificate)):
            if packet.tag == Tag.PublicSubkey:
                name, created, newest = str(packet.fingerprint).upper(), packet.key_created, None
                states[name] = State.GOOD
            elif packet.tag != Tag.Signature or not name:
                continue
            elif packet.signature_type == SignatureType.SubkeyRevocation:
                states[name] = State.REVOKED
            elif packet.signature_type == SignatureType.SubkeyBinding and states[name] is not State.REVOKED:
                # The newest binding tells how long the key is good for.
                made = packet.signature_created or datetime.min.replace(tzinfo=timezone.utc)
                if newest is None or made >= newest:
                    newest = made
                    states[name] = self._state_of(created, packet.key_validity_period)
        return states

    def _state_of(self, created: datetime | None, period: timedelta | None) -> State:
        over = bool(created and period and created + period <= self._now)
        return State.EXPIRED if over else State.GOOD

    def failed(self, issuer: str) -> Signature:
        """A signature that Sequoia does not call valid: by an unknown key, or by a known one that did not make it."""
        match = next((key for key in self.states if key.endswith(issuer)), None) if len(issuer) >= _LONG_ID else None
        if match is None:
            return Signature(keys=(issuer,), state=State.UNKNOWN)
        state = self.states[match]
        return Signature(keys=(match,), state=State.BAD if state is State.GOOD else state)


def _first(error: BaseException) -> str:
    """The message without the backtrace that follows it."""
    return str(error).partition("\n")[0]
