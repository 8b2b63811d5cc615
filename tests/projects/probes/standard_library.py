"""Import every module of the standard library, each in a process of its own: `{"tkinter": "No module named ..."}`."""

import json
import os
import pkgutil
import sys
import warnings

# `test` holds Python's own tests, `this` and `antigravity` act when they are imported, and so does `__main__`.
LEFT_OUT = ("antigravity", "idlelib.idle", "lib2to3.tests", "test", "this")


def names():
    for name in sorted(sys.stdlib_module_names):
        yield name
        try:
            path = getattr(__import__(name), "__path__", None) if name not in LEFT_OUT else None
        except BaseException:
            continue
        for found in pkgutil.iter_modules(path or [], f"{name}."):
            yield found.name


def wanted(name):
    return not name.endswith(".__main__") and not any(name == out or name.startswith(f"{out}.") for out in LEFT_OUT)


def failure(name):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            __import__(name)
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    return said or (f"ended with {status}" if status else "")


warnings.simplefilter("ignore")
tried = [name for name in names() if wanted(name)]
failures = {name: said for name in tried if (said := failure(name))}
print(json.dumps({"tried": len(tried), "failures": failures}))
