"""The forms that a layer can have: one file each, behind `LayerForm`."""

from __future__ import annotations

from pycontainer.layers.forms.compression import Compression
from pycontainer.layers.forms.form import LayerForm, open_form

__all__ = ["Compression", "LayerForm", "open_form"]
