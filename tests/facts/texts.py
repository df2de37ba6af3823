"""Questions, captions, and the models and numbers that are of them."""

from collections.abc import Mapping

from facts.models import of_package
from facts.shipped import Fact
from facts.values import Stated, values

_WHOLE: Mapping[str, object] = {"limit": None, "order": "id"}
_ALL = "own choice: every text in the order of its ids"
_LISTED = {_ALL: {**_WHOLE, "seed": 0}}
_ASK = "own choice: three questions about what the generator drew"
_TELL = "own choice: a caption of what the generator drew, given and not made"
_NAME = "a first try at these data (data/README.md): captions made of the classes present"
_EASY = "easy-VQA, README: 38,575 training and 9,673 test questions"
_DAQUAR = "Malinowski and Fritz 2014: 6,795 training and 5,673 test questions"
_PAPER = "Selvaraju et al. 2017"


def _made(name: str, net: str, kind: str, width: int, hashed: bool = False) -> Stated:
    return {
        f"own choice: a head of {width} channels on the maps of {net}": {
            "defaults": [f"{net}@backbone", "_self_"],
            "_target_": f"{kind}.load",
            "width": width,
            "weights": f"{name}.safetensors",
        },
        **({} if hashed else {"ours to make, with ./scripts/train": {"checksums": []}}),
    }


def _over(base: str, source: str, **own: object) -> Stated:
    return {source: {"defaults": [base, "_self_"], **own}}


VALUES: Mapping[str, Stated] = {
    "dataset/embedded_vqa": {
        _ASK: {
            "defaults": ["embedded@of", "_self_"],
            "_target_": "texts.load",
            "texts": "questions",
        },
        _ALL: {"of.limit": None, "of.order": "id"},
    },
    "dataset/embedded_vqa_train": {
        _ASK: {
            "defaults": ["embedded_train@of", "_self_"],
            "_target_": "texts.load",
            "texts": "questions",
        },
        _ALL: _WHOLE,
    },
    "dataset/embedded_captions": {
        _TELL: {
            "defaults": ["embedded@of", "_self_"],
            "_target_": "texts.load",
            "texts": "captions",
            "given": True,
        },
        _ALL: {"of.limit": None, "of.order": "id"},
    },
    "dataset/embedded_captions_train": {
        _TELL: {
            "defaults": ["embedded_train@of", "_self_"],
            "_target_": "texts.load",
            "texts": "captions",
            "given": True,
        },
        _ALL: _WHOLE,
    },
    "dataset/voc2007_captions": {
        _NAME: {
            "defaults": ["voc2007@of", "_self_"],
            "_target_": "class_captions.load",
            "given": True,
        },
        _ALL: _WHOLE,
    },
    "dataset/voc2007_captions_train": {
        _NAME: {
            "defaults": ["voc2007_train@of", "_self_"],
            "_target_": "class_captions.load",
            "given": True,
        },
        _ALL: _WHOLE,
    },
    "dataset/easy_vqa": {_EASY: {"_target_": "easy_vqa.load", "split": "test"}, **_LISTED},
    "dataset/easy_vqa_train": _over("easy_vqa", _EASY, split="train"),
    "dataset/daquar": {_DAQUAR: {"_target_": "daquar.load", "split": "test"}, **_LISTED},
    "dataset/daquar_train": _over("daquar", _DAQUAR, split="train"),
    "model/vqa_easy": {
        **_made("vqa_easy", "googlenet_bvlc", "answering", 128),
        "own choice: twice the images' 64 pixels, and a layer that knows colours": {
            "backbone.input.size": 128,
            "backbone.layers.last_conv": "inception_4a",
        },
    },
    "model/vqa_daquar": _made("vqa_daquar", "googlenet_bvlc", "answering", 128),
    "model/caption_voc2007": _made("caption_voc2007", "googlenet_bvlc", "captioning", 256),
    "model/vqa_embedded": _made("vqa_embedded", "googlenet_compact", "answering", 128, True),
    "model/caption_embedded": _made("caption_embedded", "googlenet_compact", "captioning", 128, True),
    "model/multimodal": {
        "own choice: what the folder says, and every answer that the model names": {
            "_target_": "folder.load",
            "targets": None,
            "size": None,
        }
    },
    "method/centre": {
        "own choice: half of the mass within about 0.3 of the side from the middle": {
            "_target_": "Centre",
            "sigma": 0.25,
        }
    },
    "classes/answer": {f"{_PAPER}, §8.2: the score of the answer": {"_target_": "AnswerPolicy"}},
    "reading/in_out": {f"{_PAPER}, §8.1: inside and outside the box": {"in_out._target_": "InOut"}},
    "reading/answers": {
        "own choice: beside the question-only baseline": {"answers._target_": "AnswersReading"}
    },
    "pair_metric/in_out": {
        f"{_PAPER}, §8.1: ratio of the mean inside to the mean outside": {
            "in_out._target_": "InOutRatio",
            "in_out.caption": None,
        }
    },
    "pair_metric/answer_accuracy": {
        "Malinowski and Fritz 2014: accuracy is the exact answer": {
            "answer_accuracy._target_": "AnswerAccuracy"
        }
    },
    "pair_metric/human_correlation": {
        "Das et al. 2016, by what is remembered: 14 x 14": {
            "human_correlation._target_": "HumanCorrelation",
            "human_correlation.grid": 14,
            "human_correlation.folder": None,
        }
    },
}
FACTS: list[Fact] = [*values(VALUES), *map(of_package, ("vqa_embedded", "caption_embedded"))]
