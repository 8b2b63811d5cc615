"""What an image holds, read from wherever it is, whoever made it: without Docker, and without unpacking anything.

    reader = ImageReader(RegistryClient(settings), home=cache)
    inspection = inspect(reader, reader.open("ghcr.io/acme/api:1.4"))
    difference = compare(inspection, inspect(reader, reader.open("oci:dist/image")))

The results are documents: frozen, with names that stay, and figures in bytes. Front ends print them.
"""

from pycontainer.reading.difference import Difference, compare
from pycontainer.reading.documents import Inspection
from pycontainer.reading.inspect import inspect
from pycontainer.reading.places import ImageReader, OpenedImage

__all__ = ["Difference", "ImageReader", "Inspection", "OpenedImage", "compare", "inspect"]
