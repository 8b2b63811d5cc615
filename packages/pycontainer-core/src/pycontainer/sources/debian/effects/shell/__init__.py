"""The part of the POSIX shell that maintainer scripts are written in: read, and followed without running anything."""
