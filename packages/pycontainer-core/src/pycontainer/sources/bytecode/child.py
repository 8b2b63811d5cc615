"""The program that compiles: run by the interpreter of the image's version, never imported by pycontainer.

It reads requests from its standard input and answers each on its standard output, until there are no more. Numbers have
four bytes, the lowest first.

    request     length of path, length of source, path (UTF-8), source
    answer      length of bytecode, bytecode; of length 0 where the source does not compile

Bytecode is a `.pyc` with an unchecked hash (PEP 552). Nothing of the library is imported that not every start needs, so
that the process is the same each time.
"""

from __future__ import annotations

import marshal
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from _imp import source_hash

_LENGTH = 4
# PEP 552: the pyc has a hash of the source, and nobody compares it.
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")
_KEY = int.from_bytes(MAGIC_NUMBER, "little")
_LATIN_1 = 256
# What code objects are made of, as far as Python shows it. `co_qualname` and `co_exceptiontable` came with 3.11.
_PARTS = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_filename",
    "co_name",
    "co_qualname",
    "co_linetable",
    "co_exceptiontable",
)
_Code = type((lambda: None).__code__)


def main() -> None:
    """Answer all requests."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # These strings are the same objects everywhere, and whether they are interned shows in the bytecode.
    for number in range(_LATIN_1):
        sys.intern(chr(number))
    while head := requests.read(2 * _LENGTH):
        path = requests.read(int.from_bytes(head[:_LENGTH], "little"))
        source = requests.read(int.from_bytes(head[_LENGTH:], "little"))
        pyc = _compiled(source, path.decode())
        answers.write(len(pyc).to_bytes(_LENGTH, "little") + pyc)
        answers.flush()


def _compiled(source: bytes, path: str) -> bytes:
    """The bytecode, or nothing where the source is none of this Python's: templates, tests of broken code."""
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except Exception:  # noqa: BLE001 - SyntaxError, ValueError, RecursionError, UnicodeDecodeError, LookupError, …
        return b""
    held: list[object] = []
    _hold(code, held)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(_KEY, source) + marshal.dumps(code)


def _hold(value: object, held: list[object]) -> None:
    """Hold a reference to a code object and all of its parts.

    `marshal` marks what has more than one reference, and so writes other bytes when something else in the process
    happens to have the same string. Now everything has more than one.
    """
    held.append(value)
    if isinstance(value, _Code):
        parts = [getattr(value, name) for name in _PARTS if hasattr(value, name)]
    elif isinstance(value, (tuple, frozenset)):
        parts = list(value)
    elif isinstance(value, slice):  # a constant since 3.14
        parts = [value.start, value.stop, value.step]
    else:
        return
    for part in parts:
        _hold(part, held)


if __name__ == "__main__":
    main()
