import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pycontainer.errors import ConfigError
from pycontainer.sources.indexes import Index, IndexSettings, load_index_settings
from pycontainer.sources.locks import Indexes
from pycontainer.transports.http import HttpSettings

posix = pytest.mark.skipif(sys.platform == "win32", reason="other places on Windows")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def load(root: Path, tmp_path: Path) -> Callable[..., IndexSettings]:
    """Loads settings as somebody with an empty home and nothing for the whole system."""

    def load(stated: Indexes | None = None, **variables: str) -> IndexSettings:
        environment = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": str(tmp_path / "none"), **variables}
        if "PIP_CONFIG_FILE" not in variables and Path("/etc/pip.conf").exists():
            environment["PIP_CONFIG_FILE"] = "/dev/null"
        return load_index_settings(root, environment=environment, stated=stated)

    return load


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def urls(indexes: Iterable[Index]) -> list[str]:
    return [index.url for index in indexes]


def test_nothing_is_baked_in(load: Callable[..., IndexSettings]) -> None:
    settings = load()
    assert settings.default is None
    assert settings.everything == ()


class TestUv:
    def test_variables(self, load: Callable[..., IndexSettings]) -> None:
        settings = load(
            UV_DEFAULT_INDEX="https://main.example/simple",
            UV_INDEX="corp=https://corp.example/simple https://two.example/simple",
            UV_FIND_LINKS="/srv/wheels,https://links.example/",
            UV_INSECURE_HOST="old.example",
            UV_KEYRING_PROVIDER="subprocess",
        )
        assert settings.default is not None
        assert settings.default.url == "https://main.example/simple"
        assert [(index.name, index.url) for index in settings.extra] == [
            ("corp", "https://corp.example/simple"),
            (None, "https://two.example/simple"),
        ]
        assert urls(settings.find_links) == ["/srv/wheels", "https://links.example/"]
        assert settings.insecure_hosts == {"old.example"}
        assert settings.keyring

    def test_the_older_names_of_the_variables_count_less(self, load: Callable[..., IndexSettings]) -> None:
        settings = load(UV_INDEX_URL="https://old.example/simple", UV_DEFAULT_INDEX="https://new.example/simple")
        assert settings.default is not None
        assert settings.default.url == "https://new.example/simple"

    def test_the_table_of_the_project(self, load: Callable[..., IndexSettings], root: Path) -> None:
        write(
            root / "pyproject.toml",
            """
            [[tool.uv.index]]
            name = "corp"
            url = "https://corp.example/simple"
            explicit = true
            [[tool.uv.index]]
            url = "https://main.example/simple"
            default = true
            [tool.uv]
            find-links = ["wheels"]
            """,
        )
        settings = load()
        assert settings.default is not None
        assert settings.default.url == "https://main.example/simple"
        [corp] = settings.extra
        assert (corp.name, corp.explicit) == ("corp", True)
        assert urls(settings.find_links) == [str(root / "wheels")]

    def test_uv_toml_stands_before_the_table_and_the_user_behind_it(
        self, load: Callable[..., IndexSettings], root: Path, tmp_path: Path
    ) -> None:
        write(root / "pyproject.toml", '[tool.uv]\nindex-url = "https://ignored.example/simple"')
        write(root / "uv.toml", 'index-url = "https://project.example/simple"')
        write(
            tmp_path / "home/.config/uv/uv.toml",
            'index-url = "https://user.example/simple"\nextra-index-url = ["https://more.example/simple"]',
        )
        settings = load()
        assert settings.default is not None
        assert settings.default.url == "https://project.example/simple"
        assert "https://ignored.example/simple" not in urls(settings.everything)
        # What was overruled keeps its credentials for packages that are locked to it, but is not asked.
        assert [(index.url, index.explicit) for index in settings.extra] == [
            ("https://more.example/simple", False),
            ("https://user.example/simple", True),
        ]

    def test_a_member_finds_the_settings_of_its_workspace(self, load: Callable[..., IndexSettings], root: Path) -> None:
        write(root.parent / "uv.toml", 'index-url = "https://workspace.example/simple"')
        write(root / "pyproject.toml", '[project]\nname = "member"')
        default = load().default
        assert default is not None
        assert default.url == "https://workspace.example/simple"

    def test_no_config_means_no_files(self, load: Callable[..., IndexSettings], root: Path) -> None:
        write(root / "uv.toml", 'index-url = "https://project.example/simple"')
        assert load(UV_NO_CONFIG="1").default is None

    def test_a_file_that_is_no_toml_is_named_and_not_quoted(
        self, load: Callable[..., IndexSettings], root: Path, planted: str
    ) -> None:
        write(root / "uv.toml", f'index-url = https://me:{planted}@index.example"')
        with pytest.raises(ConfigError) as caught:
            load()
        assert "uv.toml" in str(caught.value)
        assert planted not in str(caught.value)


