"""Weakly supervised segmentation: SEC's seeds and losses, and the masks that they are held against."""

from collections.abc import Mapping

from facts.shipped import Fact
from facts.values import Stated, values

_SEC = "Kolesnikov and Lampert 2016 (SEC)"
_SEEDS = f"{_SEC}, weak-localization/*.ipynb"
_PART = "own choice: the whole list in the order of its ids"

VALUES: Mapping[str, Stated] = {
    "pair_metric/seeds": {
        f"{_SEEDS}: heat map > 0.2 max; the lowest int(0.1 * 41 ** 2) of the saliency": {
            "seeds._target_": "Seeds",
            "seeds.share": 0.2,
            "seeds.background": 0.1,
        },
        "own choice: with a dense CRF as well": {"seeds.crf": True},
    },
    "reading/seeds": {
        f"{_SEEDS}: the gradient at conv4_1; here the early layer that each model's yaml names": {
            "seeds._target_": "SeedMaps",
            "seeds.layer": "excitation",
        },
        "own choice: the method's own maps": {"seeds.cues": None},
    },
    "task/sec": {
        f"{_SEC}, train.prototxt: trained on seeds, measured on other images": {
            "task._target_": "SecTask",
            "defaults": [
                {"/classes": "labelled"},
                {"/reading": ["seeds"]},
                {"/pair_metric": ["seeds"]},
                {"/method@reference": None},
                {"/dataset@val_set": "embedded_masks"},
                {"/model@features": "vgg16_compact"},
                {"/segmenter@task.training": "head"},
                "_self_",
            ],
        },
        "own choice: a small head on frozen activations, a minute on two cores": {
            "task.layer": "last_conv",
        },
        "own choice: bootstrap resamples of the 95 % interval, seeded": {
            "bootstrap._target_": "Resampling",
            "bootstrap.resamples": 10000,
            "bootstrap.seed": 0,
        },
    },
    "segmenter/head": {
        "own choice: a minute on two cores": {
            "_target_": "SecTraining",
            "hidden": 64,
            "epochs": 6,
            "batch_size": 8,
            "rate": 0.003,
            "seed": 0,
        },
    },
    "segmenter/deeplab": {
        f"{_SEC}, training/solver.prototxt and train.prototxt": {
            "_target_": "DeepLabTraining",
            "iterations": 8000,
            "batch_size": 15,
            "rate": 0.001,
            "every": 2000,
            "seed": 0,
        },
        f"{_SEC}, README.md: DeepLab's VGG-16 of 20 million parameters": {
            "weights": "vgg16_20M.caffemodel",
            "width": 1.0,
        },
    },
    "dataset/voc2012": {
        _PART: {"limit": None, "after": 0, "order": "id", "seed": 0},
        "a number of fewer images than the source counts is not its number: a missing one stops the run": {
            "missing": "error"
        },
        "VOC 2012 devkit: ImageSets/Segmentation/train.txt, by nets of its classes": {
            "_target_": "voc.load_masks",
            "split": "train",
            "year": 2012,
            "defaults": [{"override /nets/of@_global_.nets": "voc2007"}, "_self_"],
        },
    },
    "dataset/embedded_masks": {
        "own choice: the 480 procedural images of 24 classes, by nets that know them": {
            "defaults": ["voc2012", {"override /nets/of@_global_.nets": "embedded"}, "_self_"],
            "count": 480,
            "folders.images": "Data/CLS-LOC/val",
            "folders.masks": "SegmentationClass/val",
            "classes": "LOC_synset_mapping.txt",
            "split": None,
        }
    },
}
FACTS: list[Fact] = [*values(VALUES)]
