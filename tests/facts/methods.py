"""Attribution methods and transforms, by the papers and their released code."""

from collections.abc import Mapping

import timm
import torchvision

from facts.shipped import Fact, Shipped
from facts.values import Stated, values

_GRADCAM = "Selvaraju et al. 2017"
_EB = "Zhang et al. 2016, each network's read layer"
_OWN_CHANNELS = (
    "own choice, as Simonyan et al. 2013 reduce gradients: the largest absolute value of a pixel's colours"
)
_LAST: Mapping[str, object] = {"layer": "last_conv"}
_MAX_ABS: Mapping[str, object] = {"reduction": "max_abs"}


def _resize() -> Fact:
    def check(shipped: Shipped, yaml: str) -> None:
        nets = ("alexnet", "googlenet", "resnet50", "squeezenet1_0", "vgg16")
        theirs = [torchvision.models.get_model_weights(net).IMAGENET1K_V1.transforms() for net in nets]
        assert {size for each in theirs for size in each.resize_size} == {shipped.built(yaml).resize}

    source = "torchvision's transforms of each net's weights"
    return Fact("transform/center_crop", ("resize",), "the shorter side becomes theirs", source, check)


VALUES: Mapping[str, Stated] = {
    "method/grad_cam": {
        f"{_GRADCAM}, §3, eq. 2: a ReLU over the weighted sum of the last convolutional layer": {
            "_target_": "GradCAM",
            **_LAST,
            "relu": True,
        }
    },
    "method/grad_cam_counterfactual": {
        f"{_GRADCAM}, §3.3: the negated gradients of the same layer": {
            "_target_": "GradCAMCounterfactual",
            **_LAST,
        }
    },
    "method/guided_grad_cam": {
        f"{_GRADCAM}, §3.2: Grad-CAM times guided backprop": {"_target_": "GuidedGradCAM", **_LAST},
        _OWN_CHANNELS: _MAX_ABS,
    },
    "method/deconv_grad_cam": {
        f"{_GRADCAM}, §5.1: Deconvolution Grad-CAM, the same with deconvnet's gradient": {
            "_target_": "DeconvGradCAM",
            **_LAST,
        },
        _OWN_CHANNELS: _MAX_ABS,
    },
    "method/cam": {"Zhou et al. 2016, §2: the maps that are pooled": {"_target_": "CAM", **_LAST}},
    "method/backprop": {
        "Simonyan et al. 2013, §3: the gradient of the score at the image": {"_target_": "Backprop"}
    },
    "method/guided_backprop": {
        "Springenberg et al. 2015, §3.4": {"_target_": "GuidedBackprop"},
        _OWN_CHANNELS: _MAX_ABS,
    },
    "method/deconvnet": {
        "Zeiler and Fergus 2014, §2.1": {"_target_": "Deconvnet"},
        _OWN_CHANNELS: _MAX_ABS,
    },
    "method/mwp": {_EB: {"_target_": "MWP", "layer": "excitation"}},
    "method/c_mwp": {_EB: {"_target_": "ContrastiveMWP", "layer": "excitation"}},
    "method/occlusion": {
        "own choice: Selvaraju et al. 2017, §5.3, name neither; Fong and Vedaldi 2017 have 35 and 8": {
            "_target_": "Occlusion",
            "patch": 32,
            "stride": 16,
            "sigma": 10.0,
        },
        "Fong and Vedaldi 2017, occlusion_mask.py: zero after the mean is subtracted": {"fill": "mean"},
        "Fong and Vedaldi 2017, occlusion_mask.py: top_name loss3/classifier, before the softmax": {
            "score": "logit"
        },
    },
    "method/from_files": {
        "own choice: an image without a map is refused": {
            "_target_": "FromFiles",
            "folder": None,
            "missing": "error",
        }
    },
    "transform/resize_crop": {
        "timm.data: DEFAULT_CROP_PCT, DEFAULT_CROP_MODE; resolve_data_config: bicubic": {
            "_target_": "ResizeCrop",
            "crop_pct": timm.data.DEFAULT_CROP_PCT,
            "mode": timm.data.DEFAULT_CROP_MODE,
            "interpolation": timm.data.resolve_data_config({"img_size": 224})["interpolation"],
        }
    },
    "transform/warp": {"Selvaraju et al., misc/utils.lua: image.scale to the square": {"_target_": "Warp"}},
    "transform/warp_bilinear": {"cv2.resize, its default interpolation": {"_target_": "WarpBilinear"}},
    "transform/center_crop": {"torchvision, references/classification": {"_target_": "CenterCrop"}},
    "transform/ten_crop": {
        "Zhou et al. 2016, prepare_image.m: IMAGE_DIM": {"_target_": "TenCrop", "canvas": 256},
        "Zhou et al. 2016, mergeTenCrop.m: sum(abs(alignImgSet))": {"absolute": True},
    },
}
FACTS = [_resize(), *values(VALUES)]
