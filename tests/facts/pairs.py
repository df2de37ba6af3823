"""What is asked of pairs of image and class: faithfulness, the pointing game, deletion and insertion."""

from collections.abc import Mapping

from facts.shipped import Fact
from facts.values import Stated, values

_POINTING = "Zhang et al. 2016, eval_coco.py: a circle of radius 15 around the maximum"
_RISE = "Petsiuk et al. 2018, Evaluation.ipynb"
_UNSAID = "own choice: Selvaraju et al. 2017, §5.3, do not say"
_ALL = "own choice: every image that fits"


def _of(name: str, **values: object) -> Mapping[str, object]:
    return {f"{name}.{key}": value for key, value in values.items()}


VALUES: Mapping[str, Stated] = {
    "pair_metric/pointing_game": {
        _POINTING: _of("pointing_game", _target_="PointingGame", tolerance=15),
        _ALL: _of("pointing_game", leave_out=[]),
    },
    "pair_metric/pointing_recall": {
        _POINTING: _of("pointing_recall", _target_="PointingRecall", tolerance=15),
        "Selvaraju et al. 2017, §4.3: the top 5 class predictions": _of("pointing_recall", best=5),
        "own choice: the paper's threshold is not stated, so it is chosen on the other half": _of(
            "pointing_recall", threshold=None, quantiles=51
        ),
    },
    "pair_metric/rank_correlation": {
        f"{_UNSAID}, rank correlation is Spearman's": _of(
            "rank_correlation", _target_="RankCorrelation", coefficient="spearman", sign="signed"
        ),
        _UNSAID: _of("rank_correlation", constant="zero", difficult="leave_out"),
        "own choice: 14 x 14, as Das et al. 2016 by what is remembered, and 28 x 28": _of(
            "rank_correlation", grids=[14, 28]
        ),
    },
    "pair_metric/counterfactual": {_ALL: _of("counterfactual", _target_="Counterfactual", limit=None)},
    "pair_metric/deletion_insertion": {
        _RISE: _of("deletion_insertion", _target_="DeletionInsertion"),
    },
    "reading/summary": {
        "own choice: 14 x 14, as Das et al. 2016 by what is remembered, and 28 x 28": _of(
            "summary", _target_="Summary", grids=[14, 28]
        )
    },
    "reading/deletion_insertion": {
        f"{_RISE}: 224 * 8 of 224 * 224 pixels a step": _of(
            "deletion_insertion", _target_="DeletionInsertionAreas", steps=28
        ),
        f"{_RISE}: deletion to zeros after normalisation, insertion from a blurred image": _of(
            "deletion_insertion", fill="mean", start="blur"
        ),
        f"{_RISE}: ksig = 5, klen = 11": _of("deletion_insertion", sigma=5.0, radius=5),
        f"{_RISE}: the model ends in a softmax": _of("deletion_insertion", score="softmax"),
    },
    "reading/box": {
        "Selvaraju et al. 2017, §4.1: 15 %, the largest segment; own choice: corners touch": {
            "box._target_": "MapBoxReading",
            "box.localizer._target_": "MaxBox",
            "box.localizer.threshold": 0.15,
            "box.localizer.connectivity": 8,
        },
    },
    "reading/region": {
        "own choice: the regions are the user's": _of("region", _target_="RegionReading", folder=None),
    },
    "pair_metric/region_mass": {
        "own choice: the mean over classes alone": _of("region_mass", _target_="RegionMass", classes=[]),
    },
    "reading/adversarial": {
        "the name: the same readings of the attacked image": _of(
            "adversarial",
            _target_="AdversarialReading",
            **{"of.summary": "${reading.summary}", "of.box": "${reading.box}"},
        ),
        "Madry et al. 2018, §5: 8 levels of 255": _of("adversarial", epsilon=8),
        "own choice: a level a step, as many as take BVLC GoogLeNet there and some": _of(
            "adversarial", step=1.0, steps=40, start="clean", seed=0
        ),
        "Selvaraju et al. 2017, §6.2: airliner above 0.9999": _of("adversarial", enough=0.9999),
        "Kurakin et al. 2017, §2.3: the least likely class": _of("adversarial", target=None),
    },
    "pair_metric/adversarial": {
        "Selvaraju et al. 2017, §6.2: airliner above 0.9999": _of(
            "adversarial", _target_="Adversarial", sure=0.9999
        ),
        "ILSVRC devkit, eval_clsloc.m: an overlap below 0.5 is an error": _of("adversarial", iou=0.5),
        _POINTING: _of("adversarial", tolerance=15),
        "own choice: 14 x 14, as Das et al. 2016 by what is remembered": _of("adversarial", grid=14),
    },
    "reading/picture": {"ramprs/grad-cam: image.toDisplayTensor": _of("picture", _target_="MapPicture")},
    "reading/neurons": {
        "Selvaraju et al. 2017, §7: the top-5 and bottom-5 neurons by α of the last convolution": _of(
            "neurons", _target_="TopNeurons", count=5, layer="last_conv"
        )
    },
    "pair_metric/neuron_names": {
        "Selvaraju et al. 2017, §7: a neuron is named where IoU > 0.05": _of(
            "neuron_names", _target_="NamedNeurons", least=0.05
        ),
        "own choice: permutations of the names, seeded; names come from the user's csv": _of(
            "neuron_names", table=None, shuffles=200, seed=0
        ),
    },
    "concepts/embedded": {"datasets/embedded/classes.py": {"_target_": "EmbeddedConcepts"}},
    "concepts/voc": {
        "VOC devkit: SegmentationClass, numbers in the order of the sorted classes": {
            "_target_": "MaskFolder",
            "names": "${package:}/models/voc2007_classes.txt",
            "folder": "SegmentationClass",
            "category": "object",
        }
    },
    "concepts/broden": {
        "Bau et al. 2017, §2.1: six categories": {"_target_": "BrodenMasks", "categories": None}
    },
    "task/neurons": {
        "Bau et al. 2017, §2.2: P(a > T) = 0.005": {
            "task._target_": "Dissection",
            "task.quantile": 0.995,
        },
        "Selvaraju et al. 2017, §7: IoU > 0.05": {"task.least": 0.05},
        "Broden 1.0: masks of 112 pixels for images of 224": {"task.side": 112},
        "own choice: bootstrap resamples of the 95 % interval, seeded; the default's own concepts": {
            "task.resamples": 1000,
            "task.seed": 0,
            "defaults": [{"/concepts": "embedded"}],
        },
    },
    "classes/labelled": {
        _UNSAID: {"_target_": "Labelled", "difficult": False, "only": None, "one": False},
    },
    "classes/predicted": {"the name: the network's best class": {"_target_": "Predicted", "count": 1}},
    "classes/labelled_and_top5": {
        "Selvaraju et al. 2017, §4.3: the top 5 beside the labelled": {"_target_": "LabelledAndTop5"}
    },
    "task/boxes": {"Table 1": {"task._target_": "BoxTask"}},
    "task/study": {
        "Selvaraju et al. 2017, §5.1: 90 image-category pairs": {
            "defaults": ["pairs", "_self_"],
            "task._target_": "StudyTask",
            "study._target_": "StudyOptions",
            "study.pairs": 90,
        },
        "own choice: the paper does not say": {"study.trust": 90, "study.seed": 0, "study.side": 320},
    },
    "task/pairs": {
        "Selvaraju et al. 2017, §5.3: rank correlation with occlusion maps": {
            "task._target_": "PairTask",
            "defaults": [
                {"/classes": "labelled"},
                {"/reading": ["summary"]},
                {"/pair_metric": ["rank_correlation"]},
                {"/method@reference": "occlusion"},
                "_self_",
            ],
        },
        "own choice: bootstrap resamples of the 95 % interval, seeded": {
            "bootstrap._target_": "Resampling",
            "bootstrap.resamples": 10000,
            "bootstrap.seed": 0,
        },
    },
}
FACTS: list[Fact] = [*values(VALUES)]
