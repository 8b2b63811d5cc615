"""The process of the command: `pycontainer`, and `python -m pycontainer_cli`.

Imports happen where an interrupt is caught, so that Ctrl-C is answered with one line from the first moment on.
"""

import gc
import os
import signal
import sys
from importlib import import_module


def command() -> None:
    """Run the command and end the process with its exit code.

    After a success all is written and closed: taking the interpreter apart, module by module, would be a tenth of a
    build in which nothing changed. After a failure, threads that were told to stop are waited for as ever.
    """
    # What modules are made of stays until the end, so that looking for garbage in it, once for every 700 objects, is a
    # twentieth of such a build, too.
    gc.set_threshold(50_000)
    try:
        _import_whole("msgspec", "pycontainer.frontend.interrupt")
        from pycontainer.frontend.interrupt import interruptible  # noqa: PLC0415 - see above

        with interruptible():
            from pycontainer_cli.main import main  # noqa: PLC0415 - see above

            code = main()
    except KeyboardInterrupt:
        from pycontainer.frontend.interrupt import leave  # noqa: PLC0415 - see above

        leave()
    if code == 0:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _import_whole(*names: str) -> None:
    """Import modules during whose start an interrupt would be lost, or crash Python; it comes when they are there.

    Each import ends with a callback of Python's own, which no exception leaves: whoever interrupts in it has to be
    remembered, as `interruptible` does. And msgspec imports others while its own part in C is set up, and goes on with
    what is not there when that fails.
    """
    came: list[int] = []
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        for name in names:
            import_module(name)
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


if __name__ == "__main__":
    command()
