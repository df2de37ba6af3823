"""What methods have in common: what they read of a forward pass, and how they are tried on a model."""

from dataclasses import dataclass, field

from benchmark.core.options import Checked
from benchmark.core.types import Model
from benchmark.models.forward import INPUT, rehearse


@dataclass(frozen=True)
class LayerMethod(Checked, group="method"):
    """A method that reads the maps of one layer.

    Attributes:
        name: The method's key in ``conf/method``.
        layer: Role or dotted module name. For Grad-CAM the paper takes the last convolution after
            its ReLU (protocol §1.2); for excitation backprop it states none (protocol §4.5).
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str
    layer: str
    operations: bool = field(default=False, init=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Name what the method reads of a forward pass."""
        return (self.layer,)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: If the layer does not exist or has no maps, or an operation after it has no rule.
        """
        rehearse(self, model)  # type: ignore[arg-type]  # each method has a __call__ of its own


@dataclass(frozen=True)
class InputMethod(Checked, group="method"):
    """A method that differentiates a class's score at the input.

    Attributes:
        name: The method's key in ``conf/method``.
        layers: What the method reads of a forward pass.
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    name: str
    layers: tuple[str, ...] = field(default=(INPUT,), init=False)
    operations: bool = field(default=False, init=False)

    def check(self, model: Model) -> None:
        """Check that the method can explain the model, by explaining one image of noise.

        Raises:
            UserError: If the forward pass cannot be recorded, or a rule cannot be set at every ReLU.
        """
        rehearse(self, model)  # type: ignore[arg-type]  # each method has a __call__ of its own
