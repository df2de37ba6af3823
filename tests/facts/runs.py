"""The rows of Table 1, and what every run has in common."""

from collections.abc import Mapping

from facts.shipped import TABLE, Fact, Shipped
from facts.values import Stated, values

_PAPER = "Selvaraju et al. 2017"


def _row(net: str, method: str, localizer: str) -> tuple[str, list[str]]:
    row = f"table.rows.{net.removesuffix('_cam')}/{method}"
    return row, [f"model=${{nets.{net}}}", f"method={method}", f"localizer={localizer}"]


VALUES: Mapping[str, Stated] = {
    TABLE: {
        f"{_PAPER}, Table 1": {"table.published": "table1"},
        f"{_PAPER}, §4.1: Simonyan et al. use GrabCut": dict([_row("vgg16", "backprop", "grabcut")]),
        "own choice, Grad-CAM's rule; theirs was GrabCut of unknown parameters": dict(
            _row(net, "c_mwp", "gradcam_15") for net in ("vgg16", "alexnet")
        ),
        f"{_PAPER}, §4.1: 15 % of the maximum": dict(
            _row(net, "grad_cam", "gradcam_15") for net in ("vgg16", "alexnet", "googlenet")
        ),
        "Zhou et al. 2016, §3.2: 20 % of the maximum, on nets with global average pooling": dict(
            _row(net, "cam", "cam_20") for net in ("vgg16_cam", "googlenet")
        ),
        f"{_PAPER}, §3.1: on such a net Grad-CAM is CAM": {
            "table.same_boxes": [["googlenet/grad_cam", "googlenet/cam"]]
        },
    },
    "config": {
        f"{_PAPER}, misc/utils.lua: the whole image, warped": {"defaults.3.transform": "warp"},
        "own choice: the embedded images, a net that fits every method, Grad-CAM and its rule": {
            "defaults.0.nets": "full",
            "defaults.1.nets/of@nets": None,
            "defaults.2.dataset": "embedded",
            "defaults.4.model": "googlenet_compact",
            "defaults.5.method": "grad_cam",
            "defaults.6.localizer": "gradcam_15",
            "defaults.8.tracking": "mlflow",
            "defaults.9.run": "default",
            "defaults.10.task": "boxes",
            "defaults.11.forecast": None,
            "defaults.12": "base",
            "defaults.14.experiment": None,
            "table": None,
            "row": None,
        },
        "own choice: every metric there is": {
            "defaults.7.metric": [
                *("classification", "localization", "gt_known"),
                *("max_box_acc", "max_box_acc_v2", "oracle_per_image"),
            ]
        },
    },
    "forecast/here": {
        "own choice: this machine as it is, a minute's worth of images": {
            "_target_": "Machine",
            "name": "this machine",
            "cores": None,
            "devices": 1,
            "tflops": None,
            "images": None,
            "probe": 48,
        },
        "own choice: a third of the peak, as convolutions of small batches reach": {"share": 0.3},
    },
    "forecast/h100": {
        "NVIDIA H100 datasheet, SXM5: 66.9 TFLOPS in FP32": {
            "defaults.0": "here",
            "name": "H100",
            "tflops": 66.9,
        },
        "own choice: one GPU's share of a host of 128 cores": {"cores": 16},
    },
    "run/default": {
        "ILSVRC devkit, eval_clsloc.m: up to five guesses an image": {"top_k": 5},
        "own choice: the precision of the authors' Caffe": {"precision": "float32"},
        "own choice: it can move the last bit": {"batch_size": 16, "channels_last": False, "compile": None},
        "a number of fewer images than the source counts is not its number": {"unreadable": "error"},
        "the types of these options": {
            "_target_": "RunSettings",
            "defaults": [{"/schema@_here_": "run"}, "_self_"],
        },
    },
}


def _names_its_experiment(shipped: Shipped, name: str) -> None:
    raw = shipped.raw(name)
    for runs in raw["paper"]["runs"].values():
        for experiment, words in runs.items():
            assert words[0] == f"experiment={experiment}"


FACTS: list[Fact] = [
    *values(VALUES),
    Fact(
        "task/paper",
        ("task", "paper"),
        "each run is of the experiment whose name it has",
        "own choice: an experiment for each of the paper's sections, on the user's images if there are any",
        _names_its_experiment,
    ),
]
