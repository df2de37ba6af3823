"""``from benchmark import explain``, held against captum on small networks."""

import pytest
import torch
import torch.nn.functional as F
from captum.attr import GuidedBackprop, LayerGradCam, Saliency
from torch import Tensor, nn

from benchmark import explain
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core.errors import UserError

INPUTS = torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(0))


def small_net() -> nn.Sequential:
    torch.manual_seed(0)
    body = [
        nn.Conv2d(3, 6, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 5, 3, stride=2),
        nn.BatchNorm2d(5),
        nn.ReLU(),
    ]
    return nn.Sequential(*body, nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))


def test_grad_cam_of_any_classifier_is_captums_at_the_last_rectified_convolution() -> None:
    net = small_net()
    found = explain(net, INPUTS, [2, 0])
    net.eval()
    assert found.layer == "4"
    for place, output in enumerate((2, 0)):
        theirs = LayerGradCam(net, net[4]).attribute(INPUTS, output, relu_attributions=True)
        torch.testing.assert_close(torch.from_numpy(found.maps[:, place]), theirs[:, 0].detach())
    probabilities = net(INPUTS).softmax(dim=1)[:, [2, 0]]
    torch.testing.assert_close(torch.from_numpy(found.scores), probabilities.detach())


def test_maps_are_upsampled_as_pytorch_does_with_aligned_corners() -> None:
    found = explain(small_net(), INPUTS)
    theirs = F.interpolate(torch.from_numpy(found.maps), (24, 20), mode="bilinear", align_corners=True)
    torch.testing.assert_close(torch.from_numpy(found.upsampled()), theirs)
    assert found.classes.shape == (2, 1)


def test_backprop_is_captums_saliency() -> None:
    net = small_net()
    found = explain(net, INPUTS, torch.tensor([[1], [3]]), method="backprop")
    theirs = Saliency(net.eval()).attribute(INPUTS.clone().requires_grad_(), torch.tensor([1, 3])).amax(dim=1)
    torch.testing.assert_close(torch.from_numpy(found.maps[:, 0]), theirs)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_guided_grad_cam_of_inputs_that_are_not_square_is_captums() -> None:
    net = small_net()
    vars(net[1])["inplace"] = False
    found = explain(net, INPUTS, [2], method=GuidedGradCAM(reduction="max_abs"))
    guided = GuidedBackprop(net.eval()).attribute(INPUTS.clone().requires_grad_(), 2)
    coarse = LayerGradCam(net, net[4]).attribute(INPUTS, 2, relu_attributions=True).detach()
    places = F.interpolate(coarse, (24, 20), mode="bilinear", align_corners=True)
    theirs = (places * guided).abs().amax(dim=1).detach()
    torch.testing.assert_close(torch.from_numpy(found.maps[:, 0]), theirs)


@pytest.mark.parametrize("layer", [None, "no such layer"])
def test_the_module_is_left_as_it_was_even_after_an_error(layer: str | None) -> None:
    net = small_net().train()
    net[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    if layer:
        with pytest.raises(UserError, match="has no layer"):
            explain(net, INPUTS, layer=layer)
    else:
        explain(net, INPUTS, method="c_mwp")
    assert all(part.training for part in net.modules())
    assert [parameter.requires_grad for parameter in net.parameters()].count(False) == 1
    assert net[1].inplace
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"classes": [4]}, "outputs 0 … 3"),
        ({"classes": torch.zeros(3, 1)}, "give"),
        ({"method": "occlusion"}, "method=occlusion: inputs of 24 x 20; give square ones"),
        ({"method": "gradcam"}, "method=gradcam: there is none"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_remedy(options: dict[str, Tensor], said: str) -> None:
    with pytest.raises(UserError, match=said):
        explain(small_net(), INPUTS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("hidden", [5, 7])
def test_cam_of_a_head_of_two_layers_is_refused_whatever_its_width(hidden: int) -> None:
    head = [nn.Linear(5, hidden), nn.ReLU(), nn.Linear(hidden, 4)]
    with pytest.raises(UserError, match="method cam needs global average pooling and one linear layer"):
        explain(nn.Sequential(*small_net()[:-1], *head), INPUTS, method="cam")


def test_a_network_of_one_convolution_needs_a_layer_that_is_named() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.Flatten(2), nn.Flatten(), nn.Linear(120, 2))
    with pytest.raises(UserError, match="no convolutional network"):
        explain(net, INPUTS)
