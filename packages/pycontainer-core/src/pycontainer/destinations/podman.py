"""An image into Podman's storage: an OCI archive streamed into `podman load`, so that the digest stays what it is.

PodmanDestination([Reference.parse("acme/app:1.4")]).write(image)

It is the `podman` command that knows where the storage of this user is, rootless or not, local or in a machine.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from pycontainer.destinations.destination import Moved, Written
from pycontainer.destinations.platforms import image_for_engine
from pycontainer.errors import IntegrityError, ToolError
from pycontainer.events import Emit, TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.oci import Platform, media_types
from pycontainer.oci.index import Index
from pycontainer.transports.oci_layout import INDEX, MARKER, MARKER_CONTENT, REF_NAME, blob_name, image_blobs
from pycontainer.transports.tar_files import HungUpError, Member, write_members

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.image import Image, ImageIndex
    from pycontainer.oci import Reference

_MAX_OUTPUT = 64 << 10


class PodmanDestination:
    """Loads an image; of an index, that of Podman's own platform.

    Args:
        names: What the image is called there; `app:1.4`, without a registry, becomes `localhost/app:1.4` as it does
            in `podman build`.
        command: The program and its global options.
        emit: Told of the transfer.
    """

    def __init__(
        self, names: Sequence[Reference] = (), *, command: Sequence[str] = ("podman",), emit: Emit = ignore
    ) -> None:
        self._names = tuple(dict.fromkeys(podman_name(name) for name in names))
        self._command = tuple(command)
        self._emit = emit

    def write(self, image: Image | ImageIndex) -> Written:
        """Load the image.

        Raises:
            ToolError: Podman is missing or refuses the image.
            IntegrityError: What it has afterwards is another image.
        """
        part = image_for_engine(image, self._platform, engine="Podman", emit=self._emit)
        members = _archive(part, self._names[0] if self._names else None)
        total = sum(member.blob.descriptor.size for member in members)
        self._emit(TaskStarted(verb=Verb.UPLOAD, name="Podman", total=total))

        def advance(count: int) -> None:
            self._emit(TaskAdvanced(verb=Verb.UPLOAD, name="Podman", count=count))

        self._load(members, advance)
        image_id = part.config_blob.descriptor.digest.hex
        if self._names[1:]:
            self._run("tag", image_id, *self._names[1:])
        for name in self._names or (image_id,):
            self._verify(name, image_id)
        self._emit(TaskFinished(verb=Verb.UPLOAD, name="Podman", size=total))
        blobs = {member.blob.descriptor.digest: Moved.UPLOADED for member in members}
        return Written(digest=part.digest, reference=f"podman:{image_id}", moved=total, total=total, blobs=blobs)

    def _load(self, members: Sequence[Member], advance: Callable[[int], None]) -> None:
        # Files, since a pipe that nobody reads would stop Podman once it is full.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            podman = self._start("load", stdin=subprocess.PIPE, stdout=output, stderr=errors)
            with podman:
                assert podman.stdin is not None  # noqa: S101 - asked for above
                try:
                    with suppress(HungUpError):  # it has heard enough: its own words say why
                        write_members(podman.stdin, members, advance=advance)
                except BaseException:
                    # A cut archive must not be taken for a whole one.
                    podman.kill()
                    raise
                finally:
                    # What is still buffered must not break the pipe over the error that is under way.
                    with suppress(BrokenPipeError):
                        podman.stdin.close()
            if podman.returncode:
                raise self._failed("load", podman.returncode, errors)

    def _verify(self, name: str, image_id: str) -> None:
        found = self._run("image", "inspect", "--format", "{{.Id}}", name).strip().removeprefix("sha256:")
        if found != image_id:
            raise IntegrityError(
                f"Podman has another image `{name}` than the one that was sent",
                facts=[f"sent: `{image_id}`", f"found: `{found}`"],
            )

    def _platform(self) -> Platform:
        try:
            host: dict[str, Any] = json.loads(self._run("info", "--format", "json"))["host"]
            return Platform.parse(f"{host['os']}/{host['arch']}")
        except (ValueError, KeyError, TypeError) as error:
            raise ToolError("`podman info` says nothing of its platform") from error

    def _run(self, *arguments: str) -> str:
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            with self._start(*arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=errors) as podman:
                podman.wait()
            if podman.returncode:
                raise self._failed(arguments[0], podman.returncode, errors)
            output.seek(0)
            return output.read(_MAX_OUTPUT * 16).decode("utf-8", "replace")

    def _start(self, *arguments: str, stdin: int, stdout: IO[bytes], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen([*self._command, *arguments], stdin=stdin, stdout=stdout, stderr=stderr)  # noqa: S603
        except OSError as error:
            raise ToolError(
                f"`{self._command[0]}` cannot be started",
                facts=[error.strerror or str(error)],
                hint="Install Podman, or set {output} to `oci-archive:FILE`",
            ) from error

    def _failed(self, what: str, code: int, errors: IO[bytes]) -> ToolError:
        errors.seek(0)
        said = errors.read(_MAX_OUTPUT).decode("utf-8", "replace").strip().splitlines()[-5:]
        return ToolError(f"`podman {what}` failed", facts=[f"exit code: {code}", *said])


def podman_name(name: Reference) -> str:
    """What Podman calls an image of this name: it has `localhost/` where Docker has `docker.io/library/`."""
    tagged = name.with_tag(name.tag or "latest")
    return f"localhost/{tagged.familiar}" if "/" not in tagged.familiar else str(tagged)


def _archive(image: Image, name: str | None) -> list[Member]:
    """An OCI archive whose one entry has the whole name: Podman takes `ref.name` for it."""
    annotations = {REF_NAME: name} if name else {}
    entry = image.manifest.describe(media_types.MANIFEST, platform=image.platform, annotations=annotations)
    return [
        Member.of(MARKER, MARKER_CONTENT),
        Member.of(INDEX, Index(manifests=(entry,)).to_bytes()),
        *(Member(blob_name(blob.descriptor.digest), blob) for blob in reversed(image_blobs(image))),
    ]
