"""Whole builds side by side: `pycontainer build`, `docker build` with uv, `buildah build` with uv.

    python benchmarks/build.py [--case light|heavy|huge] [--runs N]

All in one run on one machine, each contender in turn within a round, so that the ratios hold elsewhere. Wheels come
from an index on loopback; the base image comes from a registry on loopback, and images go there. Every cold build
starts with fresh storage and an empty cache; in the first row the base image is pulled, too, in the second and third
everyone has it. Every image is run once and has to import what it was built for. The case `huge` has one wheel of
192 MB and is only for our memory.

Needs Linux, root, and Debian's `docker.io`, `buildah`, `podman`, `docker-registry`, `skopeo` and `mmdebstrap`; a
contender that is not installed is left out.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "e2e")]

from real.engines import podman  # noqa: E402 - the real parts are those of the end-to-end tests
from real.registry import registry  # noqa: E402
from side_by_side.cases import CASES, make_project, serve_wheels  # noqa: E402
from side_by_side.contenders import contenders, versions  # noqa: E402
from side_by_side.report import table  # noqa: E402

if TYPE_CHECKING:
    from side_by_side.cases import Case
    from side_by_side.contenders import Contender

BASE_IMAGE = HERE.parent / "tools" / "base_image.py"
OURS = "pycontainer"
PULLED, BUILT, PUSHED = "cold, base image pulled, too", "cold, base image at hand", "the same, and pushed"
AGAIN, CHANGED = "again, nothing changed", "one file changed, and pushed"
TAG = "3.11-slim"  # of the layout that `tools/base_image.py` makes


class Benchmark:
    """One case, built by everyone.

    Args:
        case: What is built.
        base: The layout of the base image.
        ground: A directory for everything.

    Attributes:
        memory: Most resident bytes of our builds.
    """

    def __init__(self, case: Case, base: Path, ground: Path) -> None:
        self.case = case
        self.base = base
        self.ground = ground
        self.memory = 0
        self.checked: set[str] = set()

    def run(self, runs: int, chosen: tuple[Contender, ...]) -> list[dict[tuple[str, str], float]]:
        """What every round took; the order of contenders turns from one round to the next."""
        rounds = []
        with serve_wheels(self.case) as index:
            locked = make_project(self.case, index, self.ground / "project")
            os.environ["PYTHONPYCACHEPREFIX"] = str(self.ground / "bytecode")
            self._round(chosen[0], locked)
            for number in range(runs):
                turned = chosen[number % len(chosen) :] + chosen[: number % len(chosen)]
                rounds.append({key: value for each in turned for key, value in self._round(each, locked).items()})
        return rounds

    def _round(self, contender: Contender, locked: Path) -> dict[tuple[str, str], float]:
        with ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self.ground, ignore_cleanup_errors=True)))
            project = Path(shutil.copytree(locked, root / "project"))
            images = stack.enter_context(registry(root / "registry"))
            (root / "storage").mkdir()
            base = images.copy_in(self.base, TAG, f"python:{TAG}")
            bench = stack.enter_context(contender.start(root / "storage", base))
            reference = images.reference(f"{self.case.name}:1")
            cold = bench.cold(project, reference)
            self._check(contender.name, reference)
            again = bench.build(project)
            source = project / self.case.file[0]
            source.write_text(source.read_text() + "\n# changed\n")
            changed = bench.publish(project, reference)
            tasks = {PULLED: cold.pulled, BUILT: cold.built, PUSHED: cold.pushed, AGAIN: again, CHANGED: changed}
            if contender.name == OURS:
                self.memory = max(self.memory, *(each.memory for each in tasks.values()))
            _say(contender.name, *(f"{each.seconds:.2f}" for each in tasks.values()))
            return {(task, contender.name): each.seconds for task, each in tasks.items()}

    def _check(self, name: str, reference: str) -> None:
        """Run the image, the first time: all it was built for has to import."""
        if name in self.checked:
            return
        with tempfile.TemporaryDirectory(dir=self.ground) as root, podman(Path(root)) as engine:
            engine.pull(reference)
            program = "; ".join(f"import {module}" for module in self.case.modules)
            options = ("--rm", "--network=none", *engine.run_options, "--entrypoint", "python3")
            engine.command("run", *options, reference, "-c", program)
        self.checked.add(name)


def _say(*words: str) -> None:
    print(*words, file=sys.stderr, flush=True)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    programs = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Linux on {platform.machine()}, "
        f"Python {platform.python_version()}, {programs}; load before: {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Run what the arguments say, and print a report in Markdown."""
    parser = argparse.ArgumentParser(description="Whole builds side by side.")
    parser.add_argument("--case", choices=CASES, action="append", help="default: all")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    # An installed program is byte-compiled; here the first run does it, outside of what is timed.
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    base = Path(subprocess.run([sys.executable, BASE_IMAGE], capture_output=True, text=True, check=True).stdout.strip())
    print(_machine())
    for name in options.case or CASES:
        case = CASES[name]
        with tempfile.TemporaryDirectory(prefix="pyc-", ignore_cleanup_errors=True) as ground:
            benchmark = Benchmark(case, base, Path(ground))
            rounds = benchmark.run(options.runs, contenders() if case.timed else contenders()[:1])
        print(f"\n## {name}: {', '.join(case.dependencies)}\n")
        print(table(rounds, ours=OURS))
        print(f"\nPeak memory of pycontainer: {benchmark.memory / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
