"""Marginal winning probability: excitation backprop without contrast (Zhang et al., ECCV 2016)."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.attribution.common.excitation import walk
from benchmark.attribution.common.method import LayerMethod
from benchmark.core.types import ForwardPass, Model


@dataclass(frozen=True)
class MWP(LayerMethod):
    """MWP: ``M^c_ij = Σ_k P(a^k_ij)``, the probabilities that a layer's units win if class ``c`` has won.

    ``P(a_j) = Σ_i P(a_j|a_i) P(a_i)`` with ``P(a_j|a_i) = a_j W+_ij / Σ_j' a_j' W+_ij'``, layer by layer
    (:mod:`benchmark.attribution.common.excitation`). Source: Zhang et al., §3.2, equations 1 to 3 and 5;
    protocol §4.1 to §4.3.
    """

    name: str = "mwp"
    layer: str = "excitation"
    operations: bool = field(default=True, init=False)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution; each sums to 1 less lost mass."""
        feature_maps(model, forward, self.layer)
        return walk(model, forward, classes, self.layer).sum(2)
