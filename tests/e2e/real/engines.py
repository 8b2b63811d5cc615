"""Container engines, each with data of its own: Docker, Podman, containerd.

    with docker(tmp_path) as engine:
        engine.pull("localhost:5000/app:1")
        engine.run("localhost:5000/app:1", "--version").stdout
        with engine.serve("localhost:5000/app:1") as container:
            container.ask(8000, "/")

Containers get a network of their own with nothing but loopback in it, so that no test meets another one's ports, and a
test asks from inside the container; `Answer.addresses` tells whether the rest of the world could have asked, too.
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from real.programs import ProgramFailedError, run, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from subprocess import CompletedProcess

# Where cgroups are mixed or limits are low (a build machine in a container), Podman needs both spelled out.
PODMAN_LIMITS = ("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096")
ASK = """
import json, sys, time, urllib.error, urllib.request
port, path, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
end = time.monotonic() + seconds
while True:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
            status, body = answer.status, answer.read().decode()
        break
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read().decode()
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
addresses = []
for table in "/proc/net/tcp", "/proc/net/tcp6":
    try:
        rows = [line.split() for line in open(table).readlines()[1:]]
    except OSError:
        continue
    addresses += [row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
print(json.dumps({"status": status, "body": body, "addresses": addresses}))
"""
CONTAINERD = """
version = 2
root = "{root}/data"
state = "{root}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{root}/opt"
"""
ANY_ADDRESS = frozenset({"00000000", "0" * 32})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a server in a container answered."""

    status: int
    body: str
    addresses: tuple[str, ...]

    @property
    def open_to_all(self) -> bool:
        """Whether the server listens on every address of its container, not on loopback alone."""
        return bool(ANY_ADDRESS.intersection(self.addresses))


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A container that runs."""

    execute: Callable[..., CompletedProcess[str]]
    logs: Callable[[], str]

    def ask(self, port: int, path: str = "/", *, seconds: float = 300) -> Answer:
        """GET a path from inside the container, as soon as something listens there."""
        try:
            said = self.execute("python3", "-c", ASK, str(port), path, str(seconds)).stdout
        except AssertionError as error:
            message = f"no answer on port {port}; the container said:\n{self.logs()}\n{error}"
            raise AssertionError(message) from error
        answer = json.loads(said)
        return Answer(status=answer["status"], body=answer["body"], addresses=tuple(answer["addresses"]))


class Engine(Protocol):
    """What a test does with any engine; `platform` is `linux/arm64`, by default this machine's."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    def pull(self, reference: str, *, platform: str | None = None) -> None:
        """Pull an image from a registry on loopback."""

    def run(self, reference: str, *arguments: str, platform: str | None = None) -> CompletedProcess[str]:
        """Run a container to its end; `arguments` replace the image's command and follow its entry point."""

    def serve(self, reference: str, *, platform: str | None = None) -> AbstractContextManager[Container]:
        """A container that runs inside the `with`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerLike:
    """Docker, or Podman, whose commands are Docker's."""

    name: str
    client: tuple[str, ...]
    pull_options: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()
    remove_options: tuple[str, ...] = ()
    env: Mapping[str, str]

    def command(self, *words: str) -> CompletedProcess[str]:
        """Run the engine's command."""
        return run(*self.client, *words, env=self.env)

    def pull(self, reference: str, *, platform: str | None = None) -> None:
        """See `Engine.pull`."""
        self.command("pull", "--quiet", *self.pull_options, *_platform(platform), reference)

    def run(self, reference: str, *arguments: str, platform: str | None = None) -> CompletedProcess[str]:
        """See `Engine.run`."""
        return self.command("run", "--rm", *self._run_options(platform), reference, *arguments)

    @contextmanager
    def serve(self, reference: str, *, platform: str | None = None) -> Iterator[Container]:
        """See `Engine.serve`."""
        name = new_name()
        self.command("run", "--detach", "--name", name, *self._run_options(platform), reference)
        try:
            yield Container(execute=partial(self.command, "exec", name), logs=partial(self._logs, name))
        finally:
            self.command("rm", "--force", *self.remove_options, name)

    def _run_options(self, platform: str | None) -> tuple[str, ...]:
        return ("--network=none", *self.run_options, *_platform(platform))

    def _logs(self, name: str) -> str:
        done = self.command("logs", name)
        return done.stdout + done.stderr


@dataclass(frozen=True, kw_only=True, slots=True)
class Containerd:
    """containerd, through its own `ctr`."""

    name: str
    client: tuple[str, ...]
    socket: Path
    logs: Path

    def command(self, *words: str) -> CompletedProcess[str]:
        """Run `ctr`."""
        return run(*self.client, *words)

    def pull(self, reference: str, *, platform: str | None = None) -> None:
        """See `Engine.pull`."""
        self.command("images", "pull", "--plain-http", *_platform(platform), reference)

    def run(self, reference: str, *arguments: str, platform: str | None = None) -> CompletedProcess[str]:
        """See `Engine.run`."""
        # What follows the name replaces the entry point, too; engines add to it.
        command = (*_entry_point(reference, platform), *arguments) if arguments else ()
        return self._hear("run", "--rm", *_platform(platform), reference, new_name(), *command)

    @contextmanager
    def serve(self, reference: str, *, platform: str | None = None) -> Iterator[Container]:
        """See `Engine.serve`."""
        name = new_name()
        log = self.logs / name
        self.command("run", "--detach", "--log-uri", f"file://{log}", *_platform(platform), reference, name)
        try:
            yield Container(execute=partial(self._execute, name), logs=partial(log.read_text, errors="replace"))
        finally:
            run(*self.client, "task", "kill", "--signal", "SIGKILL", name, status=None)
            run(*self.client, "task", "delete", "--force", name, status=None)
            self.command("container", "delete", name)

    def _execute(self, name: str, *words: str) -> CompletedProcess[str]:
        return self._hear("task exec", "--exec-id", new_name(), name, *words)

    def _hear(self, command: str, *words: str) -> CompletedProcess[str]:
        """Run a command of `ctr` that runs a program; all that the program says is the standard output."""
        # Through a log: now and then `ctr` itself ends before it has passed on what a short program said.
        log = self.logs / new_name()
        log.touch()
        try:
            done = self.command(*command.split(), "--log-uri", f"file://{log}", *words)
        except ProgramFailedError as error:
            raise ProgramFailedError(f"{error}\n{log.read_text(errors='replace')}") from error
        done.stdout = log.read_text(errors="replace")
        return done


def _entry_point(reference: str, platform: str | None) -> tuple[str, ...]:
    override = ("--override-arch", platform.split("/")[1]) if platform else ()
    inspect = ("skopeo", *override, "inspect", "--config", "--tls-verify=false", f"docker://{reference}")
    config = json.loads(run(*inspect).stdout)["config"]
    return tuple(config.get("Entrypoint") or ())


def _platform(platform: str | None) -> tuple[str, ...]:
    return ("--platform", platform) if platform else ()


def new_name() -> str:
    """A name that no other container has."""
    return f"pycontainer-test-{uuid.uuid4().hex[:12]}"


@contextmanager
def docker(root: Path) -> Iterator[DockerLike]:
    """A Docker engine whose images, containers and socket are below `root`."""
    socket, below = root / "docker.sock", root / "containerd"
    daemon: list[str | Path] = [
        "dockerd",
        "--host",
        f"unix://{socket}",
        "--data-root",
        root / "data",
        "--exec-root",
        root / "exec",
    ]
    daemon += ["--pidfile", root / "pid", "--config-file", root / "daemon.json", "--bridge=none", "--iptables=false"]
    (root / "daemon.json").write_text("{}")
    below.mkdir()
    # The client answers with its own version only where the server, too, has one to tell.
    client = ("docker", "--host", f"unix://{socket}")
    env = {"DOCKER_CONFIG": str(root / "config")}
    ready = partial(run, *client, "version", env=env, status=None)
    try:
        # One of its own it would kill, with all containers, where a busy machine lets it answer late.
        with containerd(below) as own:
            daemon += ["--containerd", own.socket]
            with serving(daemon, log=root / "log", ready=lambda: ready().returncode == 0):
                yield DockerLike(name="docker", client=client, env=env)
    finally:
        # It leaves the network that containers of the host share mounted, and so its directory could not be removed.
        run("umount", root / "exec" / "netns" / "default", status=None)


@contextmanager
def podman(root: Path) -> Iterator[DockerLike]:
    """Podman with a store below `root`; it needs no server."""
    client: tuple[str, ...] = (
        "podman",
        "--root",
        str(root / "root"),
        "--runroot",
        str(root / "run"),
        "--tmpdir",
        str(root / "tmp"),
    )
    client += ("--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none")
    engine = DockerLike(
        name="podman",
        client=client,
        pull_options=("--tls-verify=false",),
        run_options=PODMAN_LIMITS,
        # Docker kills what is removed by force; Podman asks it to end, and waits for 10 s.
        remove_options=("--time=0",),
        env={"REGISTRY_AUTH_FILE": str(root / "auth.json")},
    )
    (root / "auth.json").write_text("{}")
    yield engine
    engine.command("rm", "--all", "--force")
    run("umount", root / "root" / "overlay", status=None)


@contextmanager
def containerd(root: Path) -> Iterator[Containerd]:
    """A containerd whose images, containers and socket are below `root`."""
    socket = root / "containerd.sock"
    config = root / "config.toml"
    config.write_text(CONTAINERD.format(root=root, socket=socket))
    client = ("ctr", "--address", str(socket))
    logs = root / "logs"
    logs.mkdir()
    ready = partial(run, *client, "version", status=None)
    with serving(["containerd", "--config", config], log=root / "log", ready=lambda: ready().returncode == 0):
        yield Containerd(name="containerd", client=client, socket=socket, logs=logs)
