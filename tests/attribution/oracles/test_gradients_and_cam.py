"""Grad-CAM, CAM and Backprop at full size against captum, torch-cam and pytorch-grad-cam."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchcam.methods
from captum.attr import LayerGradCam, Saliency
from helpers.subjects import CASES, Subject, label
from pytorch_grad_cam import GradCAM as OtherGradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM

pytestmark = pytest.mark.slow
Agree = Callable[[str, Tensor, Tensor], None]


def by_class(subject: Subject, oracle: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """``[N, K, …]`` from what an oracle gives for one class an image: ``(inputs, [N]) -> [N, …]``."""
    leaf = subject.inputs.clone().requires_grad_()
    return torch.stack([oracle(leaf, column).detach() for column in subject.classes.T], 1)


def last_conv(subject: Subject) -> nn.Module:
    return subject.model.module.get_submodule(subject.model.layers["last_conv"])


def test_grad_cam_is_captums_layer_grad_cam(subject: Subject, agree: Agree) -> None:
    captum = LayerGradCam(subject.model.module, last_conv(subject))
    wanted = by_class(subject, lambda x, c: captum.attribute(x, c, relu_attributions=True)[:, 0])
    agree("Grad-CAM, captum LayerGradCam", subject.explain(GradCAM()), wanted)


def test_grad_cam_is_torchcams(subject: Subject, agree: Agree) -> None:
    module, layer = subject.model.module, subject.model.layers["last_conv"]
    with torchcam.methods.GradCAM(module, layer) as other:
        wanted = by_class(subject, lambda x, c: other(c.tolist(), module(x), normalized=False)[0])
    agree("Grad-CAM, torch-cam", subject.explain(GradCAM()), wanted)


def test_grad_cam_is_pytorch_grad_cams_before_and_after_its_scaling(subject: Subject, agree: Agree) -> None:
    layer, scaled = last_conv(subject), []

    def signed(inputs: Tensor, classes: Tensor) -> Tensor:
        targets = [ClassifierOutputTarget(int(c)) for c in classes]
        with OtherGradCAM(subject.model.module, [layer]) as other:
            scaled.append(torch.from_numpy(other(inputs, targets)))
            kept = other.activations_and_grads
            a, g = (x[0].numpy() for x in (kept.activations, kept.gradients))
            return torch.from_numpy(other.get_cam_image(inputs, layer, targets, a, g))

    wanted = by_class(subject, signed)
    agree("Grad-CAM before ReLU, pytorch-grad-cam", subject.explain(GradCAM(relu=False)), wanted)
    if subject.inputs.dtype == torch.float32:  # to which it scales in any case
        size = (subject.model.input.size,) * 2
        ours = subject.explain(GradCAM()).flatten(0, 1).numpy()
        ours = scale_cam_image(np.maximum(scale_cam_image(ours, size), 0))
        measured = torch.from_numpy(ours).view(*subject.classes.shape, *size)
        agree("Grad-CAM scaled, pytorch-grad-cam", measured, torch.stack(scaled, 1))


@pytest.mark.parametrize(
    "subject", [case for case in CASES if "googlenet" in case[0]], ids=label, indirect=True, scope="session"
)
def test_cam_is_torchcams_on_networks_that_pool_globally(subject: Subject, agree: Agree) -> None:
    module, layers = subject.model.module, subject.model.layers
    with torchcam.methods.CAM(module, layers["last_conv"], layers["classifier"]) as other:
        module(subject.inputs)
        wanted = by_class(subject, lambda _, c: other(c.tolist(), normalized=False)[0])
    agree("CAM, torch-cam", subject.explain(CAM()), wanted)


def test_backprop_is_the_maximum_over_the_colours_of_captums_saliency(subject: Subject, agree: Agree) -> None:
    captum = Saliency(subject.model.module)
    wanted = by_class(subject, lambda x, c: captum.attribute(x, c, abs=True).amax(1))
    agree("Backprop, captum Saliency", subject.explain(Backprop()), wanted)
