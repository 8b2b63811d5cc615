import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.errors import LockError, ToolError
from pycontainer.events import Event, Warned
from pycontainer.oci import Platform
from pycontainer.sources.indexes import Index, IndexSettings
from pycontainer.sources.locks import Choice, Lock
from pycontainer.sources.resolve import resolve
from pycontainer.sources.target import Libc, PythonVersion, Target
from pycontainer.sources.uv import Uv, clean_environment, find_uv
from pycontainer.testing.index_server import IndexServer

needs_uv = pytest.mark.skipif(find_uv(os.environ) is None, reason="uv is not installed")
PYTHON = PythonVersion(sys.version_info.major, sys.version_info.minor)


def target(machine: str = "amd64") -> Target:
    return Target(platform=Platform("linux", machine), python=PYTHON, libc=Libc("glibc", 2, 36))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        """
        [project]
        name = "app"
        version = "1"
        requires-python = ">=3.10"
        dependencies = ["one", "arm; platform_machine == 'aarch64'"]
        [project.optional-dependencies]
        web = ["two"]
        [dependency-groups]
        extra-tools = ["three"]
        """
    )
    return tmp_path


@pytest.fixture
def uv(index: IndexServer, tmp_path: Path, wheel_of: Callable[..., bytes]) -> Uv:
    """uv with our index as its default."""
    for name in ("one", "two", "three", "arm"):
        index.add(name, f"{name}-1.0-py3-none-any.whl", wheel_of(name))
    environment = {**os.environ, "UV_DEFAULT_INDEX": index.simple, "UV_CACHE_DIR": str(tmp_path / "uv-cache")}
    found = find_uv({**environment, "UV_NO_CONFIG": "1"})
    assert found is not None
    return found


def selected(lock: Lock, machine: str = "amd64") -> list[str]:
    return [package.name for package in lock.select(target(machine), Choice())]


@needs_uv
class TestResolving:
    def test_one_resolution_holds_for_all_platforms_and_is_said_aloud(
        self, project: Path, uv: Uv, heard: list[Event]
    ) -> None:
        lock = resolve(project, PYTHON, Choice(), uv=uv, emit=heard.append)
        assert selected(lock) == ["one"]
        assert selected(lock, "arm64") == ["arm", "one"]
        [warning] = [event for event in heard if isinstance(event, Warned)]
        assert "no lock" in warning.message
        assert warning.hint == "Run `uv lock` and commit `uv.lock`"

    def test_files_have_addresses_and_hashes(self, project: Path, uv: Uv, index: IndexServer) -> None:
        lock = resolve(project, PYTHON, Choice(), uv=uv)
        [wheel] = lock.select(target(), Choice())[0].wheels
        assert wheel.url == f"{index.url}/files/{wheel.filename}"
        assert wheel.hashes.keys() == {"sha256"}

    @pytest.mark.parametrize(
        ("choice", "names"),
        [
            (Choice(extras=frozenset({"web"})), ["one", "two"]),
            (Choice(all_extras=True), ["one", "two"]),
            (Choice(groups=frozenset({"extra-tools"})), ["one", "three"]),
            (Choice(all_groups=True), ["one", "three"]),
            (Choice(groups=frozenset({"extra-tools"}), only_groups=True), ["three"]),
        ],
    )
    def test_extras_and_groups_are_resolved_into_it(
        self, project: Path, uv: Uv, choice: Choice, names: list[str]
    ) -> None:
        assert selected(resolve(project, PYTHON, choice, uv=uv)) == names

    def test_the_project_is_left_as_it_was(self, project: Path, uv: Uv) -> None:
        before = {path for path in project.iterdir() if path.name != "uv-cache"}
        resolve(project, PYTHON, Choice(), uv=uv)
        assert {path for path in project.iterdir() if path.name != "uv-cache"} == before

    def test_requirements_in(self, tmp_path: Path, uv: Uv) -> None:
        (tmp_path / "requirements.in").write_text("one\n")
        assert selected(resolve(tmp_path, PYTHON, Choice(), uv=uv)) == ["one"]

    def test_what_has_no_solution_is_told_in_the_words_of_uv(self, project: Path, uv: Uv) -> None:
        text = (project / "pyproject.toml").read_text().replace('"one"', '"one>=2"')
        (project / "pyproject.toml").write_text(text)
        with pytest.raises(LockError, match="cannot be resolved") as caught:
            resolve(project, PYTHON, Choice(), uv=uv)
        assert "one>=2" in str(caught.value)

    def test_no_secret_is_in_the_error(self, project: Path, index: IndexServer, planted: str, tmp_path: Path) -> None:
        index.user = ("me", "another")
        environment = {
            **os.environ,
            "UV_DEFAULT_INDEX": index.with_user("me", planted),
            "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
            "UV_NO_CONFIG": "1",
        }
        with pytest.raises(LockError) as caught:
            resolve(project, PYTHON, Choice(), uv=find_uv(environment))
        assert planted not in str(caught.value)


