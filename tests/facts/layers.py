"""Which layer a role reads: how much of the network has run by then, by papers and authors' files."""

import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from benchmark.cli.app.build import build
from benchmark.core.types import Model
from facts.shipped import Fact, Shipped

Shape = tuple[int, ...]
_KINDS = {
    "conv2d": "conv",
    "max_pool2d": "max_pool",
    "avg_pool2d": "average",
    "adaptive_avg_pool2d": "average",
    "add_": "add",
    "local_response_norm": "lrn",
    **{name: name for name in ("relu", "hardtanh", "linear", "cat", "batch_norm", "mul", "add")},
}
"""What counts as an operation; dropout, which does nothing here, and questions about sizes do not."""


@dataclass(frozen=True)
class Read:
    """What has run when a layer is read.

    Attributes:
        last: The operation whose result is read.
        conv: Convolutions so far.
        pool: Max poolings so far, those inside inception blocks included.
        linear: Fully connected layers so far.
        source: Who says so.
    """

    last: str
    conv: int
    pool: int
    linear: int
    source: str


@dataclass(frozen=True)
class Moment:
    """The state of a forward pass when a module returns."""

    counts: tuple[tuple[str, int], ...]
    last: str
    shape: Shape

    def of(self, kind: str) -> int:
        return dict(self.counts).get(kind, 0)


