"""Whole builds side by side: `pycontainer build`, `docker build` with uv, `buildah build` with uv.

    python benchmarks/build.py                                    # all rows, three rounds
    python benchmarks/build.py --rows runner-forty --rounds 5     # one row alone
    python benchmarks/build.py --rows 'cold-*' --quick            # one round, without what takes long
    python benchmarks/build.py --rows runner-forty --rate 1gbit   # over a network that is no faster
    python benchmarks/build.py --write                            # and note it in docs/explanation/benchmarks.md

All in one run on one machine, each contender in turn within a round, so that the ratios hold elsewhere. Wheels come
from an index on loopback; the base image comes from a registry on loopback, and images go there. Every contender starts
with fresh storage in every round. Images are run, and have to import what they were built for.

Needs Linux, root, and Debian's `docker.io`, `buildah`, `podman`, `docker-registry`, `skopeo` and `mmdebstrap`; a
contender that is not installed is left out. What is written is merged with what was measured before, row by row. With
`--rate`, which needs `tc` and `ip`, too, it all runs in a network namespace whose loopback is no faster.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "e2e")]

from real.bases import base_layout  # noqa: E402 - the real parts are those of the end-to-end tests
from side_by_side.contenders import contenders, versions  # noqa: E402
from side_by_side.page import put, tables  # noqa: E402
from side_by_side.plot import plot  # noqa: E402
from side_by_side.projects import PROJECTS, wheels  # noqa: E402
from side_by_side.results import Result, read, write  # noqa: E402
from side_by_side.rows import ROWS, chosen  # noqa: E402
from side_by_side.suites import suites_for  # noqa: E402
from side_by_side.suites.suite import Setting  # noqa: E402

if TYPE_CHECKING:
    from side_by_side.rows import Row

DOCS = HERE.parent / "docs" / "explanation"
PAGE, KEPT, PLOT = DOCS / "benchmarks.md", DOCS / "benchmarks.json", DOCS / "benchmarks.svg"


def machine() -> str:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    programs = ", ".join(f"{name} {version}" for name, version in versions().items())
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Linux on {platform.machine()}, {python}, {programs}"


def measure(rows: list[Row], *, rounds: int, rate: str) -> dict[str, Result]:
    """Measure some rows; others that come with them are measured, and left out."""
    names = {row.name for row in rows}
    results = {}
    for suite in suites_for(rows):
        load = os.getloadavg()[0]
        _say(f"{', '.join(suite.rows)}; load {load:.1f}")
        with tempfile.TemporaryDirectory(prefix="pyc-", ignore_cleanup_errors=True) as directory:
            setting = _setting(Path(directory), rounds=rounds)
            figures = suite.run(setting)
        for row, by_name in figures.by_row.items():
            if row in names:
                today = datetime.now(timezone.utc).date().isoformat()
                name = f"{row}@{rate}" if rate else row
                results[name] = Result(date=today, machine=machine(), load=load, figures=dict(by_name))
    return results


def _setting(ground: Path, *, rounds: int) -> Setting:
    @cache
    def base(*architectures: str) -> Path:
        return base_layout(ground / f"base-{'-'.join(architectures)}", architectures)

    return Setting(ground=ground, base=base, contenders=contenders(), rounds=rounds, say=_say)


def slow_down(rate: str) -> NoReturn:
    """Start again in a network namespace whose loopback is no faster than a rate."""
    for project in PROJECTS.values():
        wheels(project)  # from here on there is no way out
    setup = 'ip link set lo up && tc qdisc add dev lo root tbf rate "$0" burst 256kb latency 50ms && exec "$@"'
    inner = (sys.executable, *sys.argv, "--inside")
    os.execvp("unshare", ("unshare", "--net", "sh", "-c", setup, rate, *inner))  # noqa: S606 - nothing of a shell's


def compile_bytecode() -> None:
    """Compile all modules: the first to import them would do it, and it would be timed."""
    folders = {sysconfig.get_path("purelib"), *(str(path) for path in HERE.parent.glob("packages/*/src"))}
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "-j0", *sorted(folders)], check=False)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run what the arguments say, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=[], metavar="PATTERN", help=f"of: {', '.join(ROWS)}; default: all")
    parser.add_argument("--rounds", type=int, help="default: 3, and 1 with --quick")
    parser.add_argument("--quick", action="store_true", help="one round, without what takes long")
    parser.add_argument("--write", action="store_true", help="note the figures in the documentation")
    parser.add_argument("--rate", default="", help="of the network, as `tc` has it: 1gbit; default: as fast as it is")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    rows = chosen(options.rows, quick=options.quick)
    if not rows:
        parser.error(f"no row is like {' '.join(options.rows)}; there are {', '.join(ROWS)}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if options.rate and not options.inside:
        slow_down(options.rate)
    compile_bytecode()
    results = measure(rows, rounds=options.rounds or (1 if options.quick else 3), rate=options.rate)
    print(tables(results))
    if options.write:
        kept = {**read(KEPT), **results}
        write(kept, KEPT)
        PAGE.write_text(put(PAGE.read_text(), read(KEPT)))
        PLOT.write_text(plot(read(KEPT)))


if __name__ == "__main__":
    main()
