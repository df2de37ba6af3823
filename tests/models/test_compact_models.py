"""The compact nets: the full nets' yamls in all but size, and every method explains them."""

import pytest
import torch
from helpers.every_model import CONF, NAMES, make, options
from hydra import compose, initialize_config_dir
from torch import Tensor

import benchmark
from benchmark.cli.app.build import build
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import Model
from benchmark.models.forward import forward_pass

FULL = {
    "vgg16_compact": "vgg16_caffe",
    "vgg16_cam_compact": "vgg16_cam",
    "alexnet_compact": "alexnet_bvlc",
    "googlenet_compact": "googlenet_bvlc",
    "googlenet_cam_compact": "googlenet_cam",
}
METHODS = tuple(sorted(path.stem for path in (CONF / "method").glob("*.yaml") if path.stem != "from_files"))
COARSE = {"occlusion": ("method.patch=96", "method.stride=96")}
CAM_EXPLAINS = ("vgg16_cam_compact", "googlenet_compact", "googlenet_cam_compact")


def method(name: str) -> Method:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        made: Method = build(compose(overrides=[f"+method={name}", *COARSE.get(name, ())]).method)
    return made


def heatmaps(model: Model, how: Method) -> Tensor:
    how.check(model)
    side = model.input.size
    x = 50 * torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0))
    classes = torch.arange(24)[None]  # Grad-CAM of some is empty: its ReLU leaves nothing
    return how(model, forward_pass(model, x, how.layers, how.operations), classes)


def test_no_compact_net_is_left_out() -> None:
    assert {name for name in NAMES if name.endswith("_compact")} == set(FULL)


@pytest.mark.parametrize("name", FULL)
def test_a_compact_yaml_changes_the_size_and_the_weights_of_the_full_net_alone(name: str) -> None:
    compact, full = options(name), options(FULL[name])
    changed = {key for key in full if compact[key] != full[key]}
    always = {"name", "width", "outputs", "weights", "weights_dir", "note"}
    assert always <= changed <= always | {"checksums", "ignore"}
    assert set(compact) == set(full)
    assert compact["outputs"] == 24
    assert compact["weights"] == f"{name}.safetensors"
    assert compact["weights_dir"] == f"{benchmark.__path__[0]}/models/weights/embedded"


@pytest.mark.parametrize("name", FULL)
def test_a_compact_net_has_the_layers_of_the_full_net(name: str) -> None:
    def layers(width: str) -> dict[str, str]:
        size = [f"model.width={width}", "model.outputs=24", "model.weights=random"]
        return {n: type(m).__name__ for n, m in make(FULL[name], *size).module.named_modules()}

    module = make(name, "model.weights=random").module
    assert {n: type(m).__name__ for n, m in module.named_modules()} == layers("0.03125")


@pytest.mark.parametrize("how", METHODS)
@pytest.mark.parametrize("name", FULL)
def test_every_method_explains_every_compact_net_that_it_can(name: str, how: str) -> None:
    model = make(name, "model.weights=random")
    if how == "cam" and name not in CAM_EXPLAINS:
        with pytest.raises(UserError, match="global average pooling"):
            method(how).check(model)
        return
    maps = heatmaps(model, method(how))
    assert maps.shape[:2] == (1, 24)
    assert maps.isfinite().all()
    assert maps.abs().amax((2, 3)).max() > 0
