"""The dense CRF (Krähenbühl and Koltun, NIPS 2011, ICML 2013) on grids small enough for an exact kernel.

Mean field: ``Q ← softmax(U + Σ_m w_m K_m Q)`` from ``Q = softmax(U)``, where ``K = D^-1/2 k D^-1/2`` and
``k_ij = exp(-|f_i - f_j|² / 2)``, of positions (smoothness) or positions and colours (appearance). 41 x 41
cells have a kernel of 1681 x 1681, so that nothing is approximated by a lattice as in the authors' code.
"""

from __future__ import annotations

from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

_FAR = log(1e-10)
LEAST = 1e-4
"""SEC's ``min_prob``, which keeps probabilities from 0; their sum stays 1."""


class Crf(NamedTuple):
    """The parameters of SEC's code (``krahenbuhl2013.CRF``) for an image reduced to about a twelfth.

    Attributes:
        appearance: Weight of the kernel of positions and colours.
        smoothness: Weight of the kernel of positions alone.
        far: Standard deviation of positions in the first, cells: 80 pixels of the image.
        near: In the second: 3 pixels.
        colour: Of colours in the first, of 0…255.
        iterations: Mean-field steps.
    """

    appearance: float = 10.0
    smoothness: float = 3.0
    far: float = 80 / 12
    near: float = 3 / 12
    colour: float = 13.0
    iterations: int = 10

    def kernel(self, image: Tensor) -> Tensor:
        """Return the weighted sum of both kernels ``[h w, h w]`` of an image ``[h, w, 3]`` in 0…255."""
        import torch

        places = _places(*image.shape[:2]).to(image.device)
        colours = image.reshape(-1, 3).float()
        both = torch.cat([places / self.far, colours / self.colour], dim=1)
        smooth = _smoothness(*image.shape[:2], self.near).to(image.device)
        return self.appearance * _normalised(both) + self.smoothness * smooth

    def infer(self, kernel: Tensor, scores: Tensor) -> Tensor:
        """Return the marginals ``[…, C, h w]`` of scores ``[…, C, h w]``, such as logits."""
        marginals = scores.softmax(dim=-2)
        for _ in range(self.iterations):
            marginals = (scores + marginals @ kernel).softmax(dim=-2)
        return marginals


def at_least(probabilities: Tensor) -> Tensor:
    """Return probabilities ``[…, C, n]`` of which none is below about 1e-4, as SEC keeps them from 0."""
    raised = probabilities.clamp(min=LEAST)
    return raised / raised.sum(dim=-2, keepdim=True)


def _places(height: int, width: int) -> Tensor:
    import torch

    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows, columns], dim=-1).reshape(-1, 2).float()


@lru_cache(maxsize=4)
def _smoothness(height: int, width: int, near: float) -> Tensor:
    return _normalised(_places(height, width) / near)


def _normalised(features: Tensor) -> Tensor:
    """Return the normalised kernel; an entry below 1e-10 is 0, since subnormal numbers cost seventy times."""
    import torch

    apart = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    exponents = apart.square_().mul_(-0.5)
    far = exponents < _FAR
    near = exponents.masked_fill_(far, 0.0).exp_().masked_fill_(far, 0.0)
    scale = near.sum(dim=1).rsqrt()
    return near.mul_(scale[:, None]).mul_(scale)
