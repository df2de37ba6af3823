"""What our own models of texts share: a frozen network's maps, and a file of all that was trained on them."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file as read_tensors
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.provenance import fingerprint
from benchmark.core.targets import texts_of
from benchmark.core.types import Model, Weights
from benchmark.models.text.lexicon import Lexicon
from benchmark.models.weights.files import find, verified

LEXICON = "lexicon"
"""Name of the tensor of the words in a file of weights."""


class TextNet(nn.Module):
    """A frozen network up to its last maps, and a trained head that looks at maps and a text.

    Attributes:
        cnn: Maps ``[N, 3, S, S]`` to ``[N, C, h, w]``.
        head: Maps the maps and the texts to target scores; replaced when it is trained.
        texts: The images' texts, set by :func:`benchmark.core.targets.bound`.
    """

    def __init__(self, cnn: nn.Module, head: "TextHead") -> None:
        super().__init__()
        self.cnn = cnn
        self.head = head
        self.texts: tuple[str, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return target scores ``[N, T]`` of images with their texts.

        Raises:
            UserError: If there is not one text for each image.
        """
        texts, maps = texts_of(self, x), self.cnn(x)
        self.texts = self.head.completed(maps, texts)
        scores: Tensor = self.head(maps, self.texts)
        return scores


class AnswerNet(TextNet):
    """One whose head also answers without the image."""

    def without_image(self) -> Tensor:
        """Return the scores ``[N, T]`` of the question-only model for the texts that are bound."""
        scores: Tensor = self.head.without_image(self.texts or ())  # type: ignore[operator]
        return scores


class TextHead(nn.Module, ABC):
    """The trained part of a model.

    Attributes:
        lexicon: Its words and targets.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self.lexicon = lexicon

    def completed(self, maps: Tensor, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts with those that the model itself makes where there are none."""
        return texts

    @abstractmethod
    def loss(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> Tensor:
        """Return what a training makes small, for maps of images with their texts and targets ``[N]``."""

    @abstractmethod
    def right(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> dict[str, Tensor]:
        """Return by name which images the model is right about, ``[N]`` bool; the first is the main one."""


H = TypeVar("H", bound=TextHead)


def assemble(
    build: Callable[[int, Lexicon], TextHead],
    backbone: Model,
    name: str,
    weights: str,
    weights_dir: str | None,
    checksums: tuple[str, ...],
    note: str,
    kind: type[TextNet] = TextNet,
) -> Model:
    """Put a trained head onto a frozen network.

    Args:
        build: Builds the head, of a number of channels and a lexicon.
        backbone: The network below; its maps are those of its role ``last_conv``.
        name: The model's key.
        weights: File of the head; ``random`` for one that is still to be trained and knows no word.
        weights_dir: Folder in which a file without a folder is looked for.
        checksums: As for every model.
        note: A remark on the weights.
        kind: What puts both together.

    Raises:
        UserError: If the file is missing, damaged or of another model, or the network below has no such maps.
    """
    cnn, channels = _up_to_maps(backbone)
    role = f"cnn.{backbone.layers['last_conv']}"
    if weights == "random":
        head, known = build(channels, Lexicon()), Weights("random", fingerprint([]), note)
    else:
        path = find(weights, weights_dir)
        known = verified(path, checksums, note)
        head = _filled(build, channels, path)
    both = fingerprint([known.sha256, backbone.weights.sha256])
    source = f"{known.source} on {backbone.weights.source}"
    module = kind(cnn, head).eval().requires_grad_(False)
    told = Weights(source, both, note)
    return Model(name, module, backbone.input, {"last_conv": role}, told, head.lexicon.targets or None)


def _up_to_maps(backbone: Model) -> tuple[nn.Sequential, int]:
    """Return the layers of a network up to its last maps, and the number of their channels."""
    last, module = backbone.layers.get("last_conv", ""), backbone.module
    children = OrderedDict(module.named_children())
    if last not in children or not isinstance(module, nn.Sequential):
        raise UserError(
            f"model@model.backbone={backbone.name}: its last maps are no part of a plain sequence of layers; "
            "choose a GoogLeNet of this package"
        )
    kept = list(children)[: list(children).index(last) + 1]
    cnn = nn.Sequential(OrderedDict((name, children[name]) for name in kept)).eval()
    size = backbone.input.size
    with torch.no_grad():
        return cnn, cnn(torch.zeros(1, 3, size, size)).shape[1]


def _filled(build: Callable[[int, Lexicon], TextHead], channels: int, path: Path) -> TextHead:
    try:
        state = read_tensors(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: cannot be read as weights ({error}); train the model again") from None
    if LEXICON not in state:
        raise UserError(f"{path}: has no list of words, so it is no model of texts; name another file")
    head = build(channels, Lexicon.of(state.pop(LEXICON), str(path)))
    try:
        head.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(
            f"{path}: of another model ({reason}); name its own file, or choose its model@model.backbone="
        ) from None
    return head
