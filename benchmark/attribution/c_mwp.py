"""Contrastive marginal winning probability (Zhang et al., ECCV 2016), the paper's c-MWP rows."""

from dataclasses import dataclass, field

from torch import Tensor

from benchmark.attribution.common.class_activation import feature_maps
from benchmark.attribution.common.excitation import walk
from benchmark.core.options import Checked
from benchmark.core.types import ForwardPass, Model
from benchmark.models.forward import rehearse


@dataclass(frozen=True)
class ContrastiveMWP(Checked, group="method"):
    """Contrastive MWP: ``M^c_ij = max(Σ_k (P(a^k_ij) − P̄(a^k_ij)), 0)``.

    ``P`` are the winning probabilities of a layer's units given that class ``c`` has won, and ``P̄`` those
    given that its opposite has: a unit whose weights in the classifier are negated. The two are subtracted
    at the classifier's input and propagated down together; values below 0 are cut off after the sum over
    channels. Source: Zhang et al., §3.3; protocol §4.4.

    Attributes:
        name: The method's key in ``conf/method``.
        layer: Role or dotted module name of the layer to read; the paper states none for Table 1
            (protocol §4.5).
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str = "c_mwp"
    layer: str = "excitation"
    operations: bool = field(default=True, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Name what the method reads of a forward pass."""
        return (self.layer,)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: Where the layer has no maps, an operation after it has no rule, or the model's role
                ``classifier`` is not one linear or convolution layer after it.
        """
        rehearse(self, model)

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return heatmaps ``[N, K, h, w]`` at the layer's resolution, ``>= 0``."""
        feature_maps(model, forward, self.layer)
        return walk(model, forward, classes, self.layer, contrastive=True).sum(2).clamp(min=0)
