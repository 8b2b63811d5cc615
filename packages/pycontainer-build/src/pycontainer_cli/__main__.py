"""`python -m pycontainer_cli` is the `pycontainer` command."""

import sys

from pycontainer_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
