"""Wheels built on this host: of the project, its workspace, path and git dependencies, and locked sdists.

from pycontainer.sources.builds.builder import WheelBuilder

builder = WheelBuilder(folder, find_uv=lambda: find_uv(os.environ), fetch=fetcher.fetch, root=root, emit=emit)
wheel = builder.build(chosen, target)
wheel.path, wheel.filename, wheel.sha256
"""

from pycontainer.sources.builds.origin import direct_url

__all__ = ["direct_url"]
