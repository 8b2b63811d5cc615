"""Pushes through the real command, to a strict registry of ours and to Debian's.

Promise: what is pushed is whole before it has a name; who we are and where that was found is said when it is refused;
passwords never are; and what a registry has is not sent to it.
"""

from __future__ import annotations

import base64
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from bench import SECRET, Bench, Outcome
from debian_registry import HTPASSWD, PASSWORD, USER, debian_registry, needs_registry

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Digest, Index, Manifest, Platform, Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexHandler
from pycontainer.testing.registry import Answer, FakeRegistry, Fault, Reset, Rules, Stall
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import Credential, RegistryClient, RegistrySettings
from pycontainer.transports.secrets import Redacted

BOB = {"bob": SECRET}
ARM = Platform("linux", "arm64")


@pytest.fixture
def project(bench: Bench) -> Bench:
    """A project with a wheel that is more than one packet."""
    content = b"".join(Digest.of(str(number).encode()).hex.encode() for number in range(5000))
    bench.lock_forge(WheelForge(files={"demo/data.txt": content}))
    return bench


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        yield running


def push(bench: Bench, host: str, *arguments: str, name: str = "acme/app:1.0", **variables: str) -> Outcome:
    """Build and push, with no credentials but those of the variables and of this home."""
    blank = dict.fromkeys(("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"), "")
    outcome = bench.build("--push", "--tag", f"{host}/{name}", *arguments, environment={**blank, **variables})
    assert "Traceback" not in outcome.err
    assert SECRET not in outcome.out + outcome.err
    return outcome


def pushed(bench: Bench, host: str, *arguments: str, **variables: str) -> Outcome:
    """As `push`, and it works: the name and the digest that is printed are the same image, and whole."""
    outcome = push(bench, host, *arguments, **variables)
    assert outcome.code == 0, outcome.err
    return outcome


def sign_in(bench: Bench, config: object) -> None:
    """Put a Docker configuration into the home of the command."""
    path = bench.root.parent / ".docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(config))


def auths(host: str, user: str, password: str) -> dict[str, object]:
    return {"auths": {host: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}}}


def is_named(registry: FakeRegistry, outcome: Outcome, repository: str = "acme/app") -> None:
    """The tag is on the manifest that the command printed, and the registry has all that it names."""
    found = registry.store.repository(repository)
    digest = found.tags["1.0"]
    assert outcome.out == f"{registry.host}/{repository}@{digest}\n"
    assert is_whole(found.blobs, {name: raw for name, (_, raw) in found.manifests.items()}, digest)


def is_whole(blobs: dict[str, bytes], manifests: dict[str, bytes], digest: str) -> bool:
    value = json.loads(manifests[digest])
    if "manifests" in value:
        return all(is_whole(blobs, manifests, entry["digest"]) for entry in value["manifests"])
    return all(
        Digest.of(blobs[part["digest"]]) == Digest.parse(part["digest"]) for part in (value["config"], *value["layers"])
    )


# --- who we are ------------------------------------------------------------------------------------------------------


def test_a_push_without_credentials_where_none_are_needed(project: Bench, registry: FakeRegistry) -> None:
    is_named(registry, pushed(project, registry.host))
    assert registry.requests[-1].method == "GET", "the tag is read back"


@pytest.mark.parametrize("authentication", ["basic", "token"])
def test_a_push_with_the_password_of_a_docker_configuration(project: Bench, authentication: str) -> None:
    with FakeRegistry(Rules(authentication=authentication, users=BOB)) as registry:
        sign_in(project, auths(registry.host, "bob", SECRET))
        is_named(registry, pushed(project, registry.host))


def test_a_push_with_the_password_of_variables(project: Bench) -> None:
    with FakeRegistry(Rules(authentication="token", users=BOB)) as registry:
        is_named(registry, pushed(project, registry.host, REGISTRY_USERNAME="bob", REGISTRY_PASSWORD=SECRET))


