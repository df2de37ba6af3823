"""Vision-language models of the package transformers, from a local folder; nothing is ever downloaded.

BLIP, GIT and vision-encoder-decoder models make captions, BLIP and ViLT answer questions
(:mod:`benchmark.models.text.vision_language`).
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.options import Count, check
from benchmark.core.targets import CAPTION
from benchmark.core.text_lists import read_class_list
from benchmark.core.types import InputFormat, Model, Weights
from benchmark.models.text.tokens import Tokens
from benchmark.models.text.vision_language import KINDS, FolderNet
from benchmark.models.weights.files import digest_of

VISUAL = "visual"
"""The layer whose output is the map of the last visual tokens."""
_TOKENIZER = ("tokenizer.json", "vocab.txt", "vocab.json")
_NEEDED = (("config.json",), ("model.safetensors",), ("preprocessor_config.json",), _TOKENIZER)


def load(
    folder: str,
    name: str,
    targets: str | Sequence[str] | None = None,
    note: str = "",
    size: int | None = None,
) -> Model:
    """Read a model from a folder that ``save_pretrained`` of model, tokenizer and image processor has made.

    Args:
        folder: The folder.
        name: The model's key.
        targets: Answers, or words of captions, that are scored: a list, or a file with one a line. ``None``
            for the answers that the model itself names (ViLT).
        note: A remark on the weights.
        size: Side of the input, pixels; ``None`` for the model's own.

    Raises:
        UserError: If transformers is not installed, a file is missing or damaged, or the model is of no kind
            that is known here.
    """
    check("model.size", size, Count | None)
    place = _checked(Path(folder).expanduser())
    try:
        transformers = import_module("transformers")
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()  # it tells of a wrong file at length
    except ImportError:
        raise UserError(
            "model=multimodal: needs the package transformers; type .venv/bin/python -m pip install "
            "--editable '.[multimodal]'"
        ) from None
    module, form, own = _read(transformers, place, size)
    chosen = _targets(targets, own, name)
    module.scored(chosen)
    classes = (CAPTION, *chosen) if module.captions else chosen
    weights = Weights(place.name, digest_of(place, sum(_NEEDED, ())), note)
    return Model(name, module.eval().requires_grad_(False), form, {"last_conv": VISUAL}, weights, classes)


def _checked(place: Path) -> Path:
    for names in _NEEDED:
        if not any((place / name).is_file() for name in names):
            remedy = "save model, tokenizer and image processor there with save_pretrained, or name another"
            raise UserError(f"model.folder={place}: lacks {' or '.join(names)}; {remedy} (docs/language.md)")
    return place


def _read(
    transformers: Any, place: Path, size: int | None
) -> tuple["FolderNet", InputFormat, tuple[str, ...]]:
    try:
        config = transformers.AutoConfig.from_pretrained(place, local_files_only=True)
        kind = next(iter(config.architectures or ()), "")
        adapter = KINDS.get(kind)
        if adapter is None:
            raise UserError(
                f"model.folder={place}: {kind or 'it names no architecture'}; known are {', '.join(KINDS)}"
            )
        options = {"local_files_only": True, "use_safetensors": True, "attn_implementation": "eager"}
        net, found = getattr(transformers, kind).from_pretrained(place, output_loading_info=True, **options)
        if lacking := sorted(found["missing_keys"]):  # which the package would fill with random numbers
            raise UserError(
                f"{place / 'model.safetensors'}: lacks {lacking[0]} ({len(lacking)} so); get it again"
            )
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
        seen = transformers.AutoImageProcessor.from_pretrained(place, local_files_only=True)
        mean, std = (tuple(map(float, values)) for values in (seen.image_mean, seen.image_std))
    except UserError:
        raise
    except Exception as error:  # a wrong file may lead the package to raise anything
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"model.folder={place}: cannot be read ({reason}); get its files again") from None
    module: FolderNet = adapter(net, Tokens(tokenizer))
    if size is not None and size % module.patch:  # the rest would be cut off without a word
        raise UserError(f"model.size={size}: must be a multiple of {module.patch}, the side of a patch")
    labels = getattr(config, "id2label", None) or {}
    names = tuple(str(labels[number]) for number in sorted(labels)) if module.names_answers else ()
    return module, InputFormat(size or module.size, mean, std, scale=1 / 255), names  # type: ignore[arg-type]


def _targets(given: str | Sequence[str] | None, own: tuple[str, ...], name: str) -> tuple[str, ...]:
    if own and given is not None:
        raise UserError(f"model.targets: {name} has {len(own)} answers of its own; leave the option out")
    if isinstance(given, str):
        listed = read_class_list(Path(given).expanduser(), "give model.targets= a list, one a line")
        return tuple(each.identifier for each in listed)
    chosen = own if given is None else tuple(map(str, given))
    if not chosen:
        raise UserError(f"model.targets: {name} names no answers of its own; give a list, or a file of them")
    return chosen
