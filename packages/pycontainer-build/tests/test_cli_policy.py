from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.frontend import exit_codes
from pycontainer.testing.index_server import IndexServer, serving
from pycontainer.testing.wheels import WheelForge

Run: TypeAlias = Callable[..., Any]

SECRET = "h4nter2"
KEY = "-----BEGIN PRIVATE" + " KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 3 + "\n"
BACKEND = """
import base64, hashlib, zipfile

def build_wheel(directory, settings=None, metadata=None):
    name = "app-1.0-py3-none-any.whl"
    files = {
        "app.py": open("app.py").read(),
        "app-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: app\\nVersion: 1.0\\n",
        "app-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = []
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        for path, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(content)}")
            wheel.writestr(path, content)
        wheel.writestr("app-1.0.dist-info/RECORD", "\\n".join([*rows, "app-1.0.dist-info/RECORD,,", ""]))
    return name
"""


@dataclass(frozen=True)
class Project:
    """A project in the current directory, which builds offline, and the command."""

    run: Run
    base: Path
    index: IndexServer

    def lock(self, *licenses: str | None) -> None:
        """Lock the packages `p0`, `p1`, …, each with a licence."""
        locked = ['lock-version = "1.0"\ncreated-by = "test"\n']
        for number, license_ in enumerate(licenses):
            name = f"p{number}"
            more = f"License-Expression: {license_}\n" if license_ else ""
            metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}".encode()
            forge = WheelForge(name=name, version="1.0", files={f"{name}.py": b""}, metadata=metadata)
            content = forge.build()
            digest = self.index.add(name, forge.filename, content)
            url = json.dumps(f"{self.index.url}/files/{forge.filename}")
            file = f'{{ url = {url}, size = {len(content)}, hashes = {{ sha256 = "{digest}" }} }}'
            locked.append(f'[[packages]]\nname = "{name}"\nversion = "1.0"\nwheels = [{file}]\n')
        Path("pylock.toml").write_text("\n".join(locked))

    def build(self, policy: str, *words: str, **options: Any) -> Any:
        """Build under a policy."""
        Path("pycontainer.toml").write_text(f"[policy]\n{policy}\n")
        given = ("--base-image", f"oci:{self.base}", "--platform", "linux/amd64")
        return self.run("build", *given, *words, **options)

    def refuses(self, policy: str, *violations: str, words: tuple[str, ...] = (), **options: Any) -> str:
        """Build, and see that the policy's violations are all that is told, and nothing was written."""
        done = self.build(policy, *words, **options)
        assert done.code == exit_codes.POLICY, done.err
        count = len(violations)
        assert f"does not allow this image: {count} violation{'' if count == 1 else 's'}\n" in done.err
        for violation in violations:
            assert f"  {violation}\n" in done.err
        assert "  set by: policy in pycontainer.toml\n" in done.err
        assert not Path("dist").exists()
        assert SECRET not in done.err + done.out
        return str(done.err)