class _Tape(TorchFunctionMode):
    """Counts the operations of a forward pass, and notes for each module how far it had come."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.last = ""
        self.moments: dict[str, Moment] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if kind := _KINDS.get(getattr(func, "__name__", "")):
            self.counts[kind] += 1
            self.last = kind
        return func(*args, **(kwargs or {}))

    def hook(self, name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                counts = tuple(sorted(self.counts.items()))
                self.moments[name] = Moment(counts, self.last, tuple(output.shape[1:]))

        return note


def shape_only(options: Mapping[str, Any]) -> Model:
    """The model of a yaml without parameters: its modules can run on shapes alone, in milliseconds."""
    with ExitStack() as stack:
        inside = "benchmark.models.weights.parameters"
        stack.enter_context(mock.patch(f"{inside}._randomized"))
        stack.enter_context(mock.patch(f"{inside}.parameter_digest", return_value=""))
        model = build(OmegaConf.create({**options, "weights": "random"}))
    assert isinstance(model, Model)
    model.module.to("meta")
    return model


def walk(options: Mapping[str, Any]) -> dict[str, Moment]:
    """How far a network has come when each of its modules returns, in that order."""
    built = {key: value for key, value in options.items() if key not in ("layers", "rename", "note")}
    layers = {role: layer for role, layer in options["layers"].items() if role == "classifier"}
    return _walked(json.dumps({**built, "layers": layers}, sort_keys=True))


@functools.lru_cache(maxsize=64)
def _walked(options: str) -> dict[str, Moment]:
    model, tape = shape_only(json.loads(options)), _Tape()
    for name, module in model.module.named_modules():
        if name:
            module.register_forward_hook(tape.hook(name))
    with tape:
        model.module(torch.zeros(1, 3, model.input.size, model.input.size, device="meta"))
    return tape.moments


_GRADCAM = "Selvaraju et al. 2017, §3 (the last convolutional layer), classification.lua"
_TORCHRAY = "TorchRay, attribution_benchmark.py"
_INPUT_OF = "Zhang et al. 2016: the contrast is taken at the input of the classifier"
_CAM = "Zhou et al. 2016, §2: the maps that are pooled for the classifier"
Roles = Mapping[str, Read]

VGG16: Roles = {  # Simonyan and Zisserman 2015, table 1, column D: 13 convolutions in 5 stages
    "last_conv": Read("relu", 13, 4, 0, f"{_GRADCAM}: relu5_3, before pool5"),
    "penultimate": Read("relu", 13, 5, 2, f"{_TORCHRAY}: contrast_layer classifier.4, relu7"),
    "classifier": Read("linear", 13, 5, 3, "VGG_ILSVRC_16_layers_deploy.prototxt: fc8"),
    "excitation": Read("max_pool", 10, 4, 0, f"{_TORCHRAY}: saliency_layer features.23, pool4"),
}
VGG16_CAM: Roles = {  # deploy_vgg16CAM.prototxt
    "last_conv": Read("relu", 14, 4, 0, f"{_CAM}; CAM_conv, rectified in place"),
    "penultimate": Read("average", 14, 4, 0, f"{_INPUT_OF}, CAM_pool"),
    "classifier": Read("linear", 14, 4, 1, "deploy_vgg16CAM.prototxt: CAM_fc"),
    "excitation": Read("max_pool", 10, 4, 0, "none for this net; VGG-16's pool4"),
}
ALEXNET: Roles = {  # Krizhevsky et al. 2012, §3.5: 5 convolutions; pooling after the 1st, 2nd and 5th
    "last_conv": Read("relu", 5, 2, 0, f"{_GRADCAM}: relu5 for AlexNet, before pool5"),
    "penultimate": Read("relu", 5, 3, 2, f"{_INPUT_OF}, relu7"),
    "classifier": Read("linear", 5, 3, 3, "bvlc_alexnet/deploy.prototxt: fc8"),
    "excitation": Read("max_pool", 2, 2, 0, "none for AlexNet; pool2, the depth of GoogLeNet's"),
}
GOOGLENET: Roles = {  # Szegedy et al. 2015, table 1: 3 convolutions, then 9 blocks of 6 with a pooling each
    "last_conv": Read("cat", 57, 13, 0, "Fong and Vedaldi 2017, heatmaps.py: inception_5b/output"),
    "penultimate": Read("average", 57, 13, 0, "Caffe-ExcitationBP, eval_coco.py: pool5/7x7_s1"),
    "classifier": Read("linear", 57, 13, 1, "Caffe-ExcitationBP, eval_coco.py: loss3/classifier"),
    "excitation": Read("max_pool", 3, 2, 0, "Caffe-ExcitationBP, eval_coco.py: pool2/3x3_s2"),
}
GOOGLENET_CAM: Roles = {  # train_val_googlenetCAM.prototxt: cut after inception_4e, one convolution more
    "last_conv": Read("relu", 46, 10, 0, f"{_CAM}; CAM_conv, rectified in place"),
    "penultimate": Read("average", 46, 10, 0, f"{_INPUT_OF}, CAM_pool"),
    "classifier": Read("linear", 46, 10, 1, "train_val_googlenetCAM.prototxt: CAM_fc"),
    "excitation": Read("max_pool", 3, 2, 0, "none for this net; GoogLeNet's pool2/3x3_s2"),
}
RESNET50: Roles = {  # He et al. 2016, table 1: 1 + 3 * (3 + 4 + 6 + 3) convolutions and 4 on shortcuts
    "last_conv": Read("relu", 53, 1, 0, f"{_TORCHRAY}: gradcam_layer layer4"),
    "penultimate": Read("average", 53, 1, 0, f"{_TORCHRAY}: contrast_layer avgpool"),
    "classifier": Read("linear", 53, 1, 1, "He et al. 2016, table 1: 1000-d fc"),
    "excitation": Read("relu", 43, 1, 0, f"{_TORCHRAY}: saliency_layer layer3"),
}
SQUEEZENET: Roles = {  # Iandola et al. 2016, table 1: conv1, 8 fire modules of 3 convolutions, conv10
    "last_conv": Read("cat", 25, 3, 0, "SqueezeNet_v1.0/deploy.prototxt: fire9/concat, the input of conv10"),
    "penultimate": Read("cat", 25, 3, 0, f"{_INPUT_OF}, conv10"),
    "classifier": Read("conv", 26, 3, 0, "SqueezeNet_v1.0/deploy.prototxt: conv10"),
    "excitation": Read("max_pool", 10, 2, 0, "none for this net; pool4, the scale of GoogLeNet's pool2"),
}
_LITE = "tensorflow/tpu, efficientnet_lite_builder.py"
LITE: Roles = {  # Lite0: a stem, a block of 2 convolutions, 15 blocks of 3, a head; ReLU6 throughout
    "last_conv": Read("hardtanh", 49, 0, 0, f"{_LITE}: the head's convolution, rectified"),
    "penultimate": Read("average", 49, 0, 0, f"{_INPUT_OF}, the pooled maps"),
    "classifier": Read("linear", 49, 0, 1, f"{_LITE}: fc of 1000"),
    "excitation": Read("add", 33, 0, 0, "own choice: the last block of 14x14 cells"),
}

_VOC, _EMBEDDED = 20, 24
ROLES = ("last_conv", "penultimate", "excitation")
NETS: Mapping[str, tuple[Roles, tuple[Shape, Shape, Shape, Shape]]] = {
    # Shapes of what is read, without the batch, from the papers' tables: as in ROLES, then the scores.
    "vgg16": (VGG16, ((512, 14, 14), (4096,), (512, 14, 14), (1000,))),
    "vgg16_caffe": (VGG16, ((512, 14, 14), (4096,), (512, 14, 14), (1000,))),
    "vgg16_jcjohnson": (VGG16, ((512, 14, 14), (4096,), (512, 14, 14), (1000,))),
    "vgg16_voc": (VGG16, ((512, 14, 14), (4096,), (512, 14, 14), (_VOC,))),
    "vgg16_torchray_voc": (VGG16, ((512, 14, 14), (4096,), (512, 14, 14), (_VOC,))),
    "vgg16_cam": (VGG16_CAM, ((1024, 14, 14), (1024, 1, 1), (512, 14, 14), (1000,))),
    "vgg16_cam_voc": (VGG16_CAM, ((1024, 14, 14), (1024, 1, 1), (512, 14, 14), (_VOC,))),
    "alexnet": (ALEXNET, ((256, 13, 13), (4096,), (192, 13, 13), (1000,))),
    "alexnet_bvlc": (ALEXNET, ((256, 13, 13), (4096,), (256, 13, 13), (1000,))),
    "alexnet_voc": (ALEXNET, ((256, 13, 13), (4096,), (256, 13, 13), (_VOC,))),
    "googlenet": (GOOGLENET, ((1024, 7, 7), (1024, 1, 1), (192, 28, 28), (1000,))),
    "googlenet_bvlc": (GOOGLENET, ((1024, 7, 7), (1024, 1, 1), (192, 28, 28), (1000,))),
    "googlenet_voc": (GOOGLENET, ((1024, 7, 7), (1024, 1, 1), (192, 28, 28), (_VOC,))),
    "googlenet_cam": (GOOGLENET_CAM, ((1024, 14, 14), (1024, 1, 1), (192, 28, 28), (1000,))),
    "resnet50": (RESNET50, ((2048, 7, 7), (2048, 1, 1), (1024, 14, 14), (1000,))),
    "efficientnet_lite0": (LITE, ((1280, 7, 7), (1280, 1, 1), (112, 14, 14), (1000,))),
    # The original's last convolution is padded, torchvision's is not.
    "squeezenet_caffe": (SQUEEZENET, ((512, 13, 13), (512, 13, 13), (256, 27, 27), (1000, 15, 15))),
    "squeezenet1_0": (SQUEEZENET, ((512, 13, 13), (512, 13, 13), (256, 27, 27), (1000, 13, 13))),
    # The same with 3/32 or 1/4 of the channels.
    "vgg16_compact": (VGG16, ((48, 14, 14), (384,), (48, 14, 14), (_EMBEDDED,))),
    "vgg16_cam_compact": (VGG16_CAM, ((96, 14, 14), (96, 1, 1), (48, 14, 14), (_EMBEDDED,))),
    "alexnet_compact": (ALEXNET, ((24, 13, 13), (384,), (24, 13, 13), (_EMBEDDED,))),
    "googlenet_compact": (GOOGLENET, ((256, 7, 7), (256, 1, 1), (48, 28, 28), (_EMBEDDED,))),
    "googlenet_cam_compact": (GOOGLENET_CAM, ((256, 14, 14), (256, 1, 1), (48, 28, 28), (_EMBEDDED,))),
}


def _role(name: str, role: str) -> Fact:
    read, shapes = NETS[name][0][role], dict(zip((*ROLES, "classifier"), NETS[name][1], strict=True))

    def check(shipped: Shipped, yaml: str) -> None:
        options = shipped.options(yaml)
        assert set(options["layers"]) == set(shapes)
        moment = walk(options)[options["layers"][role]]
        found = (moment.last, *(moment.of(kind) for kind in ("conv", "max_pool", "linear")), moment.shape)
        assert found == (read.last, read.conv, read.pool, read.linear, shapes[role])

    before = f"{read.conv} convolutions, {read.pool} max poolings and {read.linear} linear layers"
    told = f"{role} is read after {before}, the last operation {read.last}"
    keys = (f"layers.{role}", "_target_", "architecture", "defaults", "width", "outputs")
    return Fact(f"model/{name}", keys, told, read.source, check)


FACTS = [_role(name, role) for name in NETS for role in (*ROLES, "classifier")]
