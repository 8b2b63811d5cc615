import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.config import OPTIONS, BuildConfig, ExtraFile, Output, Port
from pycontainer.errors import ConfigError

FIVE = "0123456789abcdef" * 4


def test_the_example_of_the_library_works_as_promised() -> None:
    config = BuildConfig(
        tag="myapp:latest",
        context_path=".",
        base_image="python:3.11-slim",
        include_deps=True,
        workdir="/app",
        env={"ENV": "production"},
        labels={"version": "1.0"},
        include_paths=["src/", "pyproject.toml"],
        entrypoint=["python", "-m", "myapp"],
        generate_sbom="spdx",
        reproducible=True,
        verbose=True,
    )
    assert [reference.familiar for reference in config.references] == ["myapp:latest"]
    assert config.entrypoint == ("python", "-m", "myapp")


def test_every_field_is_an_option_and_every_option_that_says_so_a_field() -> None:
    fields = list(BuildConfig().as_dict())
    assert fields == [option.name for option in OPTIONS.values() if option.is_field]


def test_the_defaults_in_the_table_are_those_of_the_fields() -> None:
    for name, value in BuildConfig().as_dict().items():
        if isinstance(value, bool):
            assert OPTIONS[name].default == ("yes" if value else "no"), name
        if isinstance(value, int) and not isinstance(value, bool):
            assert OPTIONS[name].default == str(value), name


def test_a_config_is_frozen_and_equal_to_one_of_the_same_values() -> None:
    config = BuildConfig(tag="a:1", env={"A": "1"})
    assert config == BuildConfig(tag=["a:1"], env={"A": "1"})
    with pytest.raises(AttributeError):
        config.tag = "b"  # type: ignore[misc]