@pytest.fixture
def project(run: Run, base: Path) -> Iterator[Project]:
    Path("pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\n')
    Path("app.py").write_text("print('hello')\n")
    with serving() as index:
        made = Project(run, base, index)
        made.lock("MIT")
        yield made


ALL = """
non-root = true
require-hashes = true
no-sdists = true
require-https = true
no-secrets = true
allowed-bases = ["oci:*"]
allowed-licenses = ["MIT", "Apache-*"]
forbidden-files = ["*.sql"]
"""


def test_an_image_that_keeps_every_rule_is_built(project: Project) -> None:
    done = project.build(ALL + f'allowed-indexes = ["{project.index.url}"]\n')
    assert done.code == 0, done.err
    assert Path("dist/image/index.json").exists()
    planned = project.build("non-root = true\nno-sdists = true", "--dry-run")
    assert "policy       policy in pycontainer.toml: no-sdists, non-root\n" in planned.out


@pytest.mark.parametrize(
    ("policy", "words", "violation"),
    [
        ("pinned-base = true", (), "pinned-base: the base image `oci:{base}` is named by no digest"),
        ('allowed-bases = ["python:*"]', (), "allowed-bases: the base image `oci:{base}`"),
        ("non-root = true", ("--user", "0"), "non-root: the image runs as `0`"),
        ("non-root = true", ("--user", "root"), "non-root: the image runs as `root`"),
        (
            "require-https = true",
            ("--insecure-registry", "reg.lab"),
            "require-https: the registry `reg.lab` may be spoken to over plain http",
        ),
        (
            'allowed-indexes = ["https://index.example/simple"]',
            (),
            "allowed-indexes: `p0 1.0` comes from `{index}/files/p",
        ),
    ],
)
def test_what_a_plan_breaks_is_told_before_anything_is_made(
    policy: str, words: tuple[str, ...], violation: str, project: Project
) -> None:
    expected = violation.format(base=project.base, index=project.index.url)
    for more in ((), ("--dry-run",)):
        done = project.build(policy, *words, *more)
        assert done.code == exit_codes.POLICY
        assert expected in done.err
        assert done.out == ""
    assert not Path("dist").exists()


def test_every_package_that_a_rule_forbids_is_told(project: Project) -> None:
    sdist = f'{{ url = "{project.index.url}/files/s-1.0.tar.gz", hashes = {{ sha256 = "{"0" * 64}" }} }}'
    commit = f'{{ type = "git", url = "https://git.lab/v", commit-id = "{"1" * 40}" }}'
    with Path("pylock.toml").open("a") as lock:
        lock.write(f'[[packages]]\nname = "s"\nversion = "1.0"\nsdist = {sdist}\n')
        lock.write(f'[[packages]]\nname = "v"\nversion = "1.0"\nvcs = {commit}\n')
    project.refuses(
        "no-sdists = true\nrequire-hashes = true",
        "no-sdists: `s 1.0` is built of an sdist",
        "no-sdists: `v 1.0` is built of a commit",
        "require-hashes: `v 1.0` is taken from a commit, which has no hash",
    )


def test_a_lock_without_hashes_is_refused(project: Project) -> None:
    Path("pylock.toml").unlink()
    Path("requirements.txt").write_text("p0==1.0\n")
    Path("pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\ndependencies = ["p0"]\n')
    words = ("--index-url", f"{project.index.url}/simple")
    project.refuses("require-hashes = true", "require-hashes: `p0 1.0` has no hash in the lock", words=words)


def test_licences_are_judged_by_what_the_wheels_declare(project: Project) -> None:
    project.lock("MIT", "GPL-3.0-only", "MIT OR GPL-3.0-only", None)
    project.refuses('denied-licenses = ["GPL-*"]', "denied-licenses: `p1 1.0` is under GPL-3.0-only")
    project.refuses(
        'allowed-licenses = ["MIT"]',
        "allowed-licenses: `p1 1.0` is under GPL-3.0-only",
        "allowed-licenses: `p3 1.0` declares no licence",
    )
    stated = '[policy.licenses]\np1 = "MIT"\nP3 = "MIT"\n'
    assert project.build(f'allowed-licenses = ["MIT"]\n{stated}').code == 0


def test_secrets_in_files_and_settings_are_told_by_place_and_never_shown(project: Project) -> None:
    Path("settings.py").write_text(f"\n\nURL = 'postgres://api:{SECRET}@db.lab/x'\n")
    Path("deploy").mkdir()
    Path("deploy/server.key.txt").write_text(KEY)
    Path("dump.sql").write_text("select 1")
    Path("extra.ini").write_text(KEY)
    words = (
        "--env",
        f"URL=redis://:{SECRET}@cache.lab/0",
        "--env",
        f"API_TOKEN={SECRET}",
        "--add",
        "extra.ini:/etc/app.ini",
    )
    violations = (
        "no-secrets: `settings.py`, line 3: a password in a URL",
        "no-secrets: `deploy/server.key.txt`, line 1: a private key",
        "no-secrets: `extra.ini`, line 1: a private key",
        "no-secrets: `/etc/app.ini`, line 1: a private key",
        "no-secrets: `env.URL`: a password in a URL",
        "no-secrets: `env.API_TOKEN`: a secret, by its name",
        "forbidden-files: `dump.sql`",
    )
    rules = 'no-secrets = true\nforbidden-files = ["*.sql"]\n'
    err = project.refuses(rules, *violations, words=words)
    assert "MIIEvQ" not in err
    assert "hint: Take the file out with `--exclude`" in err
    project.refuses(rules, *violations, words=(*words, "--dry-run"))
    files = ("settings.py", "deploy/*", "extra.ini", "/etc/app.ini", "env.*", "dump.sql")
    allowed = "\n".join(f'"{file}" = "made up for tests"' for file in files)
    assert project.build(f"{rules}[policy.allowed-files]\n{allowed}", *words).code == 0


def test_what_a_backend_puts_into_the_wheel_is_read_there(project: Project) -> None:
    Path("backend.py").write_text(BACKEND)
    Path("app.py").write_text(f"URL = 'postgres://api:{SECRET}@db.lab/x'\n")
    Path("pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    place = "/app/.venv/lib/python3.12/site-packages/app.py"
    project.refuses(
        "no-secrets = true", f"no-secrets: `{place}`, line 1: a password in a URL", words=("--entrypoint", "app")
    )


def test_a_project_cannot_loosen_what_an_organisation_asks_for(project: Project, tmp_path: Path) -> None:
    Path("settings.py").write_text(KEY)
    organisation = tmp_path / "organisation.toml"
    excuse = "no-secrets = false\n[policy.allowed-files]\n'settings.py' = 'a key of the tests'\n"
    environment = {"PYCONTAINER_POLICY": str(organisation)}
    organisation.write_text("no-secrets = true\n")
    done = project.build(excuse, environment=environment)
    assert done.code == exit_codes.POLICY
    assert "  set by: organisation.toml\n" in done.err
    organisation.write_text("no-secrets = true\nallow-exceptions = true\n")
    assert project.build(excuse, environment=environment).code == 0


def test_programs_read_violations_as_json(project: Project) -> None:
    done = project.build("non-root = true", "--user", "0", "--json")
    error = json.loads(done.out)["error"]
    assert (error["kind"], error["exit_code"]) == ("PolicyError", 5)
    assert error["facts"] == ["non-root: the image runs as `0`", "set by: policy in pycontainer.toml"]
