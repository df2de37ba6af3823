"""Transforms, one file each: which part of an image a network sees, and how it is resampled.

Configuration names a transform by the ``_target_`` of its yaml; the names exported here are for Python.
"""

from benchmark.transforms.center_crop import CenterCrop
from benchmark.transforms.normalize import to_input
from benchmark.transforms.warp import Warp

__all__ = ["CenterCrop", "Warp", "to_input"]
