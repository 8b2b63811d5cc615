"""Load each shared library that the command line names, in a process of its own: `{"libpq.so.5": "cannot open ..."}`."""

import ctypes
import json
import os
import sys

failures = {}
for name in sys.argv[1:]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            ctypes.CDLL(name)
        except OSError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    if said or status:
        failures[name] = said or f"ended with {status}"
print(json.dumps({"uid": os.getuid(), "failures": failures}))