def test_without_uv_both_ways_out_are_told(project: Path) -> None:
    with pytest.raises(ToolError, match="no lock") as caught:
        resolve(project, PYTHON, Choice(), uv=None)
    assert "uv lock" in str(caught.value.hint)
    assert "pycontainer-core[uv]" in str(caught.value.hint)


def test_a_project_that_states_nothing(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="states no dependencies"):
        resolve(tmp_path, PYTHON, Choice(), uv=None)


@needs_uv
class TestUv:
    def test_its_default_index_is_asked_of_it_without_any_network(self) -> None:
        uv = find_uv(
            {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "UV_INDEX_URL": "https://no.example"}
        )
        assert uv is not None
        default = uv.default_index()
        assert default is not None
        assert default.startswith("https://")
        assert "no.example" not in default

    def test_what_would_tie_it_to_another_python_or_project_is_dropped(self) -> None:
        stray = {
            "UV_PYTHON": "3.9",
            "UV_PROJECT": "/x",
            "VIRTUAL_ENV": "/x",
            "PYTHONPATH": "/x",
            "UV_SYSTEM_PYTHON": "1",
        }
        kept = {
            "UV_INDEX": "a=https://a.example",
            "UV_INDEX_A_PASSWORD": "p",
            "UV_CACHE_DIR": "/c",
            "UV_OFFLINE": "1",
            "SSL_CERT_FILE": "/ca",
            "UV_KEYRING_PROVIDER": "subprocess",
        }
        assert clean_environment({**stray, **kept}) == kept

    def test_an_index_of_pip_that_replaces_the_default_holds_for_uv_too(self, planted: str) -> None:
        index = Index.parse(f"https://me:{planted}@mirror.example/simple", source="test", tool="pip")
        settings = IndexSettings(
            default=index,
            extra=(Index.parse("https://more.example/simple", source="test", tool="pip"),),
            find_links=(Index.parse("/srv/wheels", source="test", tool="pip"),),
        )
        assert clean_environment({"UV_EXTRA_INDEX_URL": "https://own.example/simple"}, settings) == {
            "UV_DEFAULT_INDEX": f"https://me:{planted}@mirror.example/simple",
            "UV_EXTRA_INDEX_URL": "https://own.example/simple https://more.example/simple",
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_FIND_LINKS": "/srv/wheels",
        }
        uv = find_uv(os.environ, settings)
        assert planted not in repr(uv)
        assert uv is not None
        assert planted not in "\n".join(uv.shown(f"failed: {planted} at https://x:{planted}@mirror.example"))

    def test_a_traceback_is_shown_wherever_it_stands_in_the_output(self) -> None:
        uv = Uv(program="uv", environment={})
        noise = [f"line {number}" for number in range(50)]
        traceback = ["Traceback (most recent call last):", *['  File "x.py"'] * 30, "RuntimeError: no compiler"]
        for lines in (noise + traceback, traceback + noise, noise + traceback + noise[:12], noise):
            shown = uv.shown("\n".join(lines))
            assert len(shown) == 20
            assert ("RuntimeError: no compiler" in shown) == (lines is not noise)
            assert shown[-1] == lines[-1]

    def test_settings_of_uv_itself_are_left_to_uv(self) -> None:
        settings = IndexSettings(default=Index.parse("https://uv.example/simple", source="test", tool="uv"))
        assert clean_environment({}, settings) == {}
