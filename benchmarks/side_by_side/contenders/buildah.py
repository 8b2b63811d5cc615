"""`buildah build` and `buildah push`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from real.programs import run

from side_by_side.contenders.contender import FirstBuilds, first_builds, write_dockerfile
from side_by_side.measure import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from side_by_side.place import Place

# With `--layers`, as Podman builds, or nothing could be used again.
_OPTIONS = ("--quiet", "--layers", "--isolation=chroot", "--network=host", "--tls-verify=false", "--pull=false")


@dataclass(frozen=True, kw_only=True, slots=True)
class Buildah:
    """A store of its own; see `Bench`."""

    client: tuple[str, ...]
    env: dict[str, str]
    here: Place

    def cold(self, project: Path, reference: str) -> FirstBuilds:
        """See `Bench`."""
        return first_builds(
            self.here,
            pull=lambda: self._command("pull", "--quiet", "--tls-verify=false", self.here.base),
            build=lambda: self.build(project),
            push=lambda: self._push(reference),
        )

    def build(self, project: Path) -> Measured:
        """See `Bench`."""
        return self._build(project)

    def publish(self, project: Path, reference: str, *, shared: bool = False) -> Measured:
        """See `Bench`; what is shared is its distributed cache of intermediate images."""
        cache = self.here.registry.reference("cache")
        options = (f"--cache-from={cache}", f"--cache-to={cache}") if shared else ()
        return self._build(project, *options) + self._push(reference)

    def _build(self, project: Path, *options: str) -> Measured:
        write_dockerfile(project, self.here)
        return self._command("build", *_OPTIONS, *options, "--tag=app", str(project))

    def _push(self, reference: str) -> Measured:
        return self._command("push", "--quiet", "--tls-verify=false", "app", f"docker://{reference}")

    def _command(self, *words: str) -> Measured:
        return measure([*self.client, *words], env=self.env)


@contextmanager
def buildah(root: Path, here: Place) -> Iterator[Buildah]:
    """See `Contender.start`; it knows the image that has uv."""
    store = ("--root", str(root / "root"), "--runroot", str(root / "run"), "--storage-driver", "overlay")
    client = ("buildah", *store)
    (root / "tmp").mkdir()
    env = {"TMPDIR": str(root / "tmp")}  # where cache mounts are kept: else one build would find another one's
    try:
        run(*client, "pull", "--quiet", "--tls-verify=false", here.uv, env=env)
        yield Buildah(client=client, env=env, here=here)
    finally:
        run("umount", root / "root" / "overlay", status=None)
