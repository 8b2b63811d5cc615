"""Operating system packages through the real command: what works, and one clear error for everything that does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from bench_debian import ARM64, LIBC, OS_RELEASE, DebianBench, bookworm_like, library_package, python_package

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Manifest
from pycontainer.testing.debian_archive import SigningKey
from pycontainer.testing.debs import DebForge
from pycontainer.testing.images import File, alpine_like
from pycontainer.transports.oci_layout import OCILayout

# Runs a program that sees nothing of this host's apt.
WITHOUT_APT = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc/apt && exec "$@"', "sh")
hides_apt = pytest.mark.skipif(
    sys.platform != "linux" or subprocess.run((*WITHOUT_APT, "true"), capture_output=True, check=False).returncode != 0,
    reason="this user may not mount a file system, or there is no apt",
)


def files_of(layout: Path) -> dict[str, bytes]:
    """The files of all layers of an image; what a later one has counts."""
    contents = OCILayout.at(layout)
    manifest = contents.manifest(contents.find(None))
    assert isinstance(manifest, Manifest)
    found: dict[str, bytes] = {}
    for layer in manifest.layers:
        with contents.blob(layer).open() as stream, tarfile.open(fileobj=stream, mode="r|*") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                found[member.name] = file.read() if file else b""
    return found


def test_a_package_comes_with_what_it_needs(debian: DebianBench) -> None:
    debian.run("build", "--os-package", "demo-tools")
    files = files_of(debian.bench.root / "dist" / "image")
    assert "usr/lib/x86_64-linux-gnu/libdemo.so.1" in files
    status = files["var/lib/dpkg/status"].decode()
    assert re.findall(r"^Package: (.*)$", status, re.MULTILINE) == ["demo-tools", "libc6", "libdemo1"]
    assert f"Version: {LIBC}" in status


def test_the_same_digest_cold_warm_and_locked(debian: DebianBench) -> None:
    cold = debian.run("build", "--os-package", "demo-tools").out
    asked = len(debian.archive.asked("/pool/"))
    assert debian.run("build", "--os-package", "demo-tools").out == cold
    assert len(debian.archive.asked("/pool/")) == asked, "a warm build fetches no package again"
    debian.run("lock", "--os-package", "demo-tools")
    debian.archive.requests.clear()
    assert debian.run("build", "--locked", "--os-package", "demo-tools", PYCONTAINER_OS_KEYRING="").out == cold
    assert debian.archive.requests == [], "a locked build with a warm cache asks nobody"
    fresh = str(debian.bench.root.parent / "another-cache")
    locked = debian.run("build", "--locked", "--os-package", "demo-tools", PYCONTAINER_CACHE_DIR=fresh)
    assert locked.out == cold
    assert debian.archive.asked("/dists/") == [], "a locked build asks for no index"


# --- what is asked for -----------------------------------------------------------------------------------------------


def test_an_unknown_package_is_named_with_near_ones(debian: DebianBench) -> None:
    debian.refuses("There is no package `libdemo2`", "Did you mean `libdemo1`?", arguments=("--os-package", "libdemo2"))


def test_a_version_that_is_not_there(debian: DebianBench) -> None:
    debian.refuses("`libdemo1` cannot be had in version `9`", "2.0", arguments=("--os-package", "libdemo1=9"))


def test_what_is_no_name_of_a_package_is_a_mistake_of_usage(debian: DebianBench) -> None:
    debian.bench.refuses("`lib demo`", code=2, arguments=["--os-package", "lib demo"])


def test_two_packages_that_exclude_each_other(debian: DebianBench) -> None:
    debian.archive.add(DebForge(name="rival", fields={"Conflicts": "libdemo1"}))
    debian.archive.publish()
    debian.refuses("`rival`", "excludes", "`libdemo1`", arguments=("--os-package", "demo-tools,rival"))


def test_a_dependency_that_nobody_has(debian: DebianBench) -> None:
    debian.archive.add(DebForge(name="lonely", fields={"Depends": "libnowhere9"}))
    debian.archive.publish()
    debian.refuses("`lonely` 1.0 depends on `libnowhere9`", arguments=("--os-package", "lonely"))


def test_an_upgrade_of_the_base_is_asked_for(debian: DebianBench) -> None:
    debian.archive.add(DebForge(name="libc6", version="2.36-9+deb12u9", files={"usr/share/libc": b"new\n"}))
    debian.archive.add(DebForge(name="newer", fields={"Depends": "libc6 (>= 2.36-9+deb12u9)"}))
    debian.archive.publish()
    debian.refuses("`libc6`", LIBC, "--os-allow-upgrade", arguments=("--os-package", "newer"))
    debian.run("build", "--os-package", "newer", "--os-allow-upgrade", "libc6")
    assert "Version: 2.36-9+deb12u9" in files_of(debian.bench.root / "dist/image")["var/lib/dpkg/status"].decode()


def test_a_script_that_nobody_can_explain_is_refused_and_let_through_by_name(debian: DebianBench) -> None:
    script = "#!/bin/sh\nset -e\n/usr/sbin/frobnicate --everything\n"
    debian.archive.add(DebForge(name="odd", scripts={"postinst": script}))
    debian.archive.publish()
    debian.refuses("`odd` 1.0", "frobnicate --everything", "--os-unconfigured", arguments=("--os-package", "odd"))
    debian.run("build", "--os-package", "odd", "--os-unconfigured", "odd")
    status = files_of(debian.bench.root / "dist/image")["var/lib/dpkg/status"].decode()
    assert "Package: odd\nStatus: install ok unpacked\n" in status


def test_an_excluded_package_stays_away(debian: DebianBench) -> None:
    debian.run("build", "--os-package", "demo-tools", "--os-exclude", "libdemo1")
    assert "Package: libdemo1" not in files_of(debian.bench.root / "dist/image")["var/lib/dpkg/status"].decode()


# --- where it is put -------------------------------------------------------------------------------------------------


def test_alpine_is_refused_by_name(debian: DebianBench) -> None:
    base = debian.make_base("alpine", alpine_like())
    debian.refuses(
        "is not made of Debian packages",
        "it is: alpine",
        "--base-image",
        arguments=("--base-image", base, "--os-package", "libdemo1"),
    )


def test_a_base_without_a_codename_is_refused(debian: DebianBench) -> None:
    released = OS_RELEASE.replace("VERSION_CODENAME=bookworm\n", "")
    base = debian.make_base("nameless", bookworm_like(File("usr/lib/os-release", released.encode())))
    debian.refuses(
        "The base image does not tell which release it is",
        "VERSION_CODENAME",
        "--os-archive",
        arguments=("--base-image", base, "--os-package", "libdemo1"),
    )
    source = f"{debian.archive.uri} bookworm main"
    debian.run("build", "--base-image", base, "--os-package", "libdemo1", PYCONTAINER_OS_ARCHIVE=source)


# --- where it comes from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["nowhere", "noble"])
def test_an_unknown_suite(debian: DebianBench, suite: str) -> None:
    debian.refuses(f"`{suite}`", debian.archive.uri, arguments=("--base-image", f"deb:{suite}"))


@pytest.mark.parametrize("suite", ["", "../etc", "a b", "bookworm/main"])
def test_what_is_no_suite(debian: DebianBench, suite: str) -> None:
    debian.bench.refuses("deb:", code=2, arguments=["--base-image", f"deb:{suite}"])


def test_no_archive_of_another_distribution_is_known(debian: DebianBench) -> None:
    released = OS_RELEASE.replace("ID=debian", "ID=frugal\nID_LIKE=debian")
    base = debian.make_base("frugal", bookworm_like(File("usr/lib/os-release", released.encode())))
    arguments = ["--base-image", base, "--os-package", "libdemo1"]
    debian.bench.refuses("No archive of packages for frugal `bookworm` is known", "--os-archive", arguments=arguments)


@hides_apt
@pytest.mark.parametrize("command", ["build", "lock"])
def test_a_host_without_apt_is_told_what_to_set(debian: DebianBench, command: str) -> None:
    debian.bench.refuses(
        "No archive of packages for debian `bookworm` is known",
        "--os-archive",
        command=command,
        arguments=["--base-image", "deb:bookworm"],
        prefix=WITHOUT_APT,
    )


@hides_apt
def test_a_host_without_keys_is_told_what_to_set(debian: DebianBench) -> None:
    hidden = (*WITHOUT_APT[:-2], WITHOUT_APT[-2].replace("&&", "&& mount -t tmpfs none /usr/share/keyrings &&"), "sh")
    debian.bench.refuses(
        "--os-keyring",
        debian.archive.uri,
        arguments=["--os-package", "libdemo1", "--os-archive", debian.archive.uri],
        prefix=hidden,
    )


def test_a_key_that_did_not_sign(debian: DebianBench) -> None:
    debian.keyring.write_bytes(SigningKey.make("Somebody Else").public)
    debian.refuses("is not signed by a key that is trusted", debian.archive.uri, arguments=("--os-package", "libdemo1"))
    assert debian.archive.asked("/pool/") == []
    assert debian.archive.asked("/binary-") == []


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n"])
def test_a_keyring_that_is_none(debian: DebianBench, content: bytes) -> None:
    debian.keyring.write_bytes(content)
    debian.refuses(str(debian.keyring), arguments=("--os-package", "libdemo1"))


def test_a_keyring_that_does_not_exist(debian: DebianBench) -> None:
    debian.keyring.unlink()
    debian.refuses(str(debian.keyring), "--os-keyring", code=2, arguments=("--os-package", "libdemo1"))


def _other_bytes(debian: DebianBench) -> None:
    [name] = [name for name in debian.archive.files if "libdemo1_2.0_amd64" in name]
    content = bytearray(debian.archive.files[name])
    content[-1] ^= 1
    debian.archive.files[name] = bytes(content)


def _gone(debian: DebianBench) -> None:
    debian.archive.hidden = (".deb",)


def _hostile(debian: DebianBench) -> None:
    debian.archive.add(DebForge(name="libdemo1", version="3.0", files={"../../etc/cron.d/evil": b"evil\n"}))
    debian.archive.publish()


@pytest.mark.parametrize("spoil", [_other_bytes, _gone, _hostile], ids=lambda each: each.__name__[1:])
def test_a_package_that_is_not_what_was_promised(debian: DebianBench, spoil: Callable[[DebianBench], None]) -> None:
    spoil(debian)
    said = debian.refuses("libdemo1", arguments=("--os-package", "libdemo1"))
    assert "mistake of its own" not in said


# --- a base of packages ----------------------------------------------------------------------------------------------


COMPOSED = ("--base-image", "deb:bookworm", "--base-package", "python3.11-minimal")


def test_a_composed_base_takes_packages_as_well(debian: DebianBench) -> None:
    debian.archive.add(python_package())
    debian.archive.add(DebForge(name="libc6", version=LIBC, files={"usr/share/libc": b"libc\n"}))
    debian.archive.publish()
    debian.run("build", *COMPOSED, "--os-package", "demo-tools")
    files = files_of(debian.bench.root / "dist" / "image")
    assert "usr/lib/x86_64-linux-gnu/libdemo.so.1" in files
    assert {"python3.11-minimal", "demo-tools", "libdemo1", "libc6"} <= {
        Path(name).name for name in files if name.startswith("var/lib/dpkg/status.d/")
    }


def test_a_composed_base_without_python_is_refused(debian: DebianBench) -> None:
    debian.archive.add(DebForge(name="plain"))
    debian.archive.publish()
    debian.refuses("Python", arguments=("--base-image", "deb:bookworm", "--base-package", "plain"))


# --- the lock --------------------------------------------------------------------------------------------------------


def test_locked_without_a_lock(debian: DebianBench) -> None:
    debian.refuses("pycontainer.lock", "pycontainer lock", arguments=("--locked", "--os-package", "libdemo1"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--os-package", "libdemo1"),
        ("--os-package", "demo-tools", "--os-exclude", "libdemo1"),
        ("--os-package", "demo-tools", "--os-allow-upgrade", "libc6"),
        ("--base-image", "deb:bookworm", "--os-package", "demo-tools"),
    ],
    ids=["packages", "exclude", "upgrades", "base"],
)
def test_a_lock_of_other_options_is_refused_and_passed_over_where_it_need_not_fit(
    debian: DebianBench, arguments: tuple[str, ...]
) -> None:
    debian.run("lock", "--os-package", "demo-tools")
    debian.refuses("`pycontainer.lock` does not hold", "Run `pycontainer lock`", arguments=("--locked", *arguments))
    if "deb:bookworm" not in arguments:
        assert "`pycontainer.lock` is passed over" in debian.run("build", *arguments).err


def test_a_lock_of_another_base_is_refused(debian: DebianBench) -> None:
    debian.run("lock", "--os-package", "demo-tools")
    other = debian.make_base("fuller", bookworm_like(packages=("libother1 1.0",)))
    debian.refuses(
        "the base image has other packages than when it was written",
        arguments=("--locked", "--base-image", other, "--os-package", "demo-tools"),
    )


MALFORMED: dict[str, Callable[[str], str]] = {
    "empty": lambda text: text[:0],
    "no TOML": lambda text: text + "\n[[",
    "another version": lambda text: re.sub(
        r"^(version|lock-version) = .*$", r"\1 = 99", text, count=1, flags=re.MULTILINE
    ),
    "no hash": lambda text: re.sub(r'sha256 = "[0-9a-f]{64}"', 'sha256 = "../../etc/passwd"', text),
    "short hash": lambda text: re.sub(r'sha256 = "[0-9a-f]{64}"', 'sha256 = "00"', text),
    "a path that leaves": lambda text: re.sub(r"pool/[^\"]*", "../../../etc/passwd", text),
    "a name that is none": lambda text: text.replace('"libdemo1"', '"../libdemo1"'),
    "a platform that is none": lambda text: text.replace('"linux/amd64"', '"a/b/c/d"'),
    "cut off": lambda text: text[: len(text) // 2],
}


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize("locked", ["--locked", "--quiet"])
def test_a_malformed_lock_is_named(debian: DebianBench, kind: str, locked: str) -> None:
    debian.run("lock", "--os-package", "demo-tools")
    text = debian.lock.read_text()
    spoiled = MALFORMED[kind](text)
    assert spoiled != text, "the lock is not written as this test thinks"
    debian.lock.write_text(spoiled)
    debian.refuses("pycontainer.lock", arguments=(locked, "--os-package", "demo-tools"))


def test_a_lock_that_is_no_text(debian: DebianBench) -> None:
    debian.lock.write_bytes(b"\xff\xfe\x00")
    debian.refuses("pycontainer.lock", arguments=("--os-package", "demo-tools"))


def test_locked_bytes_count_and_not_what_the_archive_says_now(debian: DebianBench) -> None:
    debian.run("lock", "--os-package", "demo-tools")
    _other_bytes(debian)
    debian.archive.publish(architectures=("amd64", "arm64"))
    fresh = str(debian.bench.root.parent / "fresh")
    debian.refuses("libdemo1", arguments=("--locked", "--os-package", "demo-tools"), PYCONTAINER_CACHE_DIR=fresh)


def test_an_archive_that_has_become_older_than_the_lock_is_refused(debian: DebianBench) -> None:
    debian.run("lock", "--os-package", "demo-tools")
    debian.archive.publish(
        architectures=("amd64", "arm64"),
        date=datetime.now(timezone.utc) - timedelta(days=2),
        valid_for=timedelta(days=7),
    )
    fresh = str(debian.bench.root.parent / "fresh")
    debian.refuses("older", command="lock", arguments=("--os-package", "demo-tools"), PYCONTAINER_CACHE_DIR=fresh)


class TestLockAndOutdated:
    OPTIONS = ("--os-package", "demo-tools", "--platform", "linux/amd64,linux/arm64")

    @pytest.fixture(autouse=True)
    def both(self, debian: DebianBench) -> None:
        """A base for both platforms."""
        path = debian.bench.root.parent / "both"
        LayoutDestination(path).write(ImageIndex(images=(bookworm_like(), bookworm_like(platform=ARM64))))
        debian.bench.base = path

    def test_lock_writes_every_platform_once(self, debian: DebianBench) -> None:
        said = debian.run("lock", *self.OPTIONS)
        assert said.out.strip() == str(debian.lock)
        assert "pycontainer.lock written" in said.err
        text = debian.lock.read_text()
        assert debian.archive.url not in text, "a lock names no address"
        assert "is up to date" in debian.run("lock", *self.OPTIONS).err
        assert debian.lock.read_text() == text
        document = json.loads(debian.run("lock", "--json", *self.OPTIONS).out)
        assert document["changed"] is False
        assert set(document["lock"]["system"]["platforms"]) == {"linux/amd64", "linux/arm64"}

    def test_check_writes_nothing_and_tells(self, debian: DebianBench) -> None:
        missing = debian.call("lock", "--check", *self.OPTIONS)
        assert (missing.code, debian.lock.exists()) == (1, False)
        assert "would change" in missing.err
        debian.run("lock", *self.OPTIONS)
        debian.run("lock", "--check", *self.OPTIONS)
        before = debian.lock.read_bytes()
        self._publish_newer(debian)
        assert debian.call("lock", "--check", *self.OPTIONS).code == 1
        assert debian.lock.read_bytes() == before

    def test_outdated_names_what_is_newer(self, debian: DebianBench) -> None:
        debian.run("lock", *self.OPTIONS)
        assert debian.run("outdated", "--check", *self.OPTIONS).out == ""
        self._publish_newer(debian)
        rows = [line.split() for line in debian.run("outdated", *self.OPTIONS).out.splitlines()]
        assert rows == [["libdemo1", f"linux/{name}", "2.0", "2.1"] for name in ("amd64", "arm64")]
        checked = debian.call("outdated", "--check", "--json", *self.OPTIONS)
        assert checked.code == 1
        assert json.loads(checked.out)[0] == {
            "name": "libdemo1",
            "platform": "linux/amd64",
            "locked": "2.0",
            "available": "2.1",
        }
        debian.run("lock", *self.OPTIONS)
        assert debian.run("outdated", "--check", *self.OPTIONS).out == ""

    def test_a_platform_that_the_lock_does_not_have(self, debian: DebianBench) -> None:
        debian.run("lock", "--os-package", "demo-tools", "--platform", "linux/amd64")
        debian.refuses("it has nothing for linux/arm64", arguments=("--locked", *self.OPTIONS))

    def test_outdated_without_a_lock(self, debian: DebianBench) -> None:
        debian.refuses("There is no `pycontainer.lock`", "pycontainer lock", command="outdated", arguments=self.OPTIONS)

    def test_nothing_to_lock(self, debian: DebianBench) -> None:
        debian.refuses("There is nothing to lock", code=2, command="lock")

    def test_an_archive_that_does_not_answer_leaves_the_lock(self, debian: DebianBench) -> None:
        debian.run("lock", *self.OPTIONS)
        debian.archive.files.clear()
        for command in ("lock", "outdated"):
            fresh = str(debian.bench.root.parent / "fresh")
            debian.refuses(debian.archive.uri, command=command, arguments=self.OPTIONS, PYCONTAINER_CACHE_DIR=fresh)

    def _publish_newer(self, debian: DebianBench) -> None:
        for architecture in ("amd64", "arm64"):
            debian.archive.add(library_package(version="2.1", architecture=architecture))
        debian.archive.publish(architectures=("amd64", "arm64"))
