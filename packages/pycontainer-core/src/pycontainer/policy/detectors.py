r"""Secrets, found by how they look: keys, tokens, files of credentials, passwords in URLs.

    for finding in scan(stream, path="app/settings.py"):
        finding.what, finding.line          # "a token of GitHub", 12: what it is and where, never the text itself

The patterns are those of secrets that say what they are, so that nearly everything they find is one. A file is read
once, in slices; nothing of it is kept but the end of a slice, in which a secret may have begun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.policy.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.blobs.hashing import Source

_SLICE: Final = 1 << 20
# The longest text that a pattern has to see as a whole.
_OVERLAP: Final = 4 << 10
# Of one kind in one file; who has more of them knows by then.
_MOST: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A secret: what it is, and the line that it begins in; none where the name of the file tells enough."""

    what: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Detector:
    """A pattern, and texts one of which a slice must have for the pattern to be worth trying."""

    what: str
    signs: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


def _detector(what: str, signs: bytes, pattern: bytes) -> _Detector:
    return _Detector(what, tuple(signs.split(b"|")), re.compile(pattern))


# What may stand between the lines of a key: in a file, or in a string of a program.
_BREAK: Final = rb"(?:\\[nr]|\s|[\"'+])*"
_HEADERS: Final = rb"(?:[A-Za-z-]{4,20}: [^\r\n]{1,120}" + _BREAK + rb"){0,4}"
# Whose passwords nobody outside can use (RFC 2606, RFC 6761).
_NOWHERE: Final = rb"(?:localhost|127\.|\[::1\]|(?:[\w-]+\.){0,9}(?:example|test|invalid)\b)"
_SOMEWHERE: Final = rb"(?!\S{0,300}@" + _NOWHERE + rb")"
# What a user and a password are written with.
_WRITTEN: Final = rb"(?:[!&()+,.0-9;=A-Z\[\]^_a-z|~-]|[\xc2-\xf4][\x80-\xbf]{1,3})"
_USER: Final = _WRITTEN + rb"{0,100}:"
_PASSWORD: Final = rb"(?:[%:]|" + _WRITTEN + rb")"
_NO_PLACEHOLDER: Final = rb"(?!%[sdr(]|(?:pass|passwd|password|pwd|secret|token|x+|\.+)@)"
# Random bytes, as of a model or an archive, have all marks of a URL with a password once in some gigabytes: behind no
# scheme, and with less than a word between them.
_NO_CHANCE: Final = rb"(?:(?<=[a-z+]{3}://)|(?=" + _USER + _PASSWORD + rb"{4}))"
_DETECTORS: Final = (
    _detector(
        "a private key",
        b"PRIVATE KEY",
        rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----" + _BREAK + _HEADERS + rb"[A-Za-z0-9+/=]{24}",
    ),
    _detector("a private key", b"PuTTY-User-Key-File", rb"(?m)^PuTTY-User-Key-File-[0-9]: "),
    _detector(
        "an access key of AWS",
        b"AKIA|ASIA",
        rb"(?<![A-Za-z0-9/+])A[KS]IA(?![A-Z0-9]{9}EXAMPLE)[A-Z2-7]{16}(?![A-Za-z0-9/+])",
    ),
    _detector(
        "a secret key of AWS",
        b"aws_secret_access_key|AWS_SECRET_ACCESS_KEY",
        rb"(?i)aws_secret_access_key[\"']?\s{0,8}[=:]\s{0,8}[\"']?(?!\S{30}EXAMPLEKEY)[a-z0-9/+]{40}(?![a-z0-9/+=])",
    ),
    _detector("a token of GitHub", b"ghp_|gho_|ghu_|ghs_|ghr_", rb"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    _detector("a token of GitHub", b"github_pat_", rb"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{60,255}"),
    _detector(
        "a token of GitLab",
        b"glpat-|gldt-|glrt-|glcbt-|glptt-|glsoat-",
        rb"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_-]{20,}",
    ),
    _detector(
        "a token of Slack",
        b"xoxa-|xoxb-|xoxe-|xoxp-|xoxo-|xoxr-|xoxs-",
        rb"(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z-]{20,}",
    ),
    _detector(
        "a webhook of Slack", b"hooks.slack.com", rb"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{20,}"
    ),
    _detector("a token of a package index", b"pypi-", rb"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{80,}"),
    _detector("a token of npm", b"npm_", rb"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _detector("a token of npm", b":_auth", rb":_auth(?:Token)?\s{0,4}=\s{0,4}(?!\$)[^\s$]{8}"),
    _detector("a key of Google", b"AIza", rb"(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    _detector("a key of Stripe", b"sk_live_|rk_live_", rb"(?<![A-Za-z0-9])[rs]k_live_[0-9A-Za-z]{20,}"),
    _detector(
        "a password in a URL",
        b"://",
        rb"://" + _NO_CHANCE + _SOMEWHERE + _USER + _NO_PLACEHOLDER + _PASSWORD + rb"{1,200}@[A-Za-z0-9\[]",
    ),
    _detector(
        "credentials of a registry",
        b'"auths"',
        rb"\"auths\"\s{0,40}:\s{0,40}\{[^}]{0,400}\"(?:auth|identitytoken)\"\s{0,9}:\s{0,9}\"[^\"]",
    ),
    _detector(
        "credentials of a cluster", b"client-key-data", rb"client-key-data[\"']?:\s{0,9}[\"']?[A-Za-z0-9+/=]{40}"
    ),
    _detector(
        "credentials of a cluster", b"kind: Config", rb"kind: Config\s(?s:.{0,3500}?)\btoken: [\"']?[A-Za-z0-9._-]{20}"
    ),
)

# Of a path, or of its last part where the pattern has no slash.
_NAMES: Final = {
    "a file of environment variables": (".env", ".env.*", "*.env"),
    "a file of credentials": (".netrc", "_netrc", ".pypirc", ".git-credentials", ".htpasswd", ".pgpass", ".my.cnf"),
    "credentials of AWS": (".aws/credentials", "*/.aws/credentials"),
    "credentials of a cluster": ("kubeconfig", "*.kubeconfig", ".kube/config", "*/.kube/config"),
    "a private key": ("id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "*.ppk"),
    "a store of keys": ("*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx"),
    "the state of Terraform": ("terraform.tfstate", "*.tfstate"),
}
_TEMPLATES: Final = ("*.example", "*.sample", "*.template", "*.dist", "example.env", "sample.env", "template.env")


def scan(stream: Source, *, path: str) -> Iterator[Finding]:
    """The secrets in a file, by its name and by its content; at most 20 of a kind."""
    name = suspicious_name(path)
    if name is not None:
        yield Finding(what=name)
    yield from _scan_content(iter(lambda: stream.read(_SLICE), b""))


def scan_text(text: str) -> Iterator[Finding]:
    """The secrets in a value, such as that of a variable."""
    yield from _scan_content([text.encode("utf-8", "replace")])


def suspicious_name(path: str) -> str | None:
    """What a file of this name usually is, where that is a secret."""
    if matches(path, _TEMPLATES):
        return None
    return next((what for what, patterns in _NAMES.items() if matches(path, patterns)), None)


def _scan_content(slices: Iterable[bytes]) -> Iterator[Finding]:
    # Of each detector how many were found, and where in the file the last one ended: slices overlap.
    counts, ends = [0] * len(_DETECTORS), [0] * len(_DETECTORS)
    kept, start, lines = b"", 0, 1
    for piece in slices:
        window = kept + piece
        for number, detector in enumerate(_DETECTORS):
            if counts[number] == _MOST or not any(sign in window for sign in detector.signs):
                continue
            for match in detector.pattern.finditer(window):
                if start + match.start() >= ends[number] and counts[number] < _MOST:
                    counts[number] += 1
                    yield Finding(what=detector.what, line=lines + window.count(b"\n", 0, match.start()))
                ends[number] = max(ends[number], start + match.end())
        kept = window[-_OVERLAP:]
        passed = len(window) - len(kept)
        lines += window.count(b"\n", 0, passed)
        start += passed
