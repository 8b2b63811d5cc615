"""Every secret here is made up, and put together at run time so that no scanner of repositories takes it for one."""

import io
import string
import sysconfig
from pathlib import Path

import pytest

from pycontainer.policy.detectors import _OVERLAP, _SLICE, scan, scan_text

ALNUM = (string.ascii_letters + string.digits) * 4
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
HEADER = "-----BEGIN {}PRIVATE" + " KEY-----"
BODY = "\n".join(ALNUM[start : start + 64] for start in range(0, 192, 64))
SECRETS = {
    "PEM": (HEADER.format("") + f"\n{BODY}\n", "a private key"),
    "RSA": (HEADER.format("RSA ") + f"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{BODY}", "a private key"),
    "OpenSSH": (HEADER.format("OPENSSH ") + f"\r\n{BODY}\r\n", "a private key"),
    "in a string": ('{"private_key": "' + HEADER.format("") + f'\\n{ALNUM[:64]}\\n"}}', "a private key"),
    "PuTTY": ("PuTTY-User-Key" + "-File-3: ssh-ed25519\n", "a private key"),
    "AWS": (f"key = 'AKIA{UPPER[:16]}'", "an access key of AWS"),
    "AWS secret": (f"aws_secret_access_key = {ALNUM[:40]}\n", "a secret key of AWS"),
    "GitHub": (f"TOKEN=ghp_{ALNUM[:36]}", "a token of GitHub"),
    "GitHub, fine": (f"github_pat_{ALNUM[:82]}", "a token of GitHub"),
    "GitLab": (f"glpat-{ALNUM[:20]}", "a token of GitLab"),
    "Slack": (f"xoxb-{ALNUM[:24]}", "a token of Slack"),
    "npm": (f"npm_{ALNUM[:36]}", "a token of npm"),
    "npmrc": (f"//npm.lab/:_authToken={ALNUM[:20]}", "a token of npm"),
    "index": ("pypi-" + ALNUM[:120], "a token of a package index"),
    "URL": ("DATABASE_URL=postgres://api:h4nter2@db.acme.lab/api", "a password in a URL"),
    "URL without user": ("redis://:h4nter2@cache.acme.lab:6379/0", "a password in a URL"),
    "URL, short": ("redis://a:b@cache.acme.lab", "a password in a URL"),
    "URL of any scheme": ('f"{scheme}://api:h4nter2@db.acme.lab"', "a password in a URL"),
    "URL in UTF-8": ("amqp://käthe:h4ntér2@mq.acme.lab/", "a password in a URL"),
    "registry": ('{"auths": {"ghcr.io": {"auth": "Ym9iOg=="}}}', "credentials of a registry"),
    "cluster": (f"users:\n- name: a\n  user:\n    client-key-data: {ALNUM[:80]}\n", "credentials of a cluster"),
    "cluster, token": (f"kind: Config\nusers:\n- user:\n    token: {ALNUM[:40]}\n", "credentials of a cluster"),
}
HARMLESS = {
    "header alone": 'if text.startswith("' + HEADER.format("") + '"):',
    "public key": "-----BEGIN PUBLIC KEY-----\n" + BODY,
    "documentation of AWS": "AKIAIOSFODNN7EXAMPLE",
    "placeholder": "https://user:password@host.lab/ https://user:${PASSWORD}@host.lab/ http://u:%s@host.lab {}:{}@x",
    "this host": "postgres://postgres:postgres@localhost:5432/x redis://:abc@127.0.0.1/0",
    "example host": "https://bob:hunter2@registry.example/x https://bob:hunter2@www.example.com/x",
    "no password": "ssh://git@host.lab/x.git https://host.lab:8080/a@b",
    "a digest": "sha256:" + "0123456789abcdef" * 4,
    "empty registry": '{"auths": {"ghcr.io": {}}}',
    "a word": "xoxo-love ghp_short glpat-no npm_config",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_not_shown(name: str) -> None:
    text, what = SECRETS[name]
    findings = list(scan(io.BytesIO(f"one\ntwo\n{text}\n".encode()), path="app.txt"))
    assert [finding.what for finding in findings] == [what]
    assert findings[0].line in {3, 5, 6}
    assert ALNUM[:10] not in repr(findings)
    assert [finding.what for finding in scan_text(text)] == [what]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_one_is_none(name: str) -> None:
    assert list(scan(io.BytesIO(HARMLESS[name].encode()), path="app.txt")) == []


@pytest.mark.parametrize(
    "content",
    [
        b"://\x12\xc3:\x84\xf6\x01\x97\xd2@Kx",
        b"://\xfa:!\xea\x05d\x80@m",
        b"://f:Z@u",
        b"http://\0mailto:\0news\0@host",
    ],
)
def test_what_random_bytes_and_programs_hold_is_no_url(content: bytes) -> None:
    assert list(scan(io.BytesIO(b"\x7fELF\x02" + content), path="model.bin")) == []


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("place", [_SLICE - 30, _SLICE - _OVERLAP + 10])
def test_a_secret_across_slices_is_found_once_on_its_line(name: str, place: int) -> None:
    text, what = SECRETS[name]
    before = ("x" * 99 + "\n") * (place // 100)
    content = before + " " * (place - len(before) - 1) + "\n" + text + "\n" + "y" * _OVERLAP
    (finding,) = scan(io.BytesIO(content.encode()), path="app.txt")
    assert finding.what == what
    assert 0 <= (finding.line or 0) - before.count("\n") - 2 <= 3


def test_all_of_them_are_told_up_to_a_bound() -> None:
    text, what = SECRETS["URL"]
    lines = "".join(f"{text}\n{'x' * 99_000}\n" for _ in range(30)).encode()
    found = list(scan(io.BytesIO(lines), path="app.txt"))
    assert {finding.what for finding in found} == {what}
    assert [finding.line for finding in found] == list(range(1, 41, 2))


@pytest.mark.parametrize(
    ("path", "suspicious"),
    [
        (".env", True),
        ("deploy/.env.production", True),
        ("prod.env", True),
        (".env.example", False),
        ("/root/.netrc", True),
        (".pypirc", True),
        ("home/.kube/config", True),
        (".aws/credentials", True),
        ("docs/credentials", False),
        ("keys/id_ed25519", True),
        ("keys/id_ed25519.pub", False),
        ("cert.p12", True),
        ("environment.py", False),
    ],
)
def test_some_names_tell_enough(path: str, *, suspicious: bool) -> None:
    assert bool(list(scan(io.BytesIO(b""), path=path))) is suspicious


def test_the_standard_library_holds_no_secrets() -> None:
    """Thousands of files that nobody wrote for this test: no alarm but for what really looks like one."""
    root = Path(sysconfig.get_path("stdlib"))
    files = [path for path in root.rglob("*.py") if "site-packages" not in path.parts and "test" not in path.parts]
    alarms = []
    for path in files:
        with path.open("rb") as stream:
            alarms += [(path.name, finding) for finding in scan(stream, path=path.name)]
    assert len(files) > 500
    assert alarms == []
