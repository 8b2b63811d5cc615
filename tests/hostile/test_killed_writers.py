"""Four writers share a cache and are killed at any moment, two hundred times: no entry of it is ever wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 200

# One process that has imported everything forks the writers, so that a round takes hundredths of a second.
PROGRAM = '''
import hashlib, json, os, random, signal, sys, time
from pathlib import Path

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.blobs.records import load_record, save_record
from pycontainer.builder.cache_check import check_cache
from pycontainer.builder.cache_limit import cache_files, is_unfinished
from pycontainer.errors import IntegrityError
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents

home, careful, rounds = Path(sys.argv[1]), sys.argv[2] == "careful", int(sys.argv[3])
tree = home / "tree"
WRONG = 3


class Noise:
    def __init__(self, number):
        self.key, self.title = recipe_key("noise", [number]), f"noise {number}"
        self.content = random.Random(number).randbytes(200_000)

    def write(self, writer):
        writer.file("noise", self.content)
        return LayerContents(files=1)


RECIPES = [Noise(number) for number in range(12)]


def write(dice):
    """Make layers, records and tables for ever, read them back, and throw some away so that there is work."""
    cache = LayerCache(home / "layers")
    while True:
        recipe = dice.choice(RECIPES)
        record = cache.make(recipe)
        try:
            with cache.layer(record).open() as stream:
                while stream.read(1 << 20):
                    pass
        except IntegrityError as error:
            if "is not in the store" not in error.message:  # another one has thrown it away
                os._exit(WRONG)
        if dice.random() < 0.5:
            cache.blobs.discard(record.descriptor.digest)
        path = home / "facts" / "bases" / f"1-{recipe.key}.json"
        if load_record(path) not in {None, recipe.content}:
            os._exit(WRONG)
        save_record(path, recipe.content)
        with Fingerprints(home / "files").below(tree) as known:
            name = dice.choice(os.listdir(tree))
            known.sha256(name, str(tree / name), (tree / name).lstat())


def write_in_place(dice):
    """What nobody should do: the name is there before the bytes."""
    while True:
        recipe = dice.choice(RECIPES)
        content = hashlib.sha256(recipe.content).hexdigest().encode() + b"\\n" + recipe.content
        with (home / "facts" / "bases" / f"1-{recipe.key}.json").open("wb", buffering=0) as file:
            for start in range(0, len(content), 5_000):
                file.write(content[start : start + 5_000])


tree.mkdir(parents=True)
(home / "facts" / "bases").mkdir(parents=True)
for number in range(20):
    (tree / str(number)).write_text(str(number))
    os.utime(tree / str(number), (1, 1))
(home / "layers").mkdir()
counts = {"damaged": 0, "wrong": 0, "unfinished": 0, "whole": 0}
dice = random.Random(7)
for number in range(rounds):
    writers = []
    for each in range(4):
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            (write if careful else write_in_place)(random.Random(number * 4 + each))
        writers.append(child)
    for child in writers:
        time.sleep(dice.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
    for child in writers:
        status = os.waitpid(child, 0)[1]
        counts["wrong"] += os.WIFEXITED(status) and os.WEXITSTATUS(status) == WRONG
    checked = check_cache(home)
    counts["damaged"] += len(checked.damaged)
    counts["whole"] += checked.files - len(checked.damaged)
    counts["unfinished"] = sum(map(is_unfinished, cache_files(home)))
    if not careful and counts["damaged"] and counts["whole"]:
        break
print(json.dumps(counts))
'''


def run(home: Path, kind: str, rounds: int) -> dict[str, int]:
    """What was found over all rounds."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), kind, str(rounds)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + 3 * rounds,
    )
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9")
def test_no_entry_is_ever_wrong(tmp_path: Path) -> None:
    counts = run(tmp_path, "careful", ROUNDS)
    assert (counts["damaged"], counts["wrong"]) == (0, 0)
    assert counts["whole"] > ROUNDS, "hardly anything was ever written: the test shows nothing"
    assert counts["unfinished"], "nobody was killed while writing: the test shows nothing"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9")
def test_the_check_would_find_it(tmp_path: Path) -> None:
    """The negative control: writers that write in place are caught, mostly in the first round."""
    counts = run(tmp_path, "careless", ROUNDS)
    assert counts["damaged"]
    assert counts["whole"], "what was written to its end is right: the kill is what does it"