def test_what_the_caller_changes_later_does_not_change_the_config() -> None:
    env = {"A": "1"}
    config = BuildConfig(env=env)
    env["B"] = "2"
    assert config.env == {"A": "1"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tag": "UPPER/Case:1"}, "is not an image reference"),
    ({"tag": "a:" + "t" * 129}, "is not an image reference"),
    ({"tag": "a:b:c"}, "is not an image reference"),
    ({"tag": "../x"}, "is not an image reference"),
    ({"tag": "host:99999/x"}, "is not an image reference"),
    ({"tag": "müller/x"}, "is not an image reference"),
    ({"tag": "bücher.example/x"}, "is not an image reference"),
    ({"tag": "a@sha256:abc"}, "is not an image reference"),
    ({"tag": f"a@sha256:{FIVE}"}, "names the image by digest"),
    ({"tag": ""}, "is empty"),
    ({"tag": 5}, "wrong type"),
    ({"tag": [5]}, "wrong type"),
    ({"base_image": "a b"}, "is not an image reference"),
    ({"base_image": "oci:"}, "is not an image reference"),
    ({"platform": "windows/amd64"}, "is not supported"),
    ({"platform": "linux"}, "is not a platform"),
    ({"platform": "linux/mips"}, "is not supported"),
    ({"python": "3"}, "is not a Python version"),
    ({"libc": "glibc"}, "is not a libc"),
    ({"output": "tar:x"}, "is not an output"),
    ({"output": "oci"}, "is not an output"),
    ({"output": "docker:x"}, "is not an output"),
    ({"generate_sbom": "xml"}, "is not a choice"),
    ({"created": "yesterday"}, "is not a time"),
    ({"created": -1}, "is not a time"),
    ({"created": "2025-01-01T00:00:00"}, "is not a time"),
    ({"created": 10**15}, "is not a time"),
    ({"entrypoint": []}, "command is empty"),
    ({"entrypoint": "'"}, "cannot be split"),
    ({"entrypoint": ["a\0"]}, "NUL"),
    ({"env": {"1A": ""}}, "is not the name of a variable"),
    ({"env": {"A=B": ""}}, "is not the name of a variable"),
    ({"env": {"A": "\0"}}, "NUL"),
    ({"env": {"A": "x" * 131072}}, "is too long"),
    ({"env": {"A": 5}}, "is not a string"),
    ({"env": {"A": "\udc80"}}, "is not UTF-8"),
    ({"env": ["A=1"]}, "wrong type"),
    ({"labels": {"a": "two\nlines"}}, "line break"),
    ({"labels": {"a b": ""}}, "is not a key"),
    ({"annotations": {"": ""}}, "is not a key"),
    ({"annotations": {"a": "\x1b[2J"}}, "control character"),
    ({"workdir": "app"}, "absolute path"),
    ({"workdir": "/a/../b"}, "absolute path"),
    ({"user": "2147483648"}, "out of range"),
    ({"user": "1:2147483648"}, "out of range"),
    ({"user": "-1"}, "is not a user"),
    ({"user": "a:"}, "is not a user"),
    ({"ports": [0]}, "is not a port"),
    ({"ports": ["80/http"]}, "is not a port"),
    ({"ports": [65536]}, "is not a port"),
    ({"volumes": ["data"]}, "absolute path"),
    ({"stop_signal": "kill it"}, "is not a signal"),
    ({"include_paths": ["../x"]}, "outside the project"),
    ({"include_paths": ["/etc"]}, "outside the project"),
    ({"include_paths": ["C:\\x"]}, "outside the project"),
    ({"exclude_paths": ["a\nb"]}, "is not a pattern"),
    ({"extra_files": ["a"]}, "is not a file to add"),
    ({"extra_files": ["a:/b:999"]}, "is not a file mode"),
    ({"extra_files": ["a:/b:0644:root"]}, "is not an owner"),
    ({"layer_budget": 0}, "out of range"),
    ({"layer_budget": 128}, "out of range"),
    ({"jobs": True}, "wrong type"),
    ({"extras": ["a b"]}, "is not a name"),
    ({"package": "-x"}, "is not a name"),
    ({"index_url": "file:///x"}, "URL of a package index"),
    ({"os_packages": ["LibPQ5"]}, "is not a package"),
    ({"os_packages": ["libpq5:arm64"]}, "is not a package"),
    ({"os_exclude": ["libpq5=1"]}, "is not the name of a package"),
    ({"os_archive": ["ftp://bob:hunter2@archive.example/debian"]}, "is not a package archive"),
    ({"os_snapshot": "https://snapshot.example/"}, "URL of a snapshot service"),
    ({"base_image": "deb:../x"}, "names no suite"),
    ({"base_packages": ["python3"]}, "made of packages"),
    ({"registry": "http://host:5000"}, "is not a registry"),
    ({"registry": "https://bob:hunter2@host.example"}, "holds credentials"),
    ({"registry": "acme"}, "names no registry"),
    ({"username": "a:b", "password": "x"}, "holds `:`"),
    ({"password": "hunter2"}, "no user name"),
    ({"username": "bob"}, "no password"),
    ({"username": "bob", "password": "a\nb"}, "several lines"),
    ({"insecure_registries": ["http://x"]}, "is not a host"),
    ({"allow_http": ["x/y"]}, "is not a host"),
    ({"mirrors": {"docker.io": "http://mirror.example"}}, "is not a registry"),
    ({"no_build": True, "build_sdists": ["a"]}, "Nothing may be built"),
    ({"only_groups": True}, "No groups are chosen"),
    ({"quiet": True, "verbose": True}, "exclude each other"),
    ({"include_deps": "yes"}, "wrong type"),
    ({"context_path": "a\0b"}, "is not a path"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_option_is_refused_when_the_config_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        BuildConfig(**options)
    assert message in caught.value.message
    assert caught.value.facts[0].startswith("set by: ")
    assert "hunter2" not in str(caught.value)


def test_one_error_tells_everything_that_is_wrong() -> None:
    options: dict[str, Any] = {"tag": ["A", "b:?"], "user": "-1", "env": {"1": "", "2": ""}, "workdir": "x"}
    with pytest.raises(ConfigError) as caught:
        BuildConfig(**options)
    assert caught.value.message == "6 options are wrong"
    told = [fact.split(":")[0] for fact in caught.value.facts if not fact.startswith(" ")]
    assert sorted(told) == ["env", "env", "tag", "tag", "user", "workdir"]


@pytest.mark.parametrize(
    ("tag", "registry", "full"),
    [
        ("api", None, "docker.io/library/api:latest"),
        ("api:1.4", "ghcr.io/acme", "ghcr.io/acme/api:1.4"),
        ("api:1.4", "https://ghcr.io/acme/api/", "ghcr.io/acme/api:1.4"),
        ("acme/api:1.4", "ghcr.io", "ghcr.io/acme/api:1.4"),
        ("acme/api:1.4", "ghcr.io/acme/api", "ghcr.io/acme/api:1.4"),
        ("quay.io/acme/api:1.4", "ghcr.io/acme", "quay.io/acme/api:1.4"),
        ("docker.io/acme/api", "ghcr.io/acme", "docker.io/acme/api:latest"),
        ("localhost:5000/api", "ghcr.io", "localhost:5000/api:latest"),
        ("[::1]:5000/api:x", None, "[::1]:5000/api:x"),
    ],
)
def test_the_registry_completes_tags_that_name_none(tag: str, registry: str | None, full: str) -> None:
    config = BuildConfig(tag=tag, registry=registry)
    assert [str(reference) for reference in config.references] == [full]


def test_an_image_is_written_to_a_layout_unless_it_is_only_pushed() -> None:
    assert [str(output) for output in BuildConfig().outputs] == ["oci:dist/image"]
    assert BuildConfig(push=True).outputs == ()
    assert BuildConfig(push=True, output="docker").outputs == (Output("docker"),)


def test_paths_are_relative_to_the_context() -> None:
    config = BuildConfig(context_path="proj", output=["oci-archive:a.tar", "docker"], base_image="oci:base")
    assert [output.path for output in config.outputs] == [str(config.path("a.tar")), None]
    assert config.base == f"oci:{config.path('base')}"
    assert BuildConfig(context_path="proj", base_image="oci.example/base").base == "oci.example/base"


def test_platforms_are_told_apart_by_their_meaning() -> None:
    config = BuildConfig(platform="linux/amd64, linux/x86_64,linux/arm64")
    assert [str(platform) for platform in config.platforms] == ["linux/amd64", "linux/arm64"]


@pytest.mark.parametrize(
    ("created", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        ("1735689600", "2025-01-01T00:00:00Z"),
        ("2025-01-01T01:00:00+01:00", "2025-01-01T00:00:00Z"),
        ("2025-01-01T00:00:00.123456789Z", "2025-01-01T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
    ],
)
def test_times_are_read_in_both_forms(created: int | str, text: str) -> None:
    assert BuildConfig(created=created).created_at == text


def test_a_password_is_never_shown() -> None:
    config = BuildConfig(
        username="bob",
        password="hunter2",
        index_url="https://bob:hunter2@index.example/simple",
        os_archive=["https://bob:hunter2@archive.example/debian"],
    )
    assert "hunter2" not in repr(config)
    assert config.password is not None
    assert str(config.password) == "***"


@given(st.integers(1, 65535), st.sampled_from(["tcp", "udp", "sctp"]))
def test_ports_print_as_they_parse(number: int, protocol: str) -> None:
    port = Port(number, protocol)
    assert Port.parse(str(port)) == port


@given(
    st.text("abc/.-_ ", min_size=1).filter(lambda text: not text.startswith("/") and ":/" not in text),
    st.lists(st.text("abc-_", min_size=1), min_size=1).map(lambda parts: "/" + "/".join(parts)),
    st.none() | st.integers(0o100, 0o7777),
    st.none() | st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
)
def test_extra_files_print_as_they_parse(
    source: str, destination: str, mode: int | None, owner: tuple[int, int] | None
) -> None:
    file = ExtraFile(source=source, destination=destination, mode=mode, owner=owner)
    assert ExtraFile.parse(str(file)) == file


def test_a_drive_of_windows_separates_nothing() -> None:
    file = ExtraFile.parse("C:/etc/app.ini:/etc/app.ini:0640:1:2")
    assert (file.source, file.destination, file.mode, file.owner) == ("C:/etc/app.ini", "/etc/app.ini", 0o640, (1, 2))


@given(
    st.sampled_from(list(OPTIONS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
        max_leaves=5,
    ),
)
def test_whatever_is_given_either_makes_a_config_or_a_config_error(name: str, value: object) -> None:
    if not OPTIONS[name].is_field:
        return
    options: dict[str, Any] = {name: value}
    try:
        config = BuildConfig(**options)
    except ConfigError:
        return
    assert (config.references, config.outputs, config.platforms, config.added_files, config.created_at) is not None
    assert BuildConfig(**config.as_dict()) == config


def test_importing_the_options_stays_quick() -> None:
    """No network library and no lock reader may be loaded before there is work for them."""
    slow = ("urllib3", "packaging", "dataclasses")
    code = f"import sys, pycontainer.config; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, pycontainer.config as c; c.BuildConfig(tag='a:1'); print('urllib3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("python -m 'my app'", ("python", "-m", "my app")),
        ('["python", "-m", "my app"]', ("python", "-m", "my app")),
        ("[ -f x ]", ("[", "-f", "x", "]")),
    ],
)
def test_a_command_is_written_as_in_a_shell_or_as_a_list(text: str, words: tuple[str, ...]) -> None:
    assert BuildConfig(entrypoint=text).entrypoint == words
