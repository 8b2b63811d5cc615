"""Look at what an image does: the answers of a server, the output of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from real.engines import Engine
    from real.samples import Sample

PORT = 8000


def check(sample: Sample, engine: Engine, reference: str, *, platform: str | None = None) -> None:
    """Run the image of a sample in an engine and assert that it does what it was written for."""
    if not sample.serves:
        output = engine.run(reference, *sample.arguments, platform=platform).stdout
        for fragment in sample.output:
            assert fragment in output, f"{engine.name} ran {reference}"
        return
    with engine.serve(reference, platform=platform) as container:
        for path, fragment in sample.pages.items():
            answer = container.ask(PORT, path)
            assert fragment in answer.body, f"{engine.name} served {reference}{path}: {answer}"
            assert answer.open_to_all, f"{engine.name}: {reference} listens where nobody can reach it: {answer}"
        user = container.execute("python3", "-c", "import os; print(os.getuid(), os.getcwd(), os.environ['HOME'])")
    uid, workdir, home = user.stdout.split()
    assert uid != "0", "an image runs as a user who is not root"
    assert workdir == "/app"
    assert home not in {"", "/", "/root"}, "the user has a home"
