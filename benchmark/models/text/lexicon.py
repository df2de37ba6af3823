"""The words that a model of ours reads and the targets that it scores, as they stand in its weights file."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from benchmark.core.errors import UserError

PAD, UNKNOWN, START, END = range(4)
"""Numbers of no word: what fills a shorter text up, a word that is not known, both ends of a caption."""
FIRST = 4
"""Number of the first word."""
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True)
class Lexicon:
    """The words of the texts and the identifiers of the targets, both in the order of their numbers.

    Attributes:
        words: Words of questions or captions; the first has the number :data:`FIRST`.
        targets: Identifiers of the scores, the model's classes.
    """

    words: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Return how many numbers a word can have, those of no word included."""
        return FIRST + len(self.words)

    def numbers(self, texts: Sequence[str], device: torch.device) -> Tensor:
        """Return the words' numbers ``[N, L]`` int64; shorter texts are filled up at their end."""
        number = {word: FIRST + place for place, word in enumerate(self.words)}
        rows = [[number.get(word, UNKNOWN) for word in words_of(text)] for text in texts]
        longest = max([1, *map(len, rows)])
        return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows]).view(-1, longest).to(device)

    def text(self, numbers: Iterable[int]) -> str:
        """Return the words of some numbers up to the end of the caption, as a text."""
        found = []
        for number in numbers:
            if number == END:
                break
            if number >= FIRST:
                found.append(self.words[number - FIRST])
        return " ".join(found)

    def stored(self) -> Tensor:
        """Return the lexicon as a tensor, which a file of weights can hold: UTF-8 json, uint8."""
        return torch.tensor(list(json.dumps(asdict(self)).encode()), dtype=torch.uint8)

    @classmethod
    def of(cls, stored: Tensor, file: str) -> "Lexicon":
        """Read what :meth:`stored` returned.

        Raises:
            UserError: If ``file``, of which it is, holds anything else.
        """
        try:
            content = json.loads(bytes(stored.tolist()).decode())
            return cls(tuple(map(str, content["words"])), tuple(map(str, content["targets"])))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"{file}: its list of words cannot be read; train the model again") from None


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation.

    >>> words_of("What's on the desk, left?")
    ["what's", 'on', 'the', 'desk', 'left']
    """
    return _WORD.findall(text.lower())