def test_a_push_with_the_password_of_a_credential_helper(
    project: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeRegistry(Rules(authentication="token", users=BOB)) as registry:
        helper = tmp_path / "bin" / "docker-credential-vault"
        helper.parent.mkdir()
        answer = json.dumps({"ServerURL": registry.host, "Username": "bob", "Secret": SECRET})
        helper.write_text(f"#!/bin/sh\nread server\n[ \"$server\" = {registry.host} ] && echo '{answer}'\n")
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
        sign_in(project, {"credHelpers": {registry.host: "vault"}})
        is_named(registry, pushed(project, registry.host))


@pytest.mark.parametrize("authentication", ["basic", "token"])
def test_a_wrong_password_names_the_user_and_where_it_was_found(project: Bench, authentication: str) -> None:
    with FakeRegistry(Rules(authentication=authentication, users={"bob": "another"})) as registry:
        sign_in(project, auths(registry.host, "bob", SECRET))
        outcome = push(project, registry.host)
        assert outcome.code == 4, outcome.err
        assert outcome.out == ""
        assert f"Push to `{registry.host}/acme/app` was denied" in outcome.err
        assert "user `bob`, from `~/.docker/config.json`" in outcome.err
        assert not registry.store.repository("acme/app").tags


def test_missing_credentials_say_how_to_sign_in(project: Bench) -> None:
    with FakeRegistry(Rules(authentication="token", users=BOB)) as registry:
        outcome = push(project, registry.host)
        assert outcome.code == 4, outcome.err
        assert "credentials: none found" in outcome.err
        assert f"docker login {registry.host}" in outcome.err


def test_a_missing_credential_helper_is_named(project: Bench, registry: FakeRegistry) -> None:
    sign_in(project, {"credHelpers": {registry.host: "nowhere"}})
    registry.rules = Rules(authentication="token", users=BOB)
    outcome = push(project, registry.host)
    assert outcome.code == 1, outcome.err
    assert "docker-credential-nowhere" in outcome.err
    assert "~/.docker/config.json" in outcome.err


def test_a_base_that_everyone_may_read_needs_no_working_helper_where_that_is_allowed(project: Bench) -> None:
    with FakeRegistry(Rules(authentication="token", anonymous_pull=True)) as registry:
        with FakeRegistry() as filled:
            fill(filled.host, debian_like(), "library/python:3.12")
            registry.store.repositories = filled.store.repositories
        sign_in(project, {"credHelpers": {registry.host: "nowhere"}})
        base = ("--base-image", f"{registry.host}/library/python:3.12")
        refused = project.build(*base)
        assert refused.code == 1, refused.err
        assert "docker-credential-nowhere" in refused.err
        allowed = project.build(*base, "--anonymous-pull")
        assert allowed.code == 0, allowed.err
        assert "warning: " in allowed.err
        assert "pulling without credentials" in allowed.err
        assert push(project, registry.host, *base, "--anonymous-pull").code == 1, "it is for pulls alone"


# --- asked before anything is made -----------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [Rules(authentication="token", users=BOB), Rules(authentication="basic")])
def test_a_refusal_is_known_before_anything_is_downloaded_or_made(project: Bench, refused: Rules) -> None:
    with FakeRegistry(refused) as registry:
        outcome = push(project, registry.host)
        assert outcome.code == 4, outcome.err
        assert f"Push to `{registry.host}/acme/app` was denied" in outcome.err
        assert not registry.asked("HEAD", "/blobs/")
    assert not project.index.requests
    assert "Making layers" not in outcome.err


def test_a_token_that_allows_less_is_refused_by_the_registry_itself(project: Bench, registry: FakeRegistry) -> None:
    body = b'{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}'
    registry.faults.add(Fault(method="POST", path="/blobs/uploads/", effect=Answer(status=403, body=body), times=None))
    outcome = push(project, registry.host)
    assert outcome.code == 4, outcome.err
    assert "write_package" in outcome.err
    assert not project.index.requests


def test_every_repository_is_asked(project: Bench, registry: FakeRegistry) -> None:
    with FakeRegistry(Rules(authentication="token", users=BOB)) as other:
        outcome = push(project, registry.host, "--tag", f"{other.host}/acme/app:1.0")
        assert outcome.code == 4, outcome.err
        assert f"Push to `{other.host}/acme/app` was denied" in outcome.err
    assert not registry.store.repository("acme/app").blobs


@pytest.mark.parametrize("dislike", [Answer(status=405), Answer(status=404), Answer(status=401), Reset()])
def test_a_registry_that_does_not_cancel_uploads_is_pushed_to(
    project: Bench, registry: FakeRegistry, dislike: Answer | Reset
) -> None:
    registry.faults.add(Fault(method="DELETE", effect=dislike, times=None))
    is_named(registry, pushed(project, registry.host))


@pytest.mark.parametrize("odd", [Answer(status=405), Answer(status=202), Answer(status=404)])
def test_an_answer_that_is_neither_yes_nor_no_stops_nothing(
    project: Bench, registry: FakeRegistry, odd: Answer
) -> None:
    registry.faults.add(Fault(method="POST", path="/blobs/uploads/", effect=odd))
    is_named(registry, pushed(project, registry.host))


def test_a_registry_that_is_out_of_order_is_waited_for_once(project: Bench, registry: FakeRegistry) -> None:
    busy = Answer(status=503, headers={"Retry-After": "0"})
    registry.faults.add(Fault(effect=busy, times=None))
    outcome = push(project, registry.host)
    assert outcome.code == 3, outcome.err
    assert {(item.method, item.status) for item in registry.requests} == {("POST", 503)}
    assert len(registry.requests) == 6


# --- what goes wrong on the way --------------------------------------------------------------------------------------


def test_a_registry_that_cannot_be_reached(project: Bench) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening
        host = f"127.0.0.1:{nobody.getsockname()[1]}"
        begun = time.monotonic()
        outcome = push(project, host)
    assert outcome.code == 3, outcome.err
    assert host in outcome.err
    assert time.monotonic() - begun < 40
    assert not project.index.requests, "known before anything was downloaded"


def test_a_registry_that_asks_for_patience_gets_it(project: Bench, registry: FakeRegistry) -> None:
    busy = Answer(status=429, body=b"slow down", headers={"Retry-After": "1", "Content-Type": "text/plain"})
    for method in ("POST", "PUT", "HEAD"):
        registry.faults.add(Fault(method=method, effect=busy))
    begun = time.monotonic()
    outcome = pushed(project, registry.host)
    assert time.monotonic() - begun > 2
    is_named(registry, outcome)
    assert [item.status for item in registry.requests].count(429) == 3


def test_a_token_that_expires_in_the_middle_of_a_push_is_renewed(project: Bench) -> None:
    with FakeRegistry(Rules(authentication="token", users=BOB, token_uses=3)) as registry:
        sign_in(project, auths(registry.host, "bob", SECRET))
        is_named(registry, pushed(project, registry.host, "--jobs", "1"))  # several would use it up at once
        assert len(registry.asked("GET", "/token")) > 2


def test_a_connection_that_breaks_in_an_upload_is_begun_again(project: Bench, registry: FakeRegistry) -> None:
    registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Reset(after=100), times=2))
    is_named(registry, pushed(project, registry.host))


