"""MWP and c-MWP at full size against a slow walk down to early layers; no maintained library does them."""

from collections.abc import Callable

import pytest
from helpers.slow_walk import winning
from helpers.subjects import CASES, Subject, label
from torch import Tensor

from benchmark.attribution.c_mwp import ContrastiveMWP
from benchmark.attribution.mwp import MWP
from benchmark.models.forward import forward_pass

FIRST = {
    "vgg16": "features.16",  # pool3; above it are layers of one kind alone
    "alexnet_bvlc": "relu1",  # before both LRN
    "googlenet_bvlc": "conv1.relu_7x7",  # likewise
}
WALKED = [case for case in CASES if case[0].split()[0] in FIRST]


@pytest.mark.slow
@pytest.mark.parametrize("subject", WALKED, ids=label, indirect=True, scope="session")
def test_mwp_and_c_mwp_are_those_of_a_slow_walk_at_the_read_layer_and_at_an_early_one(
    subject: Subject, agree: Callable[[str, Tensor, Tensor], None]
) -> None:
    model, classes = subject.model, subject.classes[:1]
    layers = {"read layer": model.layers["excitation"], "early layer": FIRST[subject.name.split()[0]]}
    forward = forward_pass(model, subject.inputs[:1], layers.values(), operations=True)
    found = winning(model.module, subject.inputs[0], classes[0], layers.values())
    for told, layer in layers.items():
        excited, contrast = found[layer].sum(2)[:, None]
        assert (excited.sum((2, 3)) > 0.5).all()
        assert (contrast < 0).any()
        agree(f"MWP at the {told}, slow walk", MWP(layer=layer)(model, forward, classes), excited)
        measured = ContrastiveMWP(layer=layer)(model, forward, classes)
        agree(f"c-MWP at the {told}, slow walk", measured, contrast.clamp(min=0))
