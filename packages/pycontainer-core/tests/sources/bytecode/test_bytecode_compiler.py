"""Bytecode is what the interpreter would write itself, the same bytes whatever else was compiled before."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pycontainer.errors import ToolError
from pycontainer.sources.bytecode import HostPython
from pycontainer.sources.bytecode import compile as compiling
from pycontainer.sources.bytecode.compile import Compiler

# Whatever may be in a module: shared and single strings, numbers, sets whose order may vary, nested code, f-strings.
SOURCE = b'''\
"""A docstring with spaces."""
from __future__ import annotations
import json, asyncio

CONSTANTS = ("a b", "a_b", "\\n", " ", "", b"", b"x", 1, 257, 10**30, 1.5, 2j, None, ..., True, (), ((1, "a b"),))

def f(x, *args, key="a b", **kwargs):
    if x in {"one", "two", "three", "a b", 257, 1.5, b"x"}:
        return lambda y: (x, y, key)
    return [f"{each!r:>{len(args)}} a_b" for each in kwargs if each not in {"kwargs", "args", "json"}]

class C:
    attribute: int = 257

    async def method(self):
        async for self.attribute in asyncio.sleep(1.5):
            yield json.dumps(self.attribute) + "a b" + "\\n"
'''
# A crowd of sources: those of this Python's own library.
LIBRARY = sorted(Path(os.__file__).parent.glob("[a-j]*.py"))


def compiled(python: HostPython, sources: Mapping[str, bytes]) -> dict[str, bytes | None]:
    with Compiler(python) as compiler:
        return {path: compiler.compile(path, source) for path, source in sources.items()}


def test_the_interpreter_takes_it_without_a_look_at_the_source(python: HostPython, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    pyc = compiled(python, {str(path).lstrip("/"): b"def f(): pass\nx = 'from bytecode'\n"})[str(path).lstrip("/")]
    assert pyc is not None
    cache = tmp_path / "__pycache__" / f"module.{python.cache_tag}.pyc"
    cache.parent.mkdir()
    cache.write_bytes(pyc)
    path.write_text("x = 'from source'\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import module; print(module.x, module.f.__code__.co_filename)"
    )
    done = subprocess.run([python.path, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 2) == ["from", "bytecode", f"{path}\n"]
    assert cache.read_bytes() == pyc


def test_the_interpreter_takes_an_empty_file_for_none(python: HostPython, tmp_path: Path) -> None:
    """As it stands over the bytecode of a source that was replaced by one which does not compile."""
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / f"module.{python.cache_tag}.pyc").touch()
    (tmp_path / "module.py").write_text("x = 'from source'\n")
    program = "import sys; sys.path.insert(0, sys.argv[1]); import module; print(module.x)"
    command = [str(python.path), "-B", "-c", program, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "from source\n"


def test_it_is_what_the_interpreter_itself_would_write(python: HostPython, tmp_path: Path) -> None:
    """But for the marks of `marshal`, which depend on what else is in the process: the code is equal."""
    path = tmp_path / "module.py"
    path.write_bytes(SOURCE)
    pyc = compiled(python, {str(path).lstrip("/"): SOURCE})[str(path).lstrip("/")]
    assert pyc is not None
    (tmp_path / "ours").write_bytes(pyc)
    program = (
        "import marshal, py_compile, sys; mode = py_compile.PycInvalidationMode.UNCHECKED_HASH\n"
        "theirs = open(py_compile.compile(sys.argv[1], optimize=0, invalidation_mode=mode), 'rb').read()\n"
        "ours = open(sys.argv[2], 'rb').read()\n"
        "print(ours[:16] == theirs[:16], marshal.loads(ours[16:]) == marshal.loads(theirs[16:]))"
    )
    command = [str(python.path), "-S", "-W", "ignore", "-c", program, str(path), str(tmp_path / "ours")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "0"})
    assert done.stdout.split() == ["True", "True"]


def test_neither_order_nor_company_of_the_sources_shows(python: HostPython) -> None:
    sources = {path.name: path.read_bytes() for path in LIBRARY} | {"module.py": SOURCE}
    order = list(sources)
    first = compiled(python, sources)
    random.Random(7).shuffle(order)  # noqa: S311 - any other order will do
    assert compiled(python, {path: sources[path] for path in order}) == first
    assert compiled(python, {"module.py": SOURCE})["module.py"] == first["module.py"]
    assert sum(pyc is not None for pyc in first.values()) > len(LIBRARY) / 2


@pytest.mark.skipif(shutil.which("env") is None, reason="there is no `env` to set a variable with")
@pytest.mark.parametrize("seed", ["1", "4242"])
def test_from_3_11_on_not_even_the_hash_seed_would_show(
    python: HostPython, seed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if python.feature == "3.10":
        pytest.skip("Python 3.10 writes sets as they come")
    sources = {path.name: path.read_bytes() for path in LIBRARY} | {"module.py": SOURCE}
    first = compiled(python, sources)
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec env PYTHONHASHSEED={seed} "{python.path}" "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("PYTHONHASHSEED", "33")  # which a child does not get
    seeded = HostPython(
        path=other, version="", feature="", is_final=True, free_threaded=False, cache_tag=python.cache_tag
    )
    assert compiled(seeded, sources) == first


@pytest.mark.parametrize(
    "source",
    [
        b"print 'Python 2'\n",
        b"x = {{ cookiecutter.name }}-\n",
        b"x = 1\0\n",
        b"# coding: nobody-knows\n",
        b"\xff\n",
        b"(" * 5000,
        b"x = " + b"-" * 200_000 + b"1\n",
    ],
    ids=["python-2", "template", "nul", "coding", "not-utf-8", "parentheses", "operators"],
)
def test_what_does_not_compile_has_no_bytecode_and_stops_nothing(python: HostPython, source: bytes) -> None:
    pycs = compiled(python, {"a.py": source, "b.py": b"# coding: latin-1\nx = '\xe4'\n", "c.py": b""})
    assert pycs["a.py"] is None
    assert pycs["b.py"]
    assert pycs["c.py"]


def test_nothing_of_a_source_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    source = f"open({str(mark)!r}, 'w')\nimport {'_' * 5}\n".encode()
    python = HostPython(
        path=Path(sys.executable), version="", feature="", is_final=True, free_threaded=False, cache_tag=""
    )
    assert compiled(python, {"a.py": source})["a.py"]
    assert not mark.exists()


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
@pytest.mark.parametrize(
    ("script", "seconds", "fact"),
    [
        ("exec sleep 60", 0.3, "CPython 3.99.1 had not compiled it after 0.3 s"),
        ("exit 3", 60, "CPython 3.99.1 ended while it compiled it"),
        ("printf '\\377\\377'", 60, "CPython 3.99.1 ended while it compiled it"),
    ],
    ids=["hangs", "ends", "half-an-answer"],
)
def test_a_child_that_does_not_answer_is_one_clear_error(
    script: str, seconds: float, fact: str, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    python = HostPython(
        path=program, version="3.99.1", feature="3.99", is_final=True, free_threaded=False, cache_tag=""
    )
    with Compiler(python, timeout=seconds) as compiler, pytest.raises(ToolError) as caught:
        compiler.compile("app/a.py", b"x" * (1 << 20))
    assert caught.value.message == "`/app/a.py` cannot be compiled"
    assert caught.value.facts == (fact, f"program: {program}")


def test_a_python_that_is_gone_is_one_clear_error(tmp_path: Path) -> None:
    python = HostPython(
        path=tmp_path / "gone", version="", feature="", is_final=True, free_threaded=False, cache_tag=""
    )
    with pytest.raises(ToolError, match="cannot be run"), Compiler(python):
        pass


def test_the_program_reads_no_module_of_the_library_but_what_every_start_does(python: HostPython) -> None:
    program = Path(compiling.__file__).with_name("child.py")

    def imported(*arguments: str | Path) -> set[str]:
        command = [python.path, "-s", "-S", "-X", "importtime", *arguments]
        done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
        return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    assert imported(program) - imported("-c", "") <= {"__future__"}
