"""Tokens of words: texts as a tokenizer cuts them, and the scores of targets of several tokens."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.models.text.words import best, caption_sum


class Tokens:
    """A tokenizer of transformers, as far as it is needed."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @property
    def end(self) -> int:
        """Return the number of the token that ends a text."""
        found = self.tokenizer.sep_token_id
        return int(self.tokenizer.eos_token_id if found is None else found)

    def of(self, text: str) -> tuple[int, ...]:
        """Return the numbers of a text's tokens, at least one, without those of its ends.

        Raises:
            UserError: If the tokenizer finds nothing in it.
        """
        numbers = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        if not numbers:
            raise UserError(f"model.targets: {text!r} has no token; leave it out")
        return numbers

    def text(self, numbers: Iterable[int]) -> str:
        """Return the text of some tokens up to the first that ends it; "?" for an empty one."""
        kept = []
        for number in numbers:
            if number == self.end:
                break
            kept.append(number)
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip() or "?"

    def padded(self, rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return numbers ``[N, L]``, and where they are tokens and not filled up, ``[N, L]`` bool."""
        longest = max(map(len, rows))
        fill = self.tokenizer.pad_token_id or 0
        numbers = torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], device=device)
        counts = torch.tensor([[place < len(row) for place in range(longest)] for row in rows], device=device)
        return numbers, counts

    def whole(self, texts: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the same of texts with the tokens of their ends."""
        return self.padded([self.tokenizer(text)["input_ids"] for text in texts], device)


def target_scores(steps: Tensor, numbers: Tensor, counts: Tensor, words: Sequence[Sequence[int]]) -> Tensor:
    """Return the caption's sum of log-probabilities, then each word's score, ``[N, 1 + words]``.

    A word's score is the sum over its tokens at its first place in the caption; of a word that is not there,
    the log-probability of its first token at the place where that fits best.

    Args:
        steps: ``[N, L, V]`` log-probabilities of all tokens at each place.
        numbers: ``[N, L]`` the caption's token at each place.
        counts: ``[N, L]`` whether there is one.
        words: Tokens of each word.
    """
    fits = best(steps, counts)
    chosen = steps.gather(2, numbers[..., None])[..., 0]
    rows = [row[:length] for row, length in zip(numbers.tolist(), counts.sum(1).tolist(), strict=True)]
    columns = [caption_sum(steps, numbers, counts)]
    for word in words:
        places = [_find(row, word) for row in rows]
        columns.append(
            torch.stack(
                [
                    fits[image, word[0]] if place is None else chosen[image, place : place + len(word)].sum()
                    for image, place in enumerate(places)
                ]
            )
        )
    return torch.stack(columns, 1)


def _find(row: Sequence[int], word: Sequence[int]) -> int | None:
    """Return the first place of a word's tokens in a row, or ``None``."""
    starts = range(len(row) - len(word) + 1)
    return next((start for start in starts if list(row[start : start + len(word)]) == list(word)), None)


def answer_scores(
    follow: Callable[[Tensor], Tensor],
    answers: Sequence[Sequence[int]],
    start: int,
    images: int,
    device: torch.device,
) -> Tensor:
    """Return the sum of the log-probabilities of each answer's tokens, ``[N, T]``.

    Args:
        follow: Gives scores ``[N, L, V]`` of the token after each of ``[N, L]``.
        answers: Tokens of each answer.
        start: Token that begins every answer.
        images: N.
        device: Of the scores.
    """
    columns = []
    for answer in answers:
        begun = torch.tensor([[start, *answer[:-1]]], device=device).expand(images, -1)
        steps = follow(begun).log_softmax(2)
        wanted = torch.tensor([answer], device=device).expand(images, -1)
        columns.append(steps.gather(2, wanted[..., None])[..., 0].sum(1))
    return torch.stack(columns, 1)