@posix
class TestPip:
    def test_variables(self, load: Callable[..., IndexSettings], root: Path) -> None:
        settings = load(
            PIP_INDEX_URL="https://main.example/simple",
            PIP_EXTRA_INDEX_URL="https://one.example/simple\n  https://two.example/simple",
            PIP_FIND_LINKS="./wheels",
            PIP_CERT="/etc/corp.pem",
            PIP_TRUSTED_HOST="old.example:8080",
        )
        assert settings.default is not None
        assert settings.default.url == "https://main.example/simple"
        assert urls(settings.extra) == ["https://one.example/simple", "https://two.example/simple"]
        assert urls(settings.find_links) == [str(root / "wheels")]
        http = settings.apply_to(HttpSettings(environment={}))
        assert http.ca_files == (Path("/etc/corp.pem"),)
        assert http.allowed_hosts == {"old.example:8080"}

    @pytest.mark.parametrize(
        ("place", "variables"),
        [
            ("home/.config/pip/pip.conf", {}),
            ("home/.pip/pip.conf", {}),
            ("xdg/pip/pip.conf", {"XDG_CONFIG_HOME": "{tmp}/xdg"}),
            ("shared/pip/pip.conf", {"XDG_CONFIG_DIRS": "{tmp}/shared"}),
            ("venv/pip.conf", {"VIRTUAL_ENV": "{tmp}/venv"}),
            ("anywhere.conf", {"PIP_CONFIG_FILE": "{tmp}/anywhere.conf"}),
        ],
    )
    def test_every_place_that_pip_reads(
        self,
        load: Callable[..., IndexSettings],
        tmp_path: Path,
        place: str,
        variables: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write(tmp_path / place, "[global]\nindex_url = https://conf.example/simple\n")
        monkeypatch.setattr("pycontainer.sources.indexes.pip.sys.platform", "linux")
        values = {"PIP_CONFIG_FILE": "", **{name: value.format(tmp=tmp_path) for name, value in variables.items()}}
        default = load(**values).default
        assert default is not None
        assert default.url == "https://conf.example/simple"

    def test_a_variable_replaces_the_file(self, load: Callable[..., IndexSettings], tmp_path: Path) -> None:
        write(
            tmp_path / "pip.conf",
            "[global]\nextra-index-url =\n  https://a.example/simple\n  https://b.example/simple\n",
        )
        conf = str(tmp_path / "pip.conf")
        assert urls(load(PIP_CONFIG_FILE=conf).extra) == ["https://a.example/simple", "https://b.example/simple"]
        replaced = load(PIP_CONFIG_FILE=conf, PIP_EXTRA_INDEX_URL="https://c.example/simple")
        assert urls(replaced.extra) == ["https://c.example/simple"]

    def test_a_broken_file_is_named_and_not_quoted(
        self, load: Callable[..., IndexSettings], tmp_path: Path, planted: str
    ) -> None:
        conf = write(tmp_path / "pip.conf", f"https://me:{planted}@index.example\n")
        with pytest.raises(ConfigError) as caught:
            load(PIP_CONFIG_FILE=str(conf))
        assert str(conf) in str(caught.value)
        assert planted not in repr(caught.value.__dict__) + str(caught.value)
        assert caught.value.__suppress_context__

    def test_pip_counts_less_than_uv(self, load: Callable[..., IndexSettings]) -> None:
        settings = load(PIP_INDEX_URL="https://pip.example/simple", UV_DEFAULT_INDEX="https://uv.example/simple")
        assert settings.default is not None
        assert settings.default.url == "https://uv.example/simple"


def test_sources_of_poetry(load: Callable[..., IndexSettings], root: Path) -> None:
    write(
        root / "pyproject.toml",
        """
        [[tool.poetry.source]]
        name = "corp"
        url = "https://corp.example/simple"
        priority = "supplemental"
        [[tool.poetry.source]]
        name = "torch"
        url = "https://torch.example/simple"
        priority = "explicit"
        [[tool.poetry.source]]
        name = "mirror"
        url = "https://mirror.example/simple"
        [[tool.poetry.source]]
        name = "the-default-by-name"
        """,
    )
    settings = load()
    assert settings.default is not None
    assert (settings.default.name, settings.default.url) == ("mirror", "https://mirror.example/simple")
    assert [(index.name, index.explicit) for index in settings.extra] == [("corp", False), ("torch", True)]


def test_what_the_lock_says_counts_first(load: Callable[..., IndexSettings]) -> None:
    settings = load(
        Indexes(index="https://lock.example/simple", find_links=("/srv/wheels",)),
        UV_DEFAULT_INDEX="https://uv.example/simple",
        UV_NO_INDEX="1",
    )
    assert settings.default is not None
    assert settings.default.url == "https://lock.example/simple"
    assert urls(settings.find_links) == ["/srv/wheels"]
    assert not settings.no_index


def test_credentials_of_an_address_are_set_aside_and_print_as_stars(planted: str) -> None:
    index = Index.parse(f"https://me:{planted.replace('-', '%2D')}@index.example/simple", source="test")
    assert index.url == "https://index.example/simple"
    assert index.username == "me"
    assert index.password is not None
    assert index.password.reveal() == planted
    assert planted not in repr(index) + str(index)
