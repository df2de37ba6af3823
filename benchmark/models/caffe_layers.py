"""Caffe's layers in torch, and the nets that are made of them.

A layer's module has Caffe's own name, with dots for slashes: ``inception_5b/1x1`` is ``inception_5b.1x1``.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.models.assembly import ModelSpec, assemble, assemble_from
from benchmark.models.weights.files import find
from benchmark.models.weights.parameters import empty, randomize


def named(layers: Mapping[str, nn.Module]) -> nn.Sequential:
    """Chain layers under names that need not be Python identifiers."""
    return nn.Sequential(OrderedDict(layers))


def pooling(kernel: int, stride: int) -> nn.MaxPool2d:
    """Build Caffe's max pooling, whose output size is rounded up, so that the last window may be cut off."""
    return nn.MaxPool2d(kernel, stride, ceil_mode=True)


def local_response_norm() -> nn.LocalResponseNorm:
    """Build Caffe's LRN, ``a / (1 + α/5 Σ a²)^β`` over 5 channels, with α 0.0001 and β 0.75.

    It keeps shape and type of ``[N, C, …]``. Half precision is computed in float32: in float16 the square of
    a number above 255 is infinite, and nets that take pixels of 0 … 255 have larger activations.
    """
    return _LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


class _LocalResponseNorm(nn.LocalResponseNorm):
    def forward(self, input: Tensor) -> Tensor:
        if input.element_size() >= 4:
            return super().forward(input)
        # Autocast casts none of these operations down, and the result is no larger than the input.
        return super().forward(input.float()).to(input.dtype)


def scaled(channels: int, width: float) -> int:
    """Return ``width`` times the channels, rounded to an even number (for groups of two), at least two."""
    return max(2, 2 * round(channels * width / 2))


def load_net(build: Callable[[float, int], nn.Module], width: float, outputs: int, options: Any) -> Model:
    """Build a Caffe net, fill it from the file that its yaml names, and freeze it.

    Args:
        build: Builds the net, whose layers have Caffe's names, from the two arguments below.
        width: Factor on the channels of all layers but the classifier; the published files need 1.
        outputs: Number of classes; the published files need 1000.
        options: The fields of :class:`benchmark.models.assembly.ModelSpec`; ``random`` weights need no file.

    Raises:
        UserError: If the file is missing, damaged, of another net, or has another checksum.
    """
    spec, module = ModelSpec(**options), empty(lambda: build(width, outputs))
    if spec.random:
        return assemble(module, spec, randomize(module, spec.note))
    path = find(spec.weights, spec.weights_dir)
    return assemble_from(module, spec, path, spec.checksums or (), "model.outputs")
