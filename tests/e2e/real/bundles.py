"""What skopeo pulled, run without an engine: umoci unpacks it into a runtime bundle, runc runs that."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from real.engines import Container, new_name
from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

COPY = ("copy", "--quiet", "--insecure-policy", "--src-tls-verify=false")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundles:
    """skopeo, umoci and runc together behave like an engine (see `real.engines.Engine`)."""

    root: Path
    name: str = "skopeo"

    def pull(self, reference: str, *, platform: str | None = None) -> None:
        """Copy an image from a registry into an OCI layout and unpack it; the one that was pulled before is gone."""
        shutil.rmtree(self._pulled, ignore_errors=True)
        self._pulled.mkdir()
        layout = self._directory(reference, "layout", platform)
        override = ("--override-arch", platform.split("/")[1]) if platform else ()
        run("skopeo", *override, *COPY, f"docker://{reference}", f"oci:{layout}:pulled")
        bundle = self._directory(reference, "bundle", platform)
        bundle.mkdir()
        # The two halves of `umoci unpack`, without its list of all files with their hashes.
        image = ("--image", f"{layout}:pulled")
        run("umoci", "raw", "unpack", *image, bundle / "rootfs")
        run("umoci", "raw", "runtime-config", *image, "--rootfs", bundle / "rootfs", bundle / "config.json")

    def run(self, reference: str, *arguments: str, platform: str | None = None) -> CompletedProcess[str]:
        """Run a container to its end; `arguments` follow the image's entry point."""
        bundle = self._configure(reference, arguments, platform)
        return run(*self._runc(), "run", "--bundle", bundle, new_name())

    @contextmanager
    def serve(self, reference: str, *, platform: str | None = None) -> Iterator[Container]:
        """A container that runs inside the `with`."""
        bundle = self._configure(reference, (), platform)
        name, log = new_name(), self.root / "log"
        command = " ".join((*self._runc(), "run", "--detach", "--bundle", f"'{bundle}'", name))
        run("sh", "-c", f"exec {command} >'{log}' 2>&1")
        try:
            yield Container(
                execute=partial(run, *self._runc(), "exec", name),
                logs=partial(log.read_text, errors="replace"),
            )
        finally:
            run(*self._runc(), "delete", "--force", name)

    def _runc(self) -> tuple[str, ...]:
        return ("runc", "--root", str(self.root / "runc"))

    def _directory(self, reference: str, kind: str, platform: str | None) -> Path:
        words = f"{reference} {platform or ''} {kind}"
        return self._pulled / "".join(letter if letter.isalnum() else "-" for letter in words)

    @property
    def _pulled(self) -> Path:
        return self.root / "pulled"

    def _configure(self, reference: str, arguments: tuple[str, ...], platform: str | None) -> Path:
        """Fit the bundle's configuration for a run without a terminal."""
        file = self._directory(reference, "bundle", platform) / "config.json"
        config = json.loads(file.read_text())
        config["process"]["terminal"] = False
        layout = self._directory(reference, "layout", platform)
        image = json.loads(run("skopeo", "inspect", "--config", f"oci:{layout}:pulled").stdout)["config"]
        command = list(arguments) or image.get("Cmd") or []
        config["process"]["args"] = [*(image.get("Entrypoint") or []), *command]
        file.write_text(json.dumps(config))
        return file.parent
