"""A small model that answers questions about images, and the same without the image.

The question, read by a GRU, scales and shifts what each cell of a frozen network's maps shows; the rectified
cells are averaged, and a linear layer scores the answers. So the model is differentiable from the answer to
the maps, as the Grad-CAM paper's VQA model is (its section 8.2), and trains on two cores within minutes.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.models.text.lexicon import PAD, Lexicon
from benchmark.models.text.trained import AnswerNet, TextHead, assemble


def load(
    backbone: Model,
    name: str,
    weights: str,
    weights_dir: str | None = None,
    checksums: Any = (),
    width: int = 128,
    note: str = "",
) -> Model:
    """Build the model; see :func:`benchmark.models.text.trained.assemble`.

    ``width`` is the number of channels of questions and cells.
    """
    return assemble(
        lambda channels, lexicon: AnswerHead(channels, lexicon, width),
        backbone,
        name,
        weights,
        weights_dir,
        tuple(checksums),
        note,
        AnswerNet,
    )


class Reader(nn.Module):
    """The state of a GRU after the last word of each text, ``[N, width]``."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width // 2, padding_idx=PAD)
        self.gru = nn.GRU(width // 2, width, batch_first=True)

    def forward(self, numbers: Tensor) -> Tensor:
        """Read texts ``[N, L]``; what fills a text up is not read."""
        states, _ = self.gru(self.embed(numbers))
        last = ((numbers != PAD).sum(1) - 1).clamp(min=0)
        picked: Tensor = states.gather(1, last[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
        return picked


class AnswerHead(TextHead):
    """Scores of answers from maps and a question; and, trained beside it, from the question alone."""

    def __init__(self, channels: int, lexicon: Lexicon, width: int) -> None:
        super().__init__(lexicon)
        answers = max(len(lexicon.targets), 1)
        self.see = nn.Conv2d(channels, width, 1)
        self.read = Reader(lexicon.size, width)
        self.ask = nn.Linear(width, 2 * width)
        self.classifier = nn.Linear(width, answers)
        self.blind = nn.ModuleDict(
            {"read": Reader(lexicon.size, width), "classifier": nn.Linear(width, answers)}
        )

    def forward(self, maps: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return the answers' scores before the softmax, ``[N, T]``."""
        scale, shift = self.ask(self.read(self._numbers(texts, maps.device)))[:, :, None, None].chunk(2, 1)
        cells = F.relu((1 + scale) * self.see(maps) + shift)
        scores: Tensor = self.classifier(cells.mean((2, 3)))
        return scores

    def without_image(self, texts: tuple[str, ...]) -> Tensor:
        """Return the scores of the question-only model, ``[N, T]``."""
        scores: Tensor = self.blind["classifier"](
            F.relu(self.blind["read"](self._numbers(texts, self.see.weight.device)))
        )
        return scores

    def loss(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> Tensor:
        """Return the cross-entropies of both models, whose parameters are apart."""
        seen = F.cross_entropy(self(maps, texts), targets)
        return seen + F.cross_entropy(self.without_image(texts), targets)

    def right(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> dict[str, Tensor]:
        """Return which questions each of both models answers as the dataset does."""
        found = {"answered": self(maps, texts), "question_only": self.without_image(texts)}
        return {name: scores.argmax(1) == targets for name, scores in found.items()}

    def _numbers(self, texts: tuple[str, ...], device: torch.device) -> Tensor:
        return self.lexicon.numbers(texts, device)
