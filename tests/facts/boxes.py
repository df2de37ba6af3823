"""Box protocols and the metrics of boxes, by the papers and their released code."""

from collections.abc import Mapping

import numpy as np
from helpers.drawings import drawn, native

from benchmark.core.types import Box
from facts.shipped import Fact, Shipped
from facts.values import Stated, values

_GRADCAM = "Selvaraju et al. 2017, §4.1"
_CAM = "Zhou et al. 2016, §3.2"
_FONG = "Fong and Vedaldi 2017, localization.ipynb"
_FONG_GRID = "Fong and Vedaldi 2017, heatmaps.py"
_WSOL = "Choe et al. 2020, wsolevaluation"
_OPENCV_24 = (
    "zhoubolei/CAM, bboxgenerator: linked to OpenCV 2.4, which clears a pixel (opencv/opencv issue 4374)"
)
_SIMONYAN = "Simonyan et al. 2013, §3.2"
_EVERY_FIVE = [step / 20 for step in range(1, 20)]
_OWN_CURVE = "own choice: a curve over every 5 %"
_OWN_SIDE = "own choice, measured in docs/speed.md: a copy of 500 pixels is cut"
_SMALL = {
    "own choice, measured in docs/speed.md: a copy of 128 pixels is cut, three times at most": {
        "max_side": 128,
        "iterations": 3,
        "early": True,
    }
}
_OWN_INTERVAL = "own choice: bootstrap resamples of the 95 % interval, seeded"
_DEVKIT = "ILSVRC devkit, eval_clsloc.m: an overlap below 0.5 is an error"

# ---- what a threshold and a neighbour are, by what becomes of a drawn map


def _ramp(name: str, per_mille: int, source: str) -> Fact:
    """A row of 1 to 1000 thousandths: those above the threshold are in the box, and no other."""

    def check(shipped: Shipped, yaml: str) -> None:
        row = np.arange(1, 1001, dtype=np.float32)[None] / np.float32(1000)
        assert shipped.built(yaml)(row, native(row)).box == Box(per_mille, 0, 1000, 1)

    told = f"pixels above {per_mille} thousandths of the maximum are in the box"
    return Fact(f"localizer/{name}", ("threshold", "_target_"), told, source, check)


def _largest_segment(name: str) -> Fact:
    """Pixels that touch by a corner are one segment; that of most pixels is the box, not that of the peak."""

    def check(shipped: Shipped, yaml: str) -> None:
        diagonal = drawn("88.....9", "..8.....", "...88...")
        assert shipped.built(yaml)(diagonal, native(diagonal)).box == Box(0, 0, 5, 3)

    keys, source = ("connectivity", "component", "_target_"), f"{_GRADCAM}; {_CAM}; own choice: corners touch"
    return Fact(f"localizer/{name}", keys, "the largest segment is the box", source, check)


def _upsampled(name: str) -> Fact:
    """Cells 0 and 1 over eleven pixels are 0, .1, …, 1 between aligned corners; .2 is the first above .15."""

    def check(shipped: Shipped, yaml: str) -> None:
        pair = np.array([[0, 1]], np.float32)
        assert shipped.built(yaml)(pair, native(np.zeros((1, 11), np.float32))).box == Box(2, 0, 11, 1)

    keys, source = ("upsampling", "_target_"), "Selvaraju et al., classification.lua: Torch7's image.scale"
    return Fact(
        f"localizer/{name}", keys, "maps are enlarged linearly between aligned corners", source, check
    )


