"""A small captioner in the manner of neuraltalk2: a GRU that begins with what a frozen network shows."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.types import Model
from benchmark.models.text.lexicon import END, FIRST, PAD, START, UNKNOWN, Lexicon
from benchmark.models.text.trained import TextHead, assemble
from benchmark.models.text.words import caption_sum, word_scores

LONGEST = 20
"""Words of a caption that the model makes, at most."""


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

    ``width`` is the number of units of the GRU.
    """
    return assemble(
        lambda channels, lexicon: CaptionHead(channels, lexicon, width),
        backbone,
        name,
        weights,
        weights_dir,
        tuple(checksums),
        note,
    )


class CaptionHead(TextHead):
    """Log-probabilities of a caption and its words: targets ``<caption>``, then all words.

    Where an image has no caption, the model makes one, the likeliest word at each place; the caption of
    covered images is that of the whole image, since it is bound to it.
    """

    def __init__(self, channels: int, lexicon: Lexicon, width: int) -> None:
        super().__init__(lexicon)
        self.see = nn.Conv2d(channels, width, 1)
        self.begin = nn.Linear(width, width)
        self.embed = nn.Embedding(lexicon.size, width // 2, padding_idx=PAD)
        self.gru = nn.GRU(width // 2, width, batch_first=True)
        self.out = nn.Linear(width, lexicon.size)

    def forward(self, maps: Tensor, texts: tuple[str, ...]) -> Tensor:
        """Return target scores ``[N, 1 + words]``."""
        numbers = self.lexicon.numbers(texts, maps.device)
        counts = numbers != PAD
        steps = self._steps(maps, numbers).log_softmax(2)
        words = word_scores(steps, numbers, counts)[:, FIRST:]
        return torch.cat([caption_sum(steps, numbers, counts)[:, None], words], 1)

    def _steps(self, maps: Tensor, numbers: Tensor) -> Tensor:
        """Return the scores of the word at each place, ``[N, L, V]``, after the words before it."""
        before = torch.cat([torch.full_like(numbers[:, :1], START), numbers[:, :-1]], 1)
        states, _ = self.gru(self.embed(before), self._begin(maps))
        scores: Tensor = self.out(states)
        return scores

    def _begin(self, maps: Tensor) -> Tensor:
        """Return the GRU's first state ``[1, N, width]``."""
        return torch.tanh(self.begin(F.relu(self.see(maps)).mean((2, 3))))[None]

    @torch.no_grad()
    def completed(self, maps: Tensor, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Make captions where there are none."""
        lacking = [place for place, text in enumerate(texts) if not text]
        if not lacking:
            return texts
        made = dict(zip(lacking, self.made(maps[lacking]), strict=True))
        return tuple(made.get(place, text) for place, text in enumerate(texts))

    @torch.no_grad()
    def made(self, maps: Tensor) -> list[str]:
        """Return the caption of each image, the likeliest word at each place."""
        state = self._begin(maps)
        word = torch.full((len(maps), 1), START, device=maps.device)
        words = []
        for place in range(LONGEST):
            states, state = self.gru(self.embed(word), state.contiguous())
            scores = self.out(states)
            scores[..., [PAD, UNKNOWN, START, *([] if place else [END])]] = -torch.inf
            word = scores.argmax(2)
            words.append(word)
        return [self.lexicon.text(row) for row in torch.cat(words, 1).tolist()]

    def loss(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> Tensor:
        """Return the cross-entropy of each next word and of the caption's end."""
        numbers = F.pad(self.lexicon.numbers(texts, maps.device), (0, 1), value=PAD)
        ends = (numbers != PAD).sum(1, keepdim=True)
        numbers = numbers.scatter(1, ends, END)
        return F.cross_entropy(self._steps(maps, numbers).flatten(0, 1), numbers.flatten(), ignore_index=PAD)

    def right(self, maps: Tensor, texts: tuple[str, ...], targets: Tensor) -> dict[str, Tensor]:
        """Return which captions the model makes word by word as they stand, without their order, and in part.

        ``some_word`` is of captions that share a word with the given one beyond what all share.
        """
        made = self.made(maps)
        pairs = [(one.split(), other.split()) for one, other in zip(made, texts, strict=True)]
        return {
            "caption": torch.tensor([one == other for one, other in pairs]),
            "same_words": torch.tensor([sorted(one) == sorted(other) for one, other in pairs]),
        }
