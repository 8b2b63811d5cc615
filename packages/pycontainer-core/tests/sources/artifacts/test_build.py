import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pycontainer.blobs.hashing import HashingWriter
from pycontainer.errors import NetworkError, ToolError, WheelBuildError
from pycontainer.events import Event, Noted, TaskFinished, Warned
from pycontainer.oci import Platform
from pycontainer.sources.builds import direct_url
from pycontainer.sources.builds.builder import WheelBuilder
from pycontainer.sources.builds.canonical import canonical_wheel
from pycontainer.sources.builds.fit import check_fits, host_libc, host_machine
from pycontainer.sources.builds.git import checkout
from pycontainer.sources.builds.store import BuiltWheel, BuiltWheels
from pycontainer.sources.locks import Artifact, Chosen, Directory, LockedPackage, Registry, Url, Vcs
from pycontainer.sources.target import Libc, PythonVersion, Target
from pycontainer.sources.uv import Uv, find_uv
from pycontainer.testing.index_server import IndexServer

pytestmark = pytest.mark.skipif(find_uv(os.environ) is None, reason="uv is not installed")

PYTHON = PythonVersion(sys.version_info.major, sys.version_info.minor)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# A backend that needs nothing from any index; `BODY` is what a test adds.
BACKEND = """
import base64, hashlib, os, sys, zipfile
BODY
def build_wheel(directory, config_settings=None, metadata_directory=None):
    before_build()
    filename = f"{NAME}-{VERSION}-{TAG}.whl"
    info = f"{NAME}-{VERSION}.dist-info"
    members = {
        f"{NAME}/__init__.py": open("module.py").read() if os.path.exists("module.py") else "",
        f"{NAME}/environment.txt": environment(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: {TAG}\\n",
    }
    rows = ""
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows += f"{path},sha256={digest},{len(text)}\\n"
    members[f"{info}/RECORD"] = rows + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(directory, filename), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return filename
def build_sdist(directory, config_settings=None):
    raise NotImplementedError
"""
DEFAULTS = """
NAME, VERSION, TAG = "demo", "1.0", "py3-none-any"
def before_build(): pass
def environment(): return ""
"""


@pytest.fixture
def uv() -> Uv:
    """uv, sure to use no network."""
    found = find_uv({**os.environ, "UV_OFFLINE": "1"})
    assert found is not None
    return found


@pytest.fixture
def builder(tmp_path: Path, uv: Uv, heard: list[Event]) -> Callable[..., WheelBuilder]:
    def make(uv: Uv | None = uv, environment: Mapping[str, str] | None = None, cache: str = "cache") -> WheelBuilder:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        return WheelBuilder(
            tmp_path / cache,
            find_uv=lambda: uv,
            fetch=lambda artifact: artifact.path or Path(),
            root=root,
            environment=environment or {**os.environ, "UV_OFFLINE": "1"},
            emit=heard.append,
        )

    return make


def source_tree(path: Path, body: str = "", **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "demo"\nversion = "1.0"\n'
    )
    (path / "backend.py").write_text(BACKEND.replace("BODY", DEFAULTS + textwrap.dedent(body)))
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def target(**fields: Any) -> Target:
    libc = host_libc() or Libc("glibc", 2, 36)
    values: dict[str, Any] = {
        "platform": Platform("linux", ARCHITECTURES.get(host_machine(), "amd64")),
        "python": PYTHON,
        "libc": libc,
    }
    return Target(**{**values, **fields})


def sdist_of(tree: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tree, arcname="demo-1.0")
    return path


def chosen_sdist(path: Path, name: str = "demo", version: str = "1.0") -> Chosen:
    hashes = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    artifact = Artifact(filename=path.name, path=path, hashes=hashes)
    package = LockedPackage(name=name, version=version, source=Registry(), sdist=artifact)
    return Chosen(package=package, artifact=artifact, kind="sdist")


def chosen_directory(path: Path, **fields: Any) -> Chosen:
    package = LockedPackage(name="demo", version=None, source=Directory(path=path, **fields))
    return Chosen(package=package, artifact=None, kind="directory")


