"""The target scores of a caption: its words' log-probabilities, and their sum."""

import torch
from torch import Tensor


def caption_sum(steps: Tensor, numbers: Tensor, counts: Tensor) -> Tensor:
    """Return the sum of the words' log-probabilities ``[N]``, without the end of the caption.

    It is the paper's target for captions: ones at the log-probability of each word (protocol §7.9).

    Args:
        steps: ``[N, L, V]`` log-probabilities of all words at each place.
        numbers: ``[N, L]`` number of the caption's word at each place.
        counts: ``[N, L]`` whether there is a word.
    """
    chosen = steps.gather(2, numbers[..., None])[..., 0]
    return (chosen * counts).sum(1)  # guided backpropagation would take torch.where for a ReLU


def word_scores(steps: Tensor, numbers: Tensor, counts: Tensor) -> Tensor:
    """Return each word's log-probability ``[N, V]``: at its first place in the caption.

    A word that is not in the caption has that of the place where it would fit best.

    Args:
        steps: ``[N, L, V]`` log-probabilities of all words at each place.
        numbers: ``[N, L]`` number of the caption's word at each place.
        counts: ``[N, L]`` whether there is a word.
    """
    scores = best(steps, counts)
    for place in reversed(range(steps.shape[1])):  # so that the first place of a word is written last
        own = numbers[:, place : place + 1]
        there = counts[:, place, None].to(scores)
        here = steps[:, place].gather(1, own) * there + scores.gather(1, own) * (1 - there)
        scores = scores.scatter(1, own, here)
    return scores


def best(steps: Tensor, counts: Tensor) -> Tensor:
    """Return each word's highest log-probability ``[N, V]`` over the places that count.

    It is a sum and a maximum, for guided backpropagation would take a fill for a ReLU.
    """
    outside = torch.zeros(counts.shape, device=steps.device, dtype=steps.dtype)
    return (steps + outside.masked_fill(~counts, -torch.inf)[..., None]).amax(1)
