from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pycontainer.config import OPTIONS, BuildConfig, Option, Shape
from pycontainer.config.load import Loaded, load_config
from pycontainer.config.sources import from_flags
from pycontainer.errors import ConfigError, ProjectError

# For every field: what a user writes on a command line, in a variable, in TOML, and what the field then holds.
SAMPLES: dict[str, tuple[str, str, Any]] = {
    "tag": ("ghcr.io/acme/api:1", '["ghcr.io/acme/api:1"]', ("ghcr.io/acme/api:1",)),
    "output": ("docker", '"docker"', ("docker",)),
    "generate_sbom": ("spdx", '"spdx"', "spdx"),
    "annotations": ("a=1", '{ a = "1" }', {"a": "1"}),
    "created": ("12", "12", 12),
    "base_image": ("python:3.12-slim", '"python:3.12-slim"', "python:3.12-slim"),
    "platform": ("linux/arm64", '["linux/arm64"]', ("linux/arm64",)),
    "python": ("3.12", '"3.12"', "3.12"),
    "libc": ("musl:1.2", '"musl:1.2"', "musl:1.2"),
    "entrypoint": ('["a", "b c"]', '["a", "b c"]', ("a", "b c")),
    "cmd": ("a 'b c'", "\"a 'b c'\"", ("a", "b c")),
    "env": ("A=1=2", '{ A = "1=2" }', {"A": "1=2"}),
    "labels": ("a=1", '{ a = "1" }', {"a": "1"}),
    "workdir": ("/srv", '"/srv"', "/srv"),
    "user": ("1000:1000", '"1000:1000"', "1000:1000"),
    "ports": ("8000,53/udp", '[8000, "53/udp"]', ("8000/tcp", "53/udp")),
    "volumes": ("/data", '["/data"]', ("/data",)),
    "stop_signal": ("INT", '"SIGINT"', "SIGINT"),
    "include_paths": ("src", '["src"]', ("src",)),
    "exclude_paths": ("*.md", '["*.md"]', ("*.md",)),
    "extra_files": ("/a:/b:0600", '[{ source = "/a", destination = "/b", mode = "0600" }]', "/a:/b:0600"),
    "layer_budget": ("9", "9", 9),
    "compression": ("zstd", '"zstd"', "zstd"),
    "lock": ("/x/uv.lock", '"/x/uv.lock"', "/x/uv.lock"),
    "extras": ("pg,redis", '["pg", "redis"]', ("pg", "redis")),
    "groups": ("web", '["web"]', ("web",)),
    "package": ("api", '"api"', "api"),
    "lenient_wheels": ("gmsh", '["gmsh"]', ("gmsh",)),
    "build_sdists": ("lxml", '["lxml"]', ("lxml",)),
    "check_libraries": ("warn", '"warn"', "warn"),
    "index_url": ("https://index.example/simple", '"https://index.example/simple"', "https://index.example/simple"),
    "os_packages": ("libpq5,libgomp1=12.2.0-14", '["libpq5", "libgomp1=12.2.0-14"]', ("libpq5", "libgomp1=12.2.0-14")),
    "os_exclude": ("libglx-mesa0", '["libglx-mesa0"]', ("libglx-mesa0",)),
    "os_allow_upgrades": ("gcc-12-base", '["gcc-12-base"]', ("gcc-12-base",)),
    "os_unconfigured": ("libgvc6", '["libgvc6"]', ("libgvc6",)),
    "os_archive": (
        "https://archive.example/debian bookworm main",
        '["https://archive.example/debian bookworm main"]',
        ("https://archive.example/debian bookworm main",),
    ),
    "os_keyring": ("/x/keys.gpg", '"/x/keys.gpg"', "/x/keys.gpg"),
    "os_snapshot": ("https://snap.example/{time}", '"https://snap.example/{time}"', "https://snap.example/{time}"),
    "registry": ("ghcr.io/acme", '"ghcr.io/acme"', "ghcr.io/acme"),
    "insecure_registries": ("reg.example:5000", '["reg.example:5000"]', ("reg.example:5000",)),
    "mirrors": ("docker.io=m.example", '{ "docker.io" = ["m.example"] }', {"docker.io": "m.example"}),
    "sign_key": ("/x/signing.key", '"/x/signing.key"', "/x/signing.key"),
    "sigstore_trust": ("/x/trust.json", '"/x/trust.json"', "/x/trust.json"),
    "cache_registry": ("reg.example/cache", '"reg.example/cache"', "reg.example/cache"),
    "ca_file": ("/x/ca.pem", '"/x/ca.pem"', "/x/ca.pem"),
    "allow_http": ("index.example", '["index.example"]', ("index.example",)),
    "cache_dir": ("/x/cache", '"/x/cache"', "/x/cache"),
    "jobs": ("3", "3", 3),
}
BOOLEANS = [option for option in OPTIONS.values() if option.is_field and option.shape is Shape.BOOLEAN]
FIELDS = [option for option in OPTIONS.values() if option.is_field]
# Options that cannot be tested alone: they need another one, no file may hold them, or they add up (test_policy.py).
APART = {"sign_key_password", "only_groups", "base_packages", "username", "password", "context_path", "policy"}