def member(wheel: BuiltWheel, name: str) -> str:
    with zipfile.ZipFile(wheel.path) as archive:
        return archive.read(name).decode()


def git(*arguments: str, cwd: Path) -> str:
    user = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    command = ["git", *user, "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


class TestSdists:
    def test_an_sdist_becomes_a_wheel_once(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder], heard: list[Event]
    ) -> None:
        chosen = chosen_sdist(
            sdist_of(source_tree(tmp_path / "tree", module__py="x = 1"), tmp_path / "demo-1.0.tar.gz")
        )
        wheel = builder().build(chosen, target())
        assert wheel.filename == "demo-1.0-py3-none-any.whl"
        assert wheel.is_pure
        assert hashlib.sha256(wheel.path.read_bytes()).hexdigest() == wheel.sha256
        assert any(isinstance(event, Noted) and "from source" in event.message for event in heard)
        assert builder().build(chosen, target()) == wheel
        assert [event.reused for event in heard if isinstance(event, TaskFinished)] == [False, True]

    def test_a_damaged_wheel_in_the_cache_is_built_again(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        chosen = chosen_sdist(sdist_of(source_tree(tmp_path / "tree"), tmp_path / "demo-1.0.tar.gz"))
        wheel = builder().build(chosen, target())
        wheel.path.chmod(0o644)
        wheel.path.write_bytes(b"x" * wheel.size)
        assert builder().build(chosen, target()) == wheel
        assert zipfile.is_zipfile(wheel.path)

    @pytest.mark.parametrize("locked", [{"name": "other"}, {"version": "1.1"}])
    def test_a_wheel_of_something_else_is_refused(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder], locked: dict[str, str]
    ) -> None:
        chosen = chosen_sdist(sdist_of(source_tree(tmp_path / "tree"), tmp_path / "demo-1.0.tar.gz"), **locked)
        with pytest.raises(WheelBuildError, match="made something else"):
            builder().build(chosen, target())

    def test_a_failing_backend_is_told_with_its_last_lines_and_no_secret(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder], heard: list[Event], planted: str
    ) -> None:
        body = f"""
        def before_build():
            for number in range(100):
                print(f"line {{number}}")
            print("\\x1b[31mfetching https://me:{planted}@index.example/ with", os.environ["UV_INDEX_CORP_PASSWORD"])
            raise RuntimeError("no compiler")
        """
        chosen = chosen_sdist(sdist_of(source_tree(tmp_path / "tree", body), tmp_path / "demo-1.0.tar.gz"))
        uv = find_uv({**os.environ, "UV_OFFLINE": "1", "UV_INDEX_CORP_PASSWORD": planted})
        with pytest.raises(WheelBuildError) as caught:
            builder(uv).build(chosen, target())
        text = str(caught.value)
        assert "no compiler" in text
        assert "line 10\n" not in text
        assert len(caught.value.facts) <= 21
        assert "\x1b" not in text
        assert planted not in text + repr(heard) + repr(uv)

    def test_without_uv_the_way_out_is_told(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        chosen = chosen_sdist(sdist_of(source_tree(tmp_path / "tree"), tmp_path / "demo-1.0.tar.gz"))
        with pytest.raises(ToolError, match="uv is needed") as caught:
            builder(uv=None).build(chosen, target())
        assert "pycontainer-core[uv]" in str(caught.value.hint)

    def test_a_subdirectory_of_an_archive(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        tree = source_tree(tmp_path / "tree" / "python")
        path = sdist_of(tree.parent, tmp_path / "demo-1.0.tar.gz")
        artifact = Artifact(filename=path.name, path=path)
        source = Url(url="https://files.example/demo-1.0.tar.gz", subdirectory="python")
        package = LockedPackage(name="demo", version="1.0", source=source)
        wheel = builder().build(Chosen(package=package, artifact=artifact, kind="sdist"), target())
        assert wheel.filename == "demo-1.0-py3-none-any.whl"


class TestFit:
    """What a wheel that was built here may be used for."""

    linux_only = pytest.mark.skipif(sys.platform != "linux", reason="native wheels of Linux")
    native = f"cp{PYTHON.major}{PYTHON.minor}-cp{PYTHON.major}{PYTHON.minor}-linux_{host_machine()}"

    @linux_only
    def test_native_code_for_a_target_like_this_host_is_used_and_told(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder], heard: list[Event]
    ) -> None:
        tree = source_tree(tmp_path / "tree", f'TAG = "{self.native}"')
        chosen = chosen_sdist(sdist_of(tree, tmp_path / "demo-1.0.tar.gz"))
        assert not builder().build(chosen, target()).is_pure
        assert any(isinstance(event, Warned) and "native code" in event.message for event in heard)

    @linux_only
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"platform": Platform("linux", "s390x")}, "built on"),
            ({"libc": Libc("musl", 1, 2)}, "built against glibc"),
            ({"libc": Libc("glibc", 2, 17)}, "newer than the image's"),
            ({"python": PythonVersion(3, 99)}, "it has native code for cp"),
        ],
    )
    def test_native_code_for_another_target_is_refused_with_the_reason(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder], fields: Any, reason: str
    ) -> None:
        tree = source_tree(tmp_path / "tree", f'TAG = "{self.native}"')
        chosen = chosen_sdist(sdist_of(tree, tmp_path / "demo-1.0.tar.gz"))
        with pytest.raises(WheelBuildError, match="does not fit") as caught:
            builder().build(chosen, target(**fields))
        assert reason in str(caught.value)
        assert "`demo`" in str(caught.value.hint)

    def test_a_pure_wheel_fits_every_platform(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        chosen = chosen_sdist(sdist_of(source_tree(tmp_path / "tree"), tmp_path / "demo-1.0.tar.gz"))
        foreign = target(platform=Platform("linux", "s390x"), libc=Libc("musl", 1, 2))
        assert builder().build(chosen, foreign) == builder().build(chosen, target())

    @pytest.mark.parametrize(
        "filename",
        ["demo-1.0-cp27-none-any.whl", "demo-1.0-py2-none-any.whl", "demo.whl", "demo-1.0-py3-none-win_amd64.whl"],
    )
    def test_other_tags_are_refused(self, filename: str) -> None:
        with pytest.raises(WheelBuildError):
            check_fits(filename, target(), package="demo")

    @linux_only
    def test_an_audited_wheel_may_come_from_a_newer_host(self) -> None:
        machine = host_machine()
        old = target(libc=Libc("glibc", 2, 17))
        check_fits(f"demo-1.0-py3-none-manylinux_2_17_{machine}.whl", old, package="demo")
        with pytest.raises(WheelBuildError):
            check_fits(f"demo-1.0-py3-none-manylinux_2_28_{machine}.whl", old, package="demo")


class TestSameBytes:
    def test_the_surroundings_of_a_build_are_fixed(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        body = """
        def environment():
            import locale, time
            os.umask(mask := os.umask(0))
            names = ("SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "TZ", "LC_ALL", "UV_PYTHON", "PYTHONPATH")
            return " ".join([oct(mask), str(time.localtime(0).tm_hour), *(f"{n}={os.environ.get(n)}" for n in names)])
        """
        tree = source_tree(tmp_path / "tree", body)
        stray = {"UV_PYTHON": "3.1", "VIRTUAL_ENV": "/nowhere", "PYTHONPATH": "/nowhere", "TZ": "Asia/Tokyo"}
        environment = {**os.environ, "UV_OFFLINE": "1", "LC_ALL": "de_DE", "PYTHONHASHSEED": "7", **stray}
        environment.pop("SOURCE_DATE_EPOCH", None)
        mask = os.umask(0o077)
        try:
            wheel = builder(find_uv(environment), environment).build_tree(tree)
        finally:
            os.umask(mask)
        umask = "0o22" if os.name == "posix" else "0o0"
        assert member(wheel, "demo/environment.txt") == (
            f"{umask} 0 SOURCE_DATE_EPOCH=315532800 PYTHONHASHSEED=0 TZ=UTC LC_ALL=C.UTF-8 "
            "UV_PYTHON=None PYTHONPATH=None"
        )

    def test_a_date_of_the_user_reaches_the_backend(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        tree = source_tree(tmp_path / "tree", 'def environment(): return os.environ["SOURCE_DATE_EPOCH"]')
        wheel = builder(environment={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}).build_tree(tree)
        assert member(wheel, "demo/environment.txt") == "1700000000"

    def test_the_archive_tells_nothing_of_the_host(self, tmp_path: Path) -> None:
        """Order, times, modes, compression level: every one different, the canonical bytes equal."""
        contents = {"b/__init__.py": b"x" * 5000, "b/run.sh": b"#!/bin/sh\n", "b-1.dist-info/RECORD": b"r", "a.py": b""}

        def packed(name: str, order: list[str], level: int, mode: int, year: int) -> Path:
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                for path in order:
                    info = zipfile.ZipInfo(path, (year, 1, 1, 0, 0, 0))
                    info.external_attr = (mode | (0o100 if path.endswith(".sh") else 0)) << 16
                    archive.writestr(info, contents[path], zipfile.ZIP_DEFLATED, level)
            return tmp_path / name

        one = packed("1.whl", list(contents), 1, 0o100600, 1999)
        two = packed("2.whl", list(reversed(contents)), 9, 0o664, 2024)
        found = []
        for path in (one, two):
            store = BuiltWheels(tmp_path / path.stem)
            wheel = store.put(None, path)
            found.append(wheel.path.read_bytes())
        assert found[0] == found[1]
        with zipfile.ZipFile(io.BytesIO(found[0])) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["a.py", "b/__init__.py", "b/run.sh", "b-1.dist-info/RECORD"]
            assert {path: archive.read(path) for path in contents} == contents
            modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}
            assert modes["b/run.sh"] == "0o100755"
            assert modes["a.py"] == "0o100644"

    def test_what_is_no_wheel_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.whl").write_bytes(b"no zip")
        with pytest.raises(WheelBuildError, match="cannot be read"):
            BuiltWheels(tmp_path / "store").put(None, tmp_path / "x.whl")


class TestTrees:
    def test_a_tree_whose_backend_is_code_of_its_own_is_built_each_time(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        body = "def environment(): return os.urandom(8).hex()"
        tree = source_tree(tmp_path / "tree", body)
        one, two = builder().build_tree(tree), builder().build_tree(tree)
        assert one.sha256 != two.sha256

    def test_a_directory_of_a_lock_and_a_subdirectory_of_it(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        tree = source_tree(tmp_path / "repo" / "lib")
        assert builder().build(chosen_directory(tree), target()).is_pure
        assert builder().build(chosen_directory(tree.parent, subdirectory="lib"), target()).is_pure

    def test_a_subdirectory_that_leads_out_is_refused(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        source_tree(tmp_path / "outside")
        (tmp_path / "repo").mkdir()
        (tmp_path / "repo" / "link").symlink_to(tmp_path / "outside")
        for subdirectory in ("link", "../outside", "absent"):
            with pytest.raises(WheelBuildError, match="not a directory of the source"):
                builder().build(chosen_directory(tmp_path / "repo", subdirectory=subdirectory), target())

    def test_a_copy_has_the_wheels_own_name(self, tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
        copy = builder().build_tree(source_tree(tmp_path / "tree")).copy_to(tmp_path)
        assert copy == tmp_path / "demo-1.0-py3-none-any.whl"
        assert zipfile.is_zipfile(copy)

    def test_uv_reads_the_settings_of_the_project_not_of_the_dependency(
        self, tmp_path: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        tree = source_tree(tmp_path / "elsewhere")
        text = (tree / "pyproject.toml").read_text().replace("requires = []", 'requires = ["only-there"]')
        (tree / "pyproject.toml").write_text(text)
        links = tmp_path / "root" / "links"
        links.mkdir(parents=True)
        (tmp_path / "root" / "uv.toml").write_text('no-index = true\nfind-links = ["links"]\n')
        with pytest.raises(WheelBuildError, match="only-there"):
            builder().build_tree(tree)
        from_tree = builder().build_tree(source_tree(tmp_path / "only", 'NAME, VERSION = "only_there", "1"'))
        from_tree.copy_to(links)
        assert builder().build_tree(tree).is_pure


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
class TestGit:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        tree = source_tree(tmp_path / "repository" / "python")
        root = tree.parent
        git("init", "--quiet", cwd=root)
        git("add", ".", cwd=root)
        git("commit", "--quiet", "-m", "one", cwd=root)
        git("tag", "v1", cwd=root)
        return root

    def chosen(self, url: str, commit: str, subdirectory: str | None = "python") -> Chosen:
        source = Vcs(url=url, commit=commit, subdirectory=subdirectory, requested="main")
        return Chosen(package=LockedPackage(name="demo", version=None, source=source), artifact=None, kind="vcs")

    def test_a_commit_is_built_and_remembered_by_its_hash(
        self, repository: Path, builder: Callable[..., WheelBuilder]
    ) -> None:
        commit = git("rev-parse", "HEAD", cwd=repository)
        (repository / "python" / "module.py").write_text("x = 'later'")
        git("add", ".", cwd=repository)
        git("commit", "--quiet", "-m", "two", cwd=repository)
        wheel = builder().build(self.chosen(repository.as_uri(), commit), target())
        assert member(wheel, "demo/__init__.py") == ""
        shutil.rmtree(repository)
        assert builder().build(self.chosen(repository.as_uri(), commit), target()) == wheel

    def test_a_commit_that_no_branch_holds(self, repository: Path) -> None:
        git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=repository)
        git("checkout", "--quiet", "--detach", cwd=repository)
        (repository / "extra.txt").write_text("x")
        git("add", ".", cwd=repository)
        git("commit", "--quiet", "-m", "lonely", cwd=repository)
        commit = git("rev-parse", "HEAD", cwd=repository)
        git("checkout", "--quiet", "main", cwd=repository)
        with checkout(repository.as_uri(), commit, environment=os.environ) as tree:
            assert (tree / "extra.txt").is_file()

    def test_history_and_tags_come_along(self, repository: Path) -> None:
        commit = git("rev-parse", "HEAD", cwd=repository)
        with checkout(repository.as_uri(), commit, environment=os.environ) as tree:
            assert git("describe", "--tags", cwd=tree) == "v1"
        assert not tree.exists()

    def test_an_unknown_commit_is_named(self, repository: Path) -> None:
        with (
            pytest.raises(NetworkError, match="git cannot fetch"),
            checkout(repository.as_uri(), "0" * 40, environment=os.environ),
        ):
            pass

    @pytest.mark.parametrize(
        "url", ["http://host.example/x", "ext::sh -c id", "git://host.example/x", "--upload-pack=x"]
    )
    def test_an_address_that_must_not_be_used_is_refused_before_git_runs(self, url: str) -> None:
        with pytest.raises(NetworkError, match="cannot be cloned"), checkout(url, "0" * 40, environment=os.environ):
            pass

    def test_credentials_are_sent_but_neither_shown_nor_on_the_command_line(
        self, index: IndexServer, planted: str, tmp_path: Path
    ) -> None:
        log = tmp_path / "arguments"
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexec {shutil.which("git")} "$@"\n')
        program.chmod(0o755)
        index.faults.append(lambda handler: handler.send(403, planted.encode()))
        url = f"{index.url}/repo.git".replace("://", f"://me:{planted}@")
        environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
        with pytest.raises(NetworkError) as caught, checkout(url, "0" * 40, environment=environment):
            pass
        sent = base64.b64decode(index.requests[0][1]["authorization"].removeprefix("Basic ")).decode()
        assert sent == f"me:{planted}"
        assert planted not in str(caught.value) + log.read_text()

    def test_a_submodule_cannot_lead_to_files_of_this_host(self, repository: Path, tmp_path: Path) -> None:
        inner = source_tree(tmp_path / "inner")
        git("init", "--quiet", cwd=inner)
        git("add", ".", cwd=inner)
        git("commit", "--quiet", "-m", "x", cwd=inner)
        git("submodule", "--quiet", "add", str(inner), "inner", cwd=repository)
        git("commit", "--quiet", "-m", "with submodule", cwd=repository)
        commit = git("rev-parse", "HEAD", cwd=repository)
        with (
            pytest.raises(NetworkError, match="git cannot submodule"),
            checkout(repository.as_uri(), commit, environment=os.environ),
        ):
            pass


class TestOrigin:
    def test_a_commit_is_recorded_without_credentials(self, planted: str) -> None:
        source = Vcs(url=f"https://me:{planted}@host.example/x", commit="a" * 40, subdirectory="p", requested="v1")
        package = LockedPackage(name="demo", version=None, source=source)
        assert direct_url(Chosen(package=package, artifact=None, kind="vcs")) == {
            "url": "https://host.example/x",
            "vcs_info": {"vcs": "git", "commit_id": "a" * 40, "requested_revision": "v1"},
            "subdirectory": "p",
        }

    def test_an_address_is_recorded_with_its_hash(self) -> None:
        artifact = Artifact(
            filename="demo-1.0.tar.gz", url="https://h.example/demo-1.0.tar.gz", hashes={"sha256": "ab"}
        )
        package = LockedPackage(name="demo", version="1.0", source=Url(url="https://h.example/demo-1.0.tar.gz#x"))
        assert direct_url(Chosen(package=package, artifact=artifact, kind="sdist")) == {
            "url": "https://h.example/demo-1.0.tar.gz",
            "archive_info": {"hashes": {"sha256": "ab"}},
        }

    @pytest.mark.parametrize(
        "query",
        ["token=PLANTED", "private_token=PLANTED&x=1", "X-Amz-Signature=PLANTED", "sv=1&sig=PLANTED", "PLANTED"],
    )
    @pytest.mark.parametrize("fragment", ["", "#PLANTED", "#subdirectory=p&egg=PLANTED"])
    def test_no_parameter_of_an_address_is_recorded(self, query: str, fragment: str) -> None:
        url = f"https://h.example/demo-1.0.tar.gz?{query}{fragment}"
        artifact = Artifact(filename="demo-1.0.tar.gz", url=url, hashes={"sha256": "ab"})
        package = LockedPackage(name="demo", version="1.0", source=Url(url=url, subdirectory="p"))
        assert direct_url(Chosen(package=package, artifact=artifact, kind="sdist")) == {
            "url": "https://h.example/demo-1.0.tar.gz",
            "archive_info": {"hashes": {"sha256": "ab"}},
            "subdirectory": "p",
        }

    @pytest.mark.parametrize(
        ("url", "recorded"),
        [
            ("ssh://git@host.example/x.git", "ssh://git@host.example/x.git"),
            ("ssh://git:PLANTED@host.example/x.git", "ssh://host.example/x.git"),
            ("https://git@host.example/x.git", "https://host.example/x.git"),
            ("https://PLANTED@host.example:8443/x.git?private_token=PLANTED", "https://host.example:8443/x.git"),
        ],
    )
    def test_only_the_user_git_of_ssh_is_recorded(self, url: str, recorded: str) -> None:
        package = LockedPackage(name="demo", version=None, source=Vcs(url=url, commit="a" * 40))
        document = direct_url(Chosen(package=package, artifact=None, kind="vcs"))
        assert document is not None
        assert document["url"] == recorded

    def test_an_index_is_not_recorded(self, tmp_path: Path) -> None:
        package = LockedPackage(name="demo", version="1.0", source=Registry())
        assert direct_url(Chosen(package=package, artifact=None, kind="wheel")) is None
        assert direct_url(chosen_directory(tmp_path)) is None


def test_two_threads_build_one_tree_one_after_the_other(tmp_path: Path, builder: Callable[..., WheelBuilder]) -> None:
    body = """
    def before_build():
        os.mkdir("busy")
        import time; time.sleep(0.3)
        os.rmdir("busy")
    """
    tree = source_tree(tmp_path / "tree", body)
    one = builder()
    failures: list[WheelBuildError] = []

    def build() -> None:
        try:
            one.build_tree(tree)
        except WheelBuildError as error:
            failures.append(error)

    threads = [threading.Thread(target=build) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_canonical_wheel_needs_only_a_sink(tmp_path: Path, wheel_of: Callable[..., bytes]) -> None:
    (tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(wheel_of())
    out = io.BytesIO()
    canonical_wheel(tmp_path / "demo-1.0-py3-none-any.whl", HashingWriter(out))
    assert zipfile.ZipFile(out).testzip() is None