VALUES: Mapping[str, Stated] = {
    "localizer/gradcam_15": {
        f"{_GRADCAM}: 15 % of the maximum, single largest segment": {"_target_": "MaxBox", "threshold": 0.15},
        _OWN_CURVE: {"grid": _EVERY_FIVE},
    },
    "localizer/cam_20": {
        f"{_CAM}: 20 % of the maximum, largest connected component": {"_target_": "MaxBox", "threshold": 0.2},
        _OWN_CURVE: {"grid": _EVERY_FIVE},
    },
    "localizer/max_box": {_OWN_CURVE: {"_target_": "MaxBox", "grid": _EVERY_FIVE, "connectivity": 8}},
    "localizer/open_box": {
        f"{_GRADCAM}, with gradcam_15's answers to what it leaves open": {
            "_target_": "OpenBox",
            "threshold": 0.15,
            "upsampling": "aligned",
            "component": "pixels",
            "connectivity": 8,
        },
        _OWN_CURVE: {"grid": _EVERY_FIVE},
    },
    "localizer/cam_dtbox": {
        "Zhou et al. 2016, generate_bbox.m: bbox_threshold": {
            "_target_": "CamDtBox",
            "levels": [20, 100, 110],
        },
        "Zhou et al. 2016, dt_box.cpp: distances above 10 of 255 stay; W - 5, H - 5": {
            "erosion": 10,
            "margin": 5,
        },
        _OPENCV_24: {"border": 1},
        "Zhou et al. 2016, generate_bbox.m: the map is read from an image file of bytes": {"quantise": True},
        _OWN_CURVE: {"grid": _EVERY_FIVE},
    },
    "localizer/center_box": {
        "GT-known error on ILSVRC val 47.04 %, the least of 60, 70, 80 and 90 % of each side": {
            "_target_": "CenterBox",
            "fraction": 0.8,
        },
        _OWN_CURVE: {"grid": [*_EVERY_FIVE, 1.0]},
    },
    "localizer/whole_image": {
        "the baseline's name: the whole image, and nothing to vary": {
            "_target_": "CenterBox",
            "fraction": 1.0,
            "grid": [],
        }
    },
    "localizer/fong_value": {
        f"{_FONG}: Grad-CAM, min_max_diff, best alpha": {"_target_": "FongValue", "alpha": 0.35},
        f"{_FONG_GRID}: np.arange(0, 1, 0.05)": {"grid": [0.0, *_EVERY_FIVE]},
    },
    "localizer/fong_energy": {
        f"{_FONG}: Grad-CAM, energy, best alpha": {"_target_": "FongEnergy", "alpha": 0.65},
        "own choice: theirs without 0, which keeps no cell, and with 1": {"grid": [*_EVERY_FIVE, 1.0]},
    },
    "localizer/fong_mean": {
        f"{_FONG}: Grad-CAM, mean, best alpha": {"_target_": "FongMean", "alpha": 1.5},
        f"{_FONG_GRID}: np.arange(0, 10.5, 0.5)": {"grid": [step / 2 for step in range(21)]},
    },
    **{
        f"localizer/{name}": {
            f"{_SIMONYAN}: above the 95 % quantile foreground, below the 30 % quantile background": {
                "_target_": "GrabCut",
                "foreground": 0.95,
                "background": 0.3,
            },
            **own,
        }
        for name, own in (
            ("grabcut", _SMALL),
            ("simonyan_grabcut", _SMALL),
            (
                "grabcut_500",
                {
                    "own choice, as in OpenCV's tutorial": {"iterations": 5},
                    _OWN_SIDE: {"max_side": 500, "early": False},
                },
            ),
        )
    },
    "localizer/zhou_grabcut": {
        "Zhou et al. 2016, gc.cpp: g_th0, g_th1, one iteration, bb.area() > 10": {
            "_target_": "ZhouGrabCut",
            "background": 10,
            "foreground": 40,
            "iterations": 1,
            "least_area": 10,
        },
        _OPENCV_24: {"border": 1},
        _OWN_SIDE: {"max_side": 500},
    },
    **{
        f"localizer/wsol_maxboxacc_{version}": {
            f"{_WSOL}, evaluation.py: _RESIZE_LENGTH, cam_curve_interval": {
                "_target_": "WsolMaxBoxAcc",
                "size": 224,
                "step": 0.001,
            },
            f"{_WSOL}, evaluation.py: multi_contour_eval is MaxBoxAccV2's": {"contours": contours},
            "own choice: the original has no single box": {"threshold": 0.2},
        }
        for version, contours in (("v1", "largest"), ("v2", "all"))
    },
    "localizer/wsol_pixels_v1": {
        f"{_WSOL}, evaluation.py: _RESIZE_LENGTH, cam_curve_interval": {
            "_target_": "WsolLargest",
            "size": 224,
            "step": 0.001,
        },
        "own choice: the original has no single box": {"threshold": 0.2},
    },
    "localizer/wsol_pixels_v2": {
        f"{_WSOL}, evaluation.py: _RESIZE_LENGTH": {"_target_": "WsolEvery", "size": 224},
        "own choice: coarser than the original, which keeps every contour at steps of 0.001": {
            "step": 0.01,
            "contours": 8,
        },
        "own choice: the original has no single box ": {"threshold": 0.2},
    },
    **{
        f"metric/{name}": {
            _DEVKIT: {f"{name}._target_": kind, f"{name}.iou": 0.5},
            _OWN_INTERVAL: {f"{name}.resamples": 10000, f"{name}.seed": 0},
        }
        for name, kind in (
            ("localization", "Localization"),
            ("gt_known", "GtKnown"),
            ("oracle_per_image", "OraclePerImage"),
        )
    },
    "metric/classification": {
        _OWN_INTERVAL: {
            "classification._target_": "Classification",
            "classification.resamples": 10000,
            "classification.seed": 0,
        }
    },
    "metric/anatomy": {
        _DEVKIT: {"anatomy._target_": "Anatomy", "anatomy.of": "predicted", "anatomy.iou": 0.5},
        "Hoiem et al. 2012, §2: an overlap below 0.1 is no localization of the object": {
            "anatomy.touch": 0.1
        },
        "own choice: a box holds an object of which half lies in it": {"anatomy.inside": 0.5},
        _OWN_INTERVAL: {"anatomy.resamples": 10000, "anatomy.seed": 0},
    },
    "metric/max_box_acc": {
        f"{_WSOL}: MaxBoxAcc counts overlaps of 0.5": {
            "max_box_acc._target_": "MaxBoxAcc",
            "max_box_acc.iou": 0.5,
        },
        _OWN_INTERVAL: {"max_box_acc.resamples": 1000, "max_box_acc.seed": 0},
    },
    "metric/max_box_acc_v2": {
        f"{_WSOL}, config.py: iou_threshold_list 30, 50, 70": {
            "max_box_acc_v2._target_": "MaxBoxAccV2",
            "max_box_acc_v2.ious": [0.3, 0.5, 0.7],
        },
        _OWN_INTERVAL: {"max_box_acc_v2.resamples": 1000, "max_box_acc_v2.seed": 0},
    },
}

FACTS = [
    _ramp("gradcam_15", 150, f"{_GRADCAM}: 15 %"),
    _ramp("open_box", 150, f"{_GRADCAM}: 15 %"),
    _ramp("cam_20", 200, f"{_CAM}: 20 %"),
    *map(_largest_segment, ("gradcam_15", "cam_20", "max_box", "open_box")),
    *map(_upsampled, ("gradcam_15", "open_box")),
    *values(VALUES),
]
