"""What ``./scripts/run`` does for a person who types little."""

from collections.abc import Mapping, Sequence

_CELL = {"experiment", "model", "method", "localizer"}
_PLACES = {"dataset", "dataset.root", "dataset.images", "dataset.ground_truth"}
_VARIABLE = "BENCHMARK_ILSVRC"
_PAIRS = ("experiment=occlusion", "experiment=occlusion_googlenet", "experiment=pointing")
_FEW = ("dataset.limit=120", "dataset.order=stratified")
"""Images for experiments that take hundreds of forward passes an image: minutes on two cores."""
EXPERIMENT, DATASET, MODEL = "experiment=table1", "dataset=embedded", "model=vgg16_compact"
NOTICE = (
    "this is the embedded default, procedural images and compact nets; dataset.root=DIR names ILSVRC's images"
)


def completed(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words of a command line, with what goes without saying.

    Who names neither an experiment nor a part of a cell means Table 1. Who names no images gets the embedded
    ones (and a notice, once the command is found to be in order); few of them where an image takes long.

    Args:
        words: As typed.
        environment: Where ``BENCHMARK_ILSVRC`` may name the images.
    """
    keys = {word.partition("=")[0].lstrip("+") for word in words if not word.startswith("-")}
    if any(word in ("-h", "--help", "--hydra-help", "--version") for word in words):
        return list(words)
    added = [] if keys & _CELL else [EXPERIMENT]
    if not keys & _PLACES and not environment.get(_VARIABLE):
        single = "experiment" not in keys and not added
        added += [DATASET, *([MODEL] if single and "model" not in keys else [])]
        few = () if keys & {"dataset.limit", "dataset.list"} or not set(words) & set(_PAIRS) else _FEW
        added += [word for word in few if word.partition("=")[0] not in keys]
    return [*words, *added]
