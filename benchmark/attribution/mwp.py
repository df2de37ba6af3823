"""Marginal winning probability: excitation backprop without contrast (Zhang et al., ECCV 2016)."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.attribution.common.excitation import walk
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import rehearse


@dataclass(frozen=True)
class MWP:
    """``M^c_ij = Σ_k P(a^k_ij)``, the probabilities that a layer's units win given that class ``c`` has won.

    ``P(a_j) = Σ_i P(a_j|a_i) P(a_i)`` with ``P(a_j|a_i) = a_j W+_ij / Σ_j' a_j' W+_ij'``, layer by layer
    (:mod:`benchmark.attribution.common.excitation`). Source: Zhang et al., §3.2, equations 1 to 3 and 5;
    protocol §4.1 to §4.3.

    Attributes:
        name: Key in ``conf/method``.
        layer: Role or dotted module name of the layer to read; none is given for Table 1 (protocol §4.5).
        operations: Whether it walks the recorded operations.
    """

    name: str = "mwp"
    layer: str = "excitation"
    operations: bool = field(default=True, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.layer,)

    def check(self, model: Model) -> None:
        """Explain one image of noise.

        Raises:
            UserError: Where the layer has no maps, or an operation after it has no rule.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Heatmaps ``[N, K, h, w]`` at the layer's resolution, each of sum 1 less the mass that was lost."""
        feature_maps(model, forward, self.layer)
        return walk(model, forward, classes, self.layer).sum(2)
