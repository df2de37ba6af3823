"""Contrastive marginal winning probability (Zhang et al., ECCV 2016), the paper's c-MWP rows."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.attribution.common.excitation import walk
from benchmark.attribution.common.method import LayerMethod
from benchmark.core.types import ForwardPass, Model


@dataclass(frozen=True)
class ContrastiveMWP(LayerMethod):
    """Contrastive MWP: ``M^c_ij = max(Σ_k (P(a^k_ij) − P̄(a^k_ij)), 0)``.

    ``P`` are the winning probabilities of a layer's units given that class ``c`` has won, and ``P̄`` those
    given that its opposite has: a unit whose weights in the classifier are negated. The two are subtracted
    at the classifier's input and propagated down together; values below 0 are cut off after the sum over
    channels. Source: Zhang et al., §3.3; protocol §4.4.
    """

    name: str = "c_mwp"
    layer: str = "excitation"
    operations: bool = field(default=True, init=False)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0``."""
        feature_maps(model, forward, self.layer)
        return walk(model, forward, classes, self.layer, contrastive=True).sum(2).clamp(min=0)
