"""What is built: the `Project` protocol, `pyproject.toml`, and how an application starts."""
