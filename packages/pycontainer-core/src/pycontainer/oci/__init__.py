"""The words of the OCI specifications as values: parsed, validated, printed, never fetched."""

from pycontainer.oci.config import ContainerConfig, History, ImageConfig, RootFS
from pycontainer.oci.descriptor import Descriptor
from pycontainer.oci.digest import Digest
from pycontainer.oci.document import Document, canonical_json
from pycontainer.oci.index import Index
from pycontainer.oci.manifest import Manifest
from pycontainer.oci.platform import Platform
from pycontainer.oci.reference import Reference

__all__ = [
    "ContainerConfig",
    "Descriptor",
    "Digest",
    "Document",
    "History",
    "ImageConfig",
    "Index",
    "Manifest",
    "Platform",
    "Reference",
    "RootFS",
    "canonical_json",
]
