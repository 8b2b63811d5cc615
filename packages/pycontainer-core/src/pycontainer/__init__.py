"""From a Python project and its lock file to an OCI image.

    from pycontainer.builder import ImageBuilder
    from pycontainer.config import BuildConfig

    ImageBuilder(BuildConfig(tag="myapp:latest")).build()

The floors, top to bottom: `builder`, `plan`, `config`, `project`, `attest`, `destinations`, `sources`, `transports`,
`image`, `layers`, `blobs`, `oci`, `events`, `errors`, `unfinished`. Imports go down only;
`docs/explanation/architecture.md` walks through the house.
"""

__version__ = "0.1.0"