def load(root: Path, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    return load_config(from_flags({"context_path": [str(root)], **(flags or {})}), environment=environment or {})


def stored(config: BuildConfig, name: str) -> Any:
    value = getattr(config, name)
    return str(value[0]) if name == "extra_files" else value


def test_every_option_has_a_sample() -> None:
    assert {option.name for option in FIELDS} == {
        *SAMPLES,
        *(option.name for option in BOOLEANS),
        *APART - {"only_groups"},
    }


@pytest.mark.parametrize("name", sorted(SAMPLES))
@pytest.mark.parametrize("place", ["flag", "variable", "pycontainer.toml", "pyproject.toml", "underscores"])
def test_every_option_can_be_set_from_every_source(name: str, place: str, tmp_path: Path) -> None:
    text, toml, expected = SAMPLES[name]
    option = OPTIONS[name]
    flags: dict[str, Any] = {}
    environment: dict[str, str] = {}
    if place == "flag":
        flags[name], origin = [text], option.flag
    elif place == "variable":
        environment[option.variable] = origin = text
        origin = option.variable
    else:
        origin = write(tmp_path, option, toml, place)
    loaded = load(tmp_path, flags, environment)
    assert stored(loaded.config, name) == expected
    assert str(loaded.origin(name)) == origin


def write(root: Path, option: Option, toml: str, place: str) -> str:
    """Set an option in a file, and return what messages call it there."""
    key = option.toml_key.replace("-", "_") if place == "underscores" else option.toml_key
    if place == "pyproject.toml":
        header = "tool.pycontainer" if option.table == "build" else f"tool.pycontainer.{option.table}"
        (root / "pyproject.toml").write_text(f"[{header}]\n{key} = {toml}\n")
        return f"{header}.{key} in pyproject.toml"
    (root / "pycontainer.toml").write_text(f"[{option.table}]\n{key} = {toml}\n")
    return f"{option.table}.{key} in pycontainer.toml"


@pytest.mark.parametrize("option", BOOLEANS, ids=lambda option: option.name)
@pytest.mark.parametrize("value", [True, False])
def test_every_switch_can_be_turned_both_ways_from_every_source(option: Option, *, value: bool, tmp_path: Path) -> None:
    more = {"groups": ["web"]} if option.name == "only_groups" else {}
    toml = "true" if value else "false"
    (tmp_path / "pycontainer.toml").write_text(f"[{option.table}]\n{option.toml_key} = {toml}\n")
    assert getattr(load(tmp_path, more).config, option.name) is value
    against = "0" if value else "1"
    assert getattr(load(tmp_path, more, {option.variable: against}).config, option.name) is not value
    flagged = load(tmp_path, {**more, option.name: value}, {option.variable: against})
    assert getattr(flagged.config, option.name) is value
    assert option.flags
    assert option.negative, "what a file turns on, the command line must be able to turn off"


PLACES = ("flag", "variable", "pycontainer.toml", "pyproject.toml")


@given(workdirs=st.sets(st.sampled_from(PLACES)), labels=st.sets(st.sampled_from(PLACES)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_command_line_goes_before_variables_and_these_before_files(
    workdirs: set[str], labels: set[str], tmp_path: Path
) -> None:
    """Any subset of sources: single values replace, tables merge key by key, in the documented order."""
    flags: dict[str, Any] = {}
    environment: dict[str, str] = {}
    files = {"pycontainer.toml": ["[build]"], "pyproject.toml": ["[tool.pycontainer]"]}
    for place in PLACES:
        name = place.split(".")[0]
        if place == "flag":
            flags |= {"workdir": [f"/{name}"]} if place in workdirs else {}
            flags |= {"labels": [f"shared={name}", f"only-{name}=1"]} if place in labels else {}
        elif place == "variable":
            environment |= {"PYCONTAINER_WORKDIR": f"/{name}"} if place in workdirs else {}
            environment |= {"PYCONTAINER_LABELS": f"shared={name}\nonly-{name}=1\n"} if place in labels else {}
        else:
            files[place] += [f'workdir = "/{name}"'] if place in workdirs else []
            files[place] += [f'labels = {{ shared = "{name}", only-{name} = "1" }}'] if place in labels else []
    for file, lines in files.items():
        (tmp_path / file).write_text("\n".join(lines))
    config = load(tmp_path, flags, environment).config
    names = [place.split(".")[0] for place in PLACES]
    first = next((name for place, name in zip(PLACES, names, strict=True) if place in workdirs), None)
    assert config.workdir == (f"/{first}" if first else "/app")
    expected = {f"only-{name}": "1" for place, name in zip(PLACES, names, strict=True) if place in labels}
    shared = next((name for place, name in zip(PLACES, names, strict=True) if place in labels), None)
    assert config.labels == {**expected, **({"shared": shared} if shared else {})}


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_text(
        """
        [build]
        base_image = "python:3.11-slim"
        workdir = "/app"
        include_deps = true
        reproducible = true
        [build.labels]
        maintainer = "team@example.com"
        [build.env]
        PORT = "8080"
        [registry]
        url = "ghcr.io/myorg/myapp"
        """
    )
    config = load(tmp_path, {"tag": ["myapp:1"]}).config
    assert config.env == {"PORT": "8080"}
    assert config.labels == {"maintainer": "team@example.com"}
    assert str(config.references[0]) == "ghcr.io/myorg/myapp:1"


def test_the_build_table_may_stand_in_pyproject_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pycontainer.build]\nworkdir = "/srv"\n')
    assert load(tmp_path).config.workdir == "/srv"


def test_another_file_replaces_pycontainer_toml(tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_text('[build]\nworkdir = "/one"\nuser = "1"\n')
    (tmp_path / "prod.toml").write_text('[build]\nworkdir = "/two"\n')
    config = load(tmp_path, {"config_file": [str(tmp_path / "prod.toml")]}).config
    assert (config.workdir, config.user) == ("/two", None)


def test_paths_are_relative_to_where_they_are_written(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "other"
    project.mkdir()
    other.mkdir()
    (other / "c.toml").write_text('[build]\nlock = "uv.lock"\nadd = ["a:/a"]\nbase-image = "oci:base"\n')
    flags = from_flags(
        {"context_path": ["project"], "config_file": ["other/c.toml"], "output": ["oci:out"]}, base=tmp_path
    )
    config = load_config(flags, environment={}, directory=tmp_path).config
    assert config.path(str(config.lock)) == other / "uv.lock"
    assert Path(config.added_files[0].source) == other / "a"
    assert config.base == f"oci:{other / 'base'}"
    assert config.outputs[0].path == str(tmp_path / "out")


def test_the_time_of_reproducible_builds_is_honoured(tmp_path: Path) -> None:
    environment = {"SOURCE_DATE_EPOCH": "1735689600"}
    loaded = load(tmp_path, environment=environment)
    assert loaded.config.created_at == "2025-01-01T00:00:00Z"
    assert str(loaded.origin("created")) == "SOURCE_DATE_EPOCH"
    assert load(tmp_path, environment={**environment, "PYCONTAINER_CREATED": "5"}).config.created == 5


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert (
        load(tmp_path, environment={"PYCONTAINER_WORKDIR": "", "SOURCE_DATE_EPOCH": ""}).config == load(tmp_path).config
    )


def test_a_variable_that_does_not_exist_earns_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, environment={"PYCONTAINER_PLATFROM": "linux/arm64", "PYCONTAINER_DEBUG": "1"})
    assert loaded.warnings == (
        "`PYCONTAINER_PLATFROM` is not a variable of pycontainer; is `PYCONTAINER_PLATFORM` meant?",
    )


def test_a_variable_of_the_image_that_looks_like_a_secret_earns_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"env": ["API_TOKEN=hunter2", "API_TOKEN_FILE=/run/token", "AUTHOR=bob"]})
    assert loaded.warnings == ("`API_TOKEN` of --env looks like a secret; whoever has the image can read it",)


@pytest.mark.parametrize(
    ("flags", "environment", "toml", "expected"),
    [
        ({"user": ["-1"]}, {}, "", "set by: --user"),
        ({}, {"PYCONTAINER_USER": "-1"}, "", "set by: PYCONTAINER_USER"),
        ({}, {"SOURCE_DATE_EPOCH": "x"}, "", "set by: SOURCE_DATE_EPOCH"),
        ({}, {}, 'build.user = "-1"', "set by: build.user in pycontainer.toml"),
        ({}, {}, "build.user = 1", "set by: build.user in pycontainer.toml"),
        ({}, {}, 'build.env.1 = ""', "set by: build.env in pycontainer.toml"),
        ({}, {"PYCONTAINER_PUSH": "maybe"}, "", "set by: PYCONTAINER_PUSH"),
        ({}, {}, 'registry.insecure = ["a/b"]', "set by: registry.insecure in pycontainer.toml"),
    ],
)
def test_an_error_names_the_option_as_the_user_wrote_it(
    flags: dict[str, Any], environment: dict[str, str], toml: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "pycontainer.toml").write_text(toml)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, flags, environment)
    assert caught.value.facts[0] == expected


