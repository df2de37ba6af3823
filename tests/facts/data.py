"""Datasets: their sizes, splits and what of them is counted."""

from collections.abc import Mapping

from facts.shipped import Fact
from facts.values import Stated, values

_WHOLE: Mapping[str, object] = {"limit": None, "order": "id", "seed": 0}
_ALL = "own choice: the whole split in the order of its ids"
_KEPT = "a number of fewer images than the source counts is not its number: a missing one stops the run"

VALUES: Mapping[str, Stated] = {
    "dataset/ilsvrc_val": {
        _ALL: _WHOLE,
        _KEPT: {"missing": "error"},
        "Russakovsky et al. 2015, table 2: 50,000 validation images, 1000 classes": {
            "_target_": "ilsvrc.load",
            "count": 50000,
            "classes": None,
        },
        "ILSVRC devkit, eval_clsloc.m: blacklisted images are left out of localization": {
            "blacklist": "auto"
        },
    },
    "dataset/broden": {
        "Bau et al. 2017, table 1: NetDissect takes train and val": {
            "_target_": "broden.load",
            "split": None,
        },
        _ALL: _WHOLE,
        _KEPT: {"missing": "error"},
    },
    "dataset/ilsvrc_train": {
        _ALL: _WHOLE,
        "Russakovsky et al. 2015, table 2: 1,281,167 training images, 1000 classes": {
            "_target_": "ilsvrc.load_train",
            "count": 1281167,
            "classes": None,
        },
    },
    "dataset/voc2007_train": {
        _ALL: _WHOLE,
        _KEPT: {"missing": "error"},
        "Selvaraju et al. 2017, §5: fine-tuned on PASCAL VOC 2007 train": {
            "_target_": "voc.load",
            "split": "train",
            "year": 2007,
        },
        "VOC 2007 devkit, VOCevaldet.m: difficult objects are annotated; each metric decides": {
            "difficult": "keep"
        },
    },
    "dataset/voc2007": {
        "Selvaraju et al. 2017, §5: visualized on PASCAL VOC 2007 val, by nets of its classes": {
            "split": "val",
            "defaults": ["voc2007_train", {"override /nets/of@_global_.nets": "voc2007"}, "_self_"],
        }
    },
    "dataset/voc2007_test": {
        "Zhang et al. 2016, §4.1: the pointing game on VOC 2007 test, by nets of its classes": {
            "split": "test",
            "defaults": ["voc2007_train", {"override /nets/of@_global_.nets": "voc2007"}, "_self_"],
        }
    },
    "dataset/coco2014": {
        _ALL: _WHOLE,
        _KEPT: {"missing": "error"},
        "Zhang et al. 2016, eval_coco.py: val2014, every annotation, crowds (RLE) included": {
            "_target_": "coco.load",
            "split": "val2014",
            "crowd": "keep",
        },
    },
    "dataset/embedded": {
        "own choice: 480 procedural images of 24 classes, by nets that know them": {
            "defaults": ["ilsvrc_val", {"override /nets/of@_global_.nets": "embedded"}, "_self_"],
            "count": 480,
            "classes": "LOC_synset_mapping.txt",
            "blacklist": "none",
        }
    },
    "dataset/embedded_two": {
        "Selvaraju et al. 2017, §5.1: images with exactly two categories": {"_target_": "montage.load"},
        "own choice: 90 montages of two embedded images each, by nets that know them": {
            "defaults": ["embedded@of", {"override /nets/of@_global_.nets": "embedded"}, "_self_"],
            "count": 90,
            "side": 224,
            "seed": 0,
            "limit": None,
            "of.limit": None,
            "of.order": "id",
        },
    },
    "dataset/embedded_train": {
        "own choice: 6,000 other procedural images of the same classes": {
            "defaults": ["ilsvrc_train", "_self_"],
            "count": 6000,
            "classes": "LOC_synset_mapping.txt",
        }
    },
    "dataset/embedded_tagged": {
        "own choice: 400 procedural images of two classes": {
            "defaults": ["ilsvrc_val", "_self_"],
            "count": 400,
            "classes": "LOC_synset_mapping.txt",
            "blacklist": "none",
        },
        "Selvaraju et al. 2017, §6.3: a balanced test set": {"root.tagged": [0.5, 0.5]},
    },
    "dataset/embedded_tagged_train": {
        "Selvaraju et al. 2017, §6.3: 250 images a class": {
            "defaults": ["ilsvrc_train", "_self_"],
            "count": 500,
            "classes": "LOC_synset_mapping.txt",
        },
        "Selvaraju et al. 2017, §6.3: 78 % of the doctors were men, 93 % of the nurses women": {
            "root.tagged": [0.22, 0.93]
        },
    },
}
FACTS: list[Fact] = [*values(VALUES)]
