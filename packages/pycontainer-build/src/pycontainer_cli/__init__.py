"""The `pycontainer` command: a thin front end of the library `pycontainer`.

It turns its arguments into a `BuildConfig`, events into lines and bars, errors into messages and exit codes.
"""