def test_an_error_in_a_table_names_the_source_of_that_key(tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_text('[build.labels]\na = "x\\ny"\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"labels": ["b=1"]})
    assert caught.value.facts[0] == "set by: build.labels in pycontainer.toml"


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ('[build]\nbase-imge = "x"', "`base-imge` is not an option", "Is `base-image` meant?"),
        ('[build]\nurl = "x"', "`url` is not an option", "Put it into the table `[registry]`"),
        ('workdir = "/x"', "`workdir` is not a table of the configuration", "Put it into the table `[build]`"),
        ("[biuld]", "`biuld` is not a table of the configuration", "Is `build` meant?"),
        ("build = 1", "`build` is not a table", None),
        (
            '[registry]\npassword = "hunter2"',
            "`password` cannot be set in a file",
            "Set {password} or `PYCONTAINER_PASSWORD`",
        ),
        ('[build]\ncontext = "x"', "`context` cannot be set in a file", "Set {context_path} or `PYCONTAINER_CONTEXT`"),
        ('[build]\nbase-image = "a"\nbase_image = "b"', "The option is set twice", "Keep one spelling of it"),
        ('[build]\nadd = [{ source = "a" }]', "A table of a file is incomplete", None),
        ('[build]\nadd = [{ source = "a", destination = "/b", mdoe = "1" }]', "`mdoe` is not a key of a file", None),
        (
            '[build]\nadd = [{ source = "a", destination = "/b", mode = 644 }]',
            "The `mode` of a file is not a string",
            None,
        ),
    ],
)
def test_a_mistake_in_a_file_is_named_with_what_was_meant(
    toml: str, message: str, hint: str | None, tmp_path: Path
) -> None:
    (tmp_path / "pycontainer.toml").write_text(toml)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.message == message
    assert caught.value.hint == hint
    assert "hunter2" not in str(caught.value)


