"""The process of the command: `pycontainer`, and `python -m pycontainer_cli`.

Imports happen where an interrupt is caught, so that Ctrl-C is answered with one line from the first moment on.
"""

import gc
import os
import sys


def command() -> None:
    """Run the command and end the process with its exit code.

    After a success all is written and closed: taking the interpreter apart, module by module, would be a tenth of a
    build in which nothing changed. After a failure, threads that were told to stop are waited for as ever.
    """
    # What modules are made of stays until the end, so that looking for garbage in it, once for every 700 objects, is a
    # twentieth of such a build, too.
    gc.set_threshold(50_000)
    try:
        from pycontainer.frontend.interrupt import import_whole, interruptible  # noqa: PLC0415 - see above

        import_whole("msgspec")
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


if __name__ == "__main__":
    command()
