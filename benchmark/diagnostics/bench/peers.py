"""The same heatmaps by other packages, one class after the other, for ``./scripts/bench`` to compare.

None of them is a dependency: each is imported where it is used. Each gets the same frozen model and the
same inputs as our methods; where it calls ``backward``, the graph therefore has to start at the inputs.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from benchmark.diagnostics.bench.stopwatch import Work
from benchmark.models.forward import one_hot


def _captum_grad_cam(module: nn.Module, layer: str, inputs: Tensor, classes: Tensor) -> Work:
    from captum.attr import LayerGradCam

    peer = LayerGradCam(module, module.get_submodule(layer))
    return lambda: [peer.attribute(inputs, column, relu_attributions=True) for column in classes.T]


def _pytorch_grad_cam(module: nn.Module, layer: str, inputs: Tensor, classes: Tensor) -> Work:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def work() -> object:
        leaf = inputs.clone().requires_grad_()
        with GradCAM(module, [module.get_submodule(layer)]) as peer:
            return [peer(leaf, [ClassifierOutputTarget(c) for c in column]) for column in classes.T.tolist()]

    return work


def _torchcam_grad_cam(module: nn.Module, layer: str, inputs: Tensor, classes: Tensor) -> Work:
    from torchcam.methods import GradCAM

    def work() -> object:
        with GradCAM(module, layer) as peer:
            scores = module(inputs.clone().requires_grad_())  # once for all classes, as its interface allows
            return [peer(column, scores, retain_graph=True) for column in classes.T.tolist()]

    return work


def _captum_saliency(module: nn.Module, _layer: str, inputs: Tensor, classes: Tensor) -> Work:
    from captum.attr import Saliency

    leaf = inputs.clone().requires_grad_()
    return lambda: [Saliency(module).attribute(leaf, column).amax(1) for column in classes.T]


def floor(module: nn.Module, _layer: str, inputs: Tensor, classes: Tensor) -> Work:
    """Return the work of the gradients alone: of each class's scores at the inputs, ``[N, 3, S, S]``."""
    leaf = inputs.clone().requires_grad_()

    def work() -> object:
        scores = module(leaf)
        return [
            torch.autograd.grad(scores, leaf, pick, retain_graph=True) for pick in one_hot(scores, classes)
        ]

    return work


FLOOR = "one forward pass, K input gradients"
"""For K classes an image: what no method that differentiates the scores at the input falls below."""
FLOORED = ("backprop", "guided_backprop", "deconvnet")
"""Our methods that this is the floor of."""

PEERS: Mapping[str, Mapping[str, Callable[[nn.Module, str, Tensor, Tensor], Work]]] = {
    "grad_cam": {
        "captum LayerGradCam": _captum_grad_cam,
        "pytorch-grad-cam GradCAM": _pytorch_grad_cam,
        "torchcam GradCAM": _torchcam_grad_cam,
    },
    "backprop": {"captum Saliency": _captum_saliency},
}
"""By our method: name to a function of ``(module, layer, inputs [N, 3, S, S], classes [N, K])``, which gives
the work and raises :class:`ImportError` where the package is not installed."""
