"""GnuPG's gpgv as a verifier of signatures: a program of every Debian, and of most other hosts.

It ends with status 0 for a key that has expired; what it says on its status channel is what counts (doc/DETAILS of
GnuPG).
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ToolError
from pycontainer.sources.debian.archive.verifier import Opened, Signature, State
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pycontainer.sources.debian.archive.keyrings import Keyring

_TIMEOUT: Final = 60.0
_STATES: Final = {
    "GOODSIG": State.GOOD,
    "BADSIG": State.BAD,
    "EXPKEYSIG": State.EXPIRED,
    "EXPSIG": State.EXPIRED,
    "REVKEYSIG": State.REVOKED,
    "ERRSIG": State.UNUSABLE,
}
# Words that make everything else that was said worthless.
_FATAL: Final = frozenset({"ERROR", "NODATA", "BADARMOR", "UNEXPECTED"})
# Of ERRSIG: keyid, public-key algorithm, hash algorithm, class, time, and the reason, which may be a missing key.
_REASON, _NO_KEY = 5, "9"


class Gpgv:
    """The program."""

    def __init__(self, program: str) -> None:
        self._program = program

    @property
    def name(self) -> str:
        """Its path."""
        return self._program

    def open(self, message: bytes, keyrings: Sequence[Keyring], now: datetime) -> Opened:
        """See `Verifier`; the time is the host's, which is all that gpgv knows."""
        del now
        with temporary_folder() as home:
            (home / "message").write_bytes(message)
            command = [self._program, "--homedir", str(home), "--status-fd", "1", "--output", str(home / "text")]
            # A collision of SHA-1 costs less than a mirror; apt refuses it as well.
            command += ["--weak-digest", "SHA1", "--weak-digest", "RIPEMD160"]
            for number, keyring in enumerate(keyrings):
                path = home / f"{number}.gpg"
                path.write_bytes(keyring.keys)
                command += ["--keyring", str(path)]
            status = self._run([*command, str(home / "message")])
            try:
                text = (home / "text").read_bytes()
            except OSError:
                text = b""
        return Opened(text=text, signatures=_read_status(status, has_text=bool(text)))

    def _run(self, command: Sequence[str]) -> bytes:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            done = subprocess.run(  # noqa: S603 - a program by its path
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
                env=environment,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"`{self._program}` cannot be run", facts=[str(error)]) from error
        if b"[GNUPG:] " not in done.stdout:
            lines = done.stderr.decode("utf-8", "replace").splitlines()
            raise ToolError(f"`{self._program}` failed", facts=[f"status: {done.returncode}", *lines[-5:]])
        return done.stdout


def _read_status(status: bytes, *, has_text: bool) -> tuple[Signature, ...]:
    """The signatures of a status channel, none of them good unless exactly one text was given back without an error."""
    lines = []
    for line in status.decode("utf-8", "replace").split("\n"):
        mark, _, rest = line.partition(" ")
        if mark == "[GNUPG:]":
            lines.append(rest.split(" "))
    words = [line[0] for line in lines]
    sound = has_text and words.count("PLAINTEXT") == 1 and _FATAL.isdisjoint(words)
    return tuple(_judge(block, sound=sound) for block in _blocks(lines))


def _blocks(lines: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """What is said of each signature, which begins with NEWSIG; without a verdict nothing is."""
    begins = [number for number, line in enumerate(lines) if line[0] == "NEWSIG"]
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=False):  # without begins, none
        block = [line for line in lines[begin:end] if len(line) > 1 and line[0] in {*_STATES, "VALIDSIG"}]
        if block:
            yield block


def _judge(block: Sequence[list[str]], *, sound: bool) -> Signature:
    """One signature: good where GOODSIG is the only verdict and VALIDSIG, which has the fingerprints, is there."""
    verdicts = [line for line in block if line[0] in _STATES]
    valid = next((line for line in block if line[0] == "VALIDSIG"), None)
    if len(verdicts) != 1:
        return Signature(keys=(block[0][1],), state=State.UNUSABLE)
    word, key, *rest = verdicts[0]
    state = _STATES[word]
    if word == "ERRSIG" and len(rest) >= _REASON and rest[_REASON - 1] == _NO_KEY:
        state = State.UNKNOWN
    if state is State.GOOD and not (sound and valid):
        state = State.UNUSABLE
    return Signature(keys=(valid[1], valid[-1]) if valid else (key,), state=state)
