"""A subjects that takes a fraction of a second: two small nets, every method, two localizers."""

from typing import Any

import torch
from torch import nn

from benchmark.attribution.backprop import Backprop
from benchmark.attribution.c_mwp import ContrastiveMWP
from benchmark.attribution.cam import CAM
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.attribution.guided_backprop import GuidedBackprop
from benchmark.attribution.mwp import MWP
from benchmark.core.protocols import Localizer, Method
from benchmark.core.types import Model
from benchmark.diagnostics.selftest.case import normed, prepare
from benchmark.diagnostics.selftest.check import Subjects
from benchmark.localizers.grabcut import GrabCut
from benchmark.localizers.max_box import MaxBox
from benchmark.pipeline.settings import RunSettings
from helpers.small_models import as_model

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Backprop(),
        CAM(),
        GradCAM(),
        MWP(),
        ContrastiveMWP(),
        GuidedBackprop(),
        GradCAMCounterfactual(),
    )
}
LOCALIZERS: dict[str, Localizer] = {
    "gradcam_15": MaxBox("gradcam_15", 1, 0.15),
    "grabcut": GrabCut("grabcut", 1, iterations=1),
}


def pooled() -> Model:
    """VGG's end in small: a last ReLU, max pooling, two linear layers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * 36, 30),
            nn.ReLU(),
            nn.Linear(30, 12),
        )
    return as_model(module, "pooled", excitation="1", last_conv="3", penultimate="7", classifier="8")


def subjects(**options: Any) -> Subjects:
    """On the CPU; ``options`` are those of a run."""
    settings = RunSettings(device="cpu", **options)
    cases = tuple(prepare(model, METHODS, settings) for model in (normed(), pooled()))
    return Subjects(cases, LOCALIZERS)
