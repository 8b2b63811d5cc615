"""The real parts that end-to-end tests drive: a registry, container engines, the command itself.

Everything is started by the tests, keeps its data below a temporary directory, listens on loopback or a socket of its
own, and is stopped by its process number: nothing that runs on the machine is touched.
"""