def test_a_push_that_fails_leaves_the_name_where_it_was(project: Bench, registry: FakeRegistry) -> None:
    first = pushed(project, registry.host)
    project.write("main.py", "print('changed')\n")
    registry.faults.add(
        Fault(method="PUT", path="/manifests/", effect=Answer(status=500, body=b"disk full"), times=None)
    )
    outcome = push(project, registry.host, "--jobs", "1")
    assert outcome.code == 3, outcome.err
    assert "disk full" in outcome.err
    registry.faults.clear()
    is_named(registry, first)


KILLS = 30


def test_a_push_that_is_killed_never_leaves_a_name_on_half_an_image(project: Bench, registry: FakeRegistry) -> None:
    """`kill -9` after the first request, the second and so on, through the whole push."""
    assert project.build().code == 0  # so that what follows is a push and little else
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda count: killed(project, registry, count), range(1, KILLS + 1)))
    assert ends.count(-signal.SIGKILL) > KILLS // 2, "most were killed within the push"
    statuses = {item.status for item in registry.asked("PUT", "/manifests/")}
    assert statuses <= {201, 0}, "a parent went before its child"  # 0: killed between a request's head and its body
    with registry.store.lock:  # a request that was sent before its sender died may be answered only now
        for count in range(1, KILLS + 1):
            found = registry.store.repository(f"acme/app{count}")
            manifests = {name: raw for name, (_, raw) in found.manifests.items()}
            assert all(is_whole(found.blobs, manifests, digest) for digest in manifests)
            assert set(found.tags.values()) <= set(manifests)
    for count in (1, KILLS // 2):
        outcome = push(project, registry.host, name=f"acme/app{count}:1.0")
        assert outcome.code == 0, outcome.err
        is_named(registry, outcome, f"acme/app{count}")


def killed(bench: Bench, registry: FakeRegistry, count: int) -> int:
    """Push to a repository of its own and kill the command when so many requests were answered; how it ended."""
    path = f"/acme/app{count}/"
    with bench.start("--push", "--tag", f"{registry.host}/acme/app{count}:1.0") as command:
        while command.poll() is None:
            if sum(path in item.path for item in list(registry.requests)) >= count:
                command.kill()
            time.sleep(0.003)
        command.communicate()
    return command.returncode


# --- what moves ------------------------------------------------------------------------------------------------------


def fill(host: str, image: object, name: str, settings: RegistrySettings | None = None) -> None:
    """Put a base image into a registry."""
    with closing(RegistryClient(settings or RegistrySettings(environment={}, home=None))) as client:
        RegistryDestination(client, [Reference.parse(f"{host}/{name}")]).write(image)  # type: ignore[arg-type]


def base_layers() -> set[str]:
    return {str(layer.descriptor.digest) for layer in debian_like().layers}


def hold_last_wheel(project: Bench, registry: FakeRegistry, *, seconds: float) -> list[bool]:
    """Lock another wheel, which the index holds back until a layer is pushed, or time is up: given, whether one was."""
    project.lock_forge(WheelForge(name="late"))
    came: list[bool] = []

    def hold(handler: IndexHandler) -> None:
        if "late" in handler.path:
            end = time.monotonic() + seconds
            own: set[str] = set()
            while not own and time.monotonic() < end:
                time.sleep(0.01)
                own = set(registry.store.repository("acme/app").blobs) - base_layers()
            came.append(bool(own))

    project.index.faults.append(hold)
    return came


def test_layers_are_pushed_while_a_wheel_is_still_on_its_way(project: Bench, registry: FakeRegistry) -> None:
    came = hold_last_wheel(project, registry, seconds=60)
    is_named(registry, pushed(project, registry.host))
    assert came == [True]
    asked = [item.path for item in registry.asked("HEAD", "/blobs/")]
    assert len(asked) == len(set(asked)), "of each layer only once"


def test_nothing_is_pushed_before_policies_saw_the_layers(project: Bench, registry: FakeRegistry) -> None:
    project.write("pycontainer.toml", '[policy]\nallowed-licenses = ["MIT"]\n')
    came = hold_last_wheel(project, registry, seconds=1)
    refused = push(project, registry.host)
    assert (refused.code, came) == (5, [False]), refused.err
    assert "allowed-licenses" in refused.err
    assert not registry.store.repository("acme/app").blobs


def test_what_was_pushed_of_a_build_that_failed_has_no_name(project: Bench, registry: FakeRegistry) -> None:
    project.lock_forge(WheelForge(name="late"))
    registry.faults.add(Fault(method="PUT", path="/blobs/uploads/", effect=Stall(seconds=0.5), times=None))
    project.index.files["late"].clear()
    outcome = push(project, registry.host)
    assert outcome.code == 3, outcome.err
    assert "late" in outcome.err
    found = registry.store.repository("acme/app")
    assert not found.tags
    assert not found.manifests


def test_a_second_push_sends_nothing(project: Bench, registry: FakeRegistry) -> None:
    pushed(project, registry.host)
    before = len(registry.requests)
    is_named(registry, pushed(project, registry.host))
    methods = [item.method for item in registry.requests[before:]]
    assert sorted(set(methods)) == ["DELETE", "GET", "HEAD", "POST"]
    assert (methods.count("POST"), methods.count("DELETE")) == (1, 1), "whether we may push, and nothing else"
    assert not registry.store.uploads


def test_layers_of_a_base_in_the_same_registry_are_mounted(project: Bench, registry: FakeRegistry) -> None:
    fill(registry.host, debian_like(), "library/python:3.12")
    before = len(registry.requests)
    outcome = pushed(project, registry.host, "--base-image", f"{registry.host}/library/python:3.12")
    is_named(registry, outcome)
    asked = registry.requests[before:]
    mounted = {item.query.partition("mount=")[2].partition("&")[0] for item in asked if "mount=" in item.query}
    assert mounted == base_layers()
    assert all(
        "from=library%2Fpython" in item.query or "from=library/python" in item.query
        for item in asked
        if "mount=" in item.query
    )
    sent = [item for item in asked if item.method in {"PUT", "PATCH"} and "/blobs/" in item.path]
    assert not [item for item in sent if any(digest in item.query for digest in base_layers())]


def test_a_registry_that_mounts_nothing_gets_the_layers(project: Bench) -> None:
    for refusal in (202, 401, 405):
        with FakeRegistry(Rules(mounts=False, mount_refusal=refusal)) as registry:
            fill(registry.host, debian_like(), "library/python:3.12")
            outcome = pushed(project, registry.host, "--base-image", f"{registry.host}/library/python:3.12")
            is_named(registry, outcome)


def test_a_base_comes_from_its_mirror(project: Bench, registry: FakeRegistry) -> None:
    with FakeRegistry() as mirror:
        fill(mirror.host, debian_like(), "hub/library/python:3.12")
        outcome = pushed(
            project,
            registry.host,
            "--base-image",
            "registry.example/library/python:3.12",
            "--mirror",
            f"registry.example={mirror.host}/hub",
        )
        is_named(registry, outcome)
        assert mirror.asked("GET", "/v2/hub/library/python/manifests/3.12")
        assert not mirror.asked("PUT", "/hub/library/python/manifests/1.0")
    labels = json.loads(next(raw for _, raw in registry.store.repository("acme/app").manifests.values()))
    assert "mirror" not in json.dumps(labels)


def test_two_platforms_become_one_index(project: Bench, registry: FakeRegistry) -> None:
    both = ImageIndex(images=(debian_like(), debian_like(platform=ARM)))
    fill(registry.host, both, "library/python:3.12")
    before = len(registry.requests)
    outcome = pushed(
        project,
        registry.host,
        "--base-image",
        f"{registry.host}/library/python:3.12",
        "--platform",
        "linux/amd64,linux/arm64",
    )
    is_named(registry, outcome)
    put = [item for item in registry.requests[before:] if item.method == "PUT" and "/manifests/" in item.path]
    assert [item.path.rpartition("/")[2].partition(":")[0] for item in put] == ["sha256", "sha256", "sha256", "1.0"]
    assert put[2].path.endswith(outcome.out.strip().partition("@")[2]), "the index follows its images"


# --- Debian's registry -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with debian_registry(tmp_path_factory.mktemp("registry"), passwords=HTPASSWD) as host:
        yield host


@needs_registry
def test_debians_registry_takes_an_index_and_mounts_its_base(project: Bench, debian: str) -> None:
    credential = Credential(username=USER, password=Redacted(PASSWORD))
    settings = RegistrySettings(credentials={debian: credential}, environment={}, home=None)
    both = ImageIndex(images=(debian_like(), debian_like(platform=ARM)))
    fill(debian, both, "library/python:3.12", settings)
    sign_in(project, auths(debian, USER, PASSWORD))
    base = ("--base-image", f"{debian}/library/python:3.12", "--platform", "linux/amd64,linux/arm64", "--json")
    first = json.loads(pushed(project, debian, *base).out)
    moved = json.loads(pushed(project, debian, *base).out)
    assert moved["digest"] == first["digest"]
    with closing(RegistryClient(settings)) as client:
        index = client.manifest(Reference.parse(f"{debian}/acme/app:1.0"))
        assert str(index.descriptor.digest) == first["digest"]
        assert isinstance(index.document, Index)
        for entry in index.document.manifests:
            manifest = client.manifest(Reference.parse(f"{debian}/acme/app@{entry.digest}")).document
            assert isinstance(manifest, Manifest)
            for part in (manifest.config, *manifest.layers):
                with client.blob(index.reference, part).open() as stream:
                    assert len(stream.read()) == part.size


@needs_registry
def test_debians_registry_refuses_a_wrong_password(project: Bench, debian: str) -> None:
    sign_in(project, auths(debian, USER, SECRET))
    outcome = push(project, debian)
    assert outcome.code == 4, outcome.err
    assert f"user `{USER}`, from `~/.docker/config.json`" in outcome.err


@needs_registry
def test_debians_registry_keeps_no_upload_that_was_only_asked_about(project: Bench, tmp_path: Path) -> None:
    with debian_registry(tmp_path) as host:
        pushed(project, host)
    uploads = tmp_path / "storage" / "docker" / "registry" / "v2" / "repositories" / "acme" / "app" / "_uploads"
    assert uploads.is_dir()
    # It leaves the state of a hash of nothing behind, but neither content nor a session.
    assert not [*uploads.rglob("data"), *uploads.rglob("startedat")]