def test_one_error_tells_what_is_wrong_in_all_sources(tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_text('[build]\nbase-imge = "x"\nuser = "-1"\n')
    (tmp_path / "pyproject.toml").write_text("[tool.pycontainer]\nlayer-budget = 0\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"env": ["VALUE"]}, {"PYCONTAINER_PORTS": "0"})
    assert [fact.split(": ")[0] for fact in caught.value.facts if not fact.startswith(" ")] == [
        "--env",
        "build.base-imge in pycontainer.toml",
        "build.user in pycontainer.toml",
        "PYCONTAINER_PORTS",
        "tool.pycontainer.layer-budget in pyproject.toml",
    ]


def test_a_member_of_a_workspace_has_settings_of_its_own_before_the_shared_ones(tmp_path: Path) -> None:
    member = tmp_path / "packages" / "api"
    member.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
        '[tool.pycontainer]\nworkdir = "/shared"\nuser = "1000"\nenv = { A = "shared", B = "shared" }\n'
    )
    (member / "pyproject.toml").write_text(
        '[project]\nname = "Shop_API"\n[tool.pycontainer]\nworkdir = "/own"\nadd = ["x:/x"]\nenv = { A = "own" }\n'
    )
    config = load(tmp_path, {"package": ["shop-api"]}).config
    assert (config.workdir, config.user, config.env) == ("/own", "1000", {"A": "own", "B": "shared"})
    assert Path(config.added_files[0].source) == member / "x"
    assert load(tmp_path).config.workdir == "/shared"
    assert load(tmp_path, {"package": ["other"]}).config.workdir == "/shared"


@pytest.mark.parametrize("content", [b"[build", b"\xff", b"a = 1\na = 2", b"[" * 50_000, b"x = " + b"[" * 50_000])
def test_a_file_that_is_not_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "pycontainer.toml").write_bytes(b'\xef\xbb\xbf[build]\r\nworkdir = "/x"\r\n')
    assert load(tmp_path).config.workdir == "/x"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`none\.toml` cannot be read"):
        load(tmp_path, {"config_file": [str(tmp_path / "none.toml")]})


def test_a_broken_pyproject_is_an_error_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[")
    with pytest.raises(ProjectError):
        load(tmp_path)


def test_a_value_without_its_name_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"env": ["hunter2"]})
    assert "hunter2" not in str(caught.value)


@given(given_flags=st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.lists(st.text(), min_size=1), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_command_line_makes_a_config_or_an_error_that_is_one(given_flags: dict[str, Any], tmp_path: Path) -> None:
    flags = {name: texts for name, texts in given_flags.items() if name not in {"context_path", "config_file"}}
    try:
        loaded = load(tmp_path, flags)
    except ConfigError:
        return
    assert BuildConfig(**loaded.config.as_dict()) == loaded.config
