"""Hatch's target `container`, and a build hook of that name: a front end over `pycontainer`.

[tool.hatch.build.targets.container]
dependencies = ["hatch-pycontainer"]

$ hatch build -t container
"""
