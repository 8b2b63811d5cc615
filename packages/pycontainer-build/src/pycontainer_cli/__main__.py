"""The process of the command: `pycontainer`, and `python -m pycontainer_cli`.

Imports happen where an interrupt is caught, so that Ctrl-C is answered with one line from the first moment on.
"""

import sys


def command() -> None:
    """Run the command and end the process with its exit code."""
    try:
        from pycontainer_cli.main import main  # noqa: PLC0415 - see above

        code = main()
    except KeyboardInterrupt:
        from pycontainer_cli.interrupt import leave  # noqa: PLC0415 - see above

        leave()
    sys.exit(code)


if __name__ == "__main__":
    command()
