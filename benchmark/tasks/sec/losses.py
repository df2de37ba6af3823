"""SEC's three losses (Kolesnikov and Lampert, ECCV 2016, §3.2-3.4; its code, ``pylayers.py``).

``p`` are probabilities ``[N, C + 1, n]`` of n cells, of which channel 0 is the background. Each loss is a
mean over the images, ``[]``.
"""

from functools import lru_cache

import torch
from torch import Tensor

Q_FOREGROUND, Q_BACKGROUND = 0.996, 0.999
"""Decay of the weights of global weighted rank pooling."""


def seed_loss(p: Tensor, seeds: Tensor) -> Tensor:
    """Return ``-1/|S| Σ_{(c, u) in S} log p_cu``, S all seeds of an image; an image without a seed gives 0.

    Args:
        p: Probabilities.
        seeds: ``[N, n]`` class of each cell, 0 the background; any number above C where no seed is.
    """
    marked = seeds < p.shape[1]
    chosen = p.gather(1, torch.where(marked, seeds, 0)[:, None]).squeeze(1)
    logs = torch.where(marked, chosen.log(), 0)
    return -(logs.sum(dim=1) / marked.sum(dim=1).clamp(min=1)).mean()


def pooled(p: Tensor, decay: float) -> Tensor:
    """Return global weighted rank pooling ``Σ_j d^j p_(j) / Σ_j d^j`` over cells; ``p_(0)`` is the largest.

    With decay 0 it is the maximum, with 1 the mean. ``[..., n]`` to ``[...]``.
    """
    weights = _weights(p.shape[-1], decay).to(p)
    ranked: Tensor = p.sort(dim=-1, descending=True).values
    return ranked @ weights


@lru_cache(maxsize=8)
def _weights(cells: int, decay: float) -> Tensor:
    powers = decay ** torch.arange(cells, dtype=torch.float64)
    return powers / powers.sum()


def expand_loss(p: Tensor, present: Tensor) -> Tensor:
    """Return the loss that image labels give: classes there are large enough, others nowhere.

    ``- mean over present c of log G(p_c; 0.996) - mean over absent c of log(1 - max p_c)
    - log G(p_0; 0.999)``, G the global weighted rank pooling.

    Args:
        p: Probabilities.
        present: ``[N, C]`` whether an image holds each class, without the background.
    """
    there, absent = present.to(p), 1 - present.to(p)
    grown = pooled(p[:, 1:], Q_FOREGROUND).log()
    nowhere = (1 - p[:, 1:].amax(dim=-1)).log()
    of_present = (there * grown).sum(dim=1) / there.sum(dim=1).clamp(min=1)
    of_absent = (absent * nowhere).sum(dim=1) / absent.sum(dim=1).clamp(min=1)
    return -(of_present + of_absent + pooled(p[:, 0], Q_BACKGROUND).log()).mean()


def constrain_loss(p: Tensor, smooth: Tensor) -> Tensor:
    """Return the mean over cells of ``Σ_c q_c log(q_c / p_c)``, q the CRF's marginals, held fixed."""
    fixed = smooth.detach()
    return (fixed * (fixed.log() - p.log())).sum(dim=1).mean()
