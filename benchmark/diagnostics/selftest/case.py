"""A model on the user's device and in the user's precision, with images and classes to explain."""

import copy
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import ForwardPass, InputFormat, Model, Weights
from benchmark.models.forward import forward_pass
from benchmark.pipeline.settings import RunSettings

_IMAGES = 3
_CLASSES = 3


@dataclass(frozen=True)
class Case:
    """A model with images and classes, on which every check of heatmaps is made.

    Attributes:
        model: The model on the device, in the run's type and memory format.
        methods: Those that accept the model, by name.
        refused: Those that do not, each with its reason.
        inputs: ``[N, 3, S, S]`` likewise.
        classes: ``[N, K]`` int64 outputs; no two images have the same.
        settings: Settings of the run.
    """

    model: Model
    methods: Mapping[str, Method]
    refused: Mapping[str, str]
    inputs: Tensor
    classes: Tensor
    settings: RunSettings

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Compute as a run does: autocast where the precision says so, and nothing that varies."""
        with reproducible(), self.settings.autocast():
            yield

    def has(self, layer: str) -> bool:
        """Return whether the model has this role, or a layer of this name; no check of another applies."""
        return layer in self.model.layers or layer in dict(self.model.module.named_modules())

    def record(
        self, layers: Collection[str], operations: bool = False, rows: slice = slice(None)
    ) -> ForwardPass:
        """Record a forward pass over the images, or over some of them."""
        return forward_pass(self.model, self.inputs[rows], layers, operations)

    def explain(self, rows: slice = slice(None)) -> dict[str, Tensor]:
        """Make heatmaps ``[n, K, h, w]`` of every method from one forward pass, as a run does."""
        layers = sorted({layer for method in self.methods.values() for layer in method.layers})
        with self.arithmetic():
            forward = self.record(layers, any(m.operations for m in self.methods.values()), rows)
            classes = self.classes[rows]
            return {name: method(self.model, forward, classes) for name, method in self.methods.items()}

    def reference(self) -> "Case":
        """Return the same case on the CPU in float64; this one is left as it is."""
        module = copy.deepcopy(self.model.module).to("cpu", torch.float64)
        return replace(
            self,
            model=replace(self.model, module=module.to(memory_format=torch.contiguous_format)),
            inputs=self.inputs.to("cpu", torch.float64, memory_format=torch.contiguous_format),
            classes=self.classes.cpu(),
            settings=RunSettings(device="cpu", precision="float64"),
        )


def prepare(model: Model, methods: Mapping[str, Method], settings: RunSettings) -> Case:
    """Move a model to the run's device and precision, and let each method check it.

    Args:
        model: Changed in place.
        methods: Methods by name.
        settings: Settings of the run.

    Raises:
        UserError: If the device is not here, or the model's scores are not ``[N, C]``.
    """
    device, form = settings.torch_device, settings.memory_format
    model.module.to(device=device, dtype=settings.dtype).to(memory_format=form)
    inputs = _images(model.input).to(device, settings.dtype, memory_format=form)
    accepted, refused = dict(methods), {}
    with reproducible(), settings.autocast():
        outputs = forward_pass(model, inputs[:1]).logits.shape[1]
        for name, method in methods.items():
            try:
                method.check(model)
            except UserError as error:
                refused[name] = str(error)
                del accepted[name]
    numbers = torch.arange(_IMAGES * _CLASSES).view(_IMAGES, _CLASSES) % outputs
    return Case(model, accepted, refused, inputs, numbers.to(device), settings)


def _images(form: InputFormat) -> Tensor:
    """Draw seeded, preprocessed images ``[N, 3, S, S]`` of coloured blots, each exciting other places."""
    generator = torch.Generator().manual_seed(0)
    blots = torch.rand((_IMAGES, 3, 7, 7), generator=generator)
    fine = torch.rand((_IMAGES, 3, form.size, form.size), generator=generator)
    coarse = F.interpolate(blots, size=form.size, mode="bilinear", align_corners=True)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (form.mean, form.std))
    return (form.scale * 255 * (0.8 * coarse + 0.2 * fine) - mean) / std


def normed() -> Model:
    """Build a seeded network with what the Caffe nets lack: batch norm, and an LRN with a strong effect.

    It maps ``[N, 3, 32, 32]`` to 12 logits.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(8)
        for values, low, high in (
            (norm.running_mean, -0.3, 0.3),
            (norm.running_var, 0.5, 2.0),
            (norm.weight, 0.5, 2.0),
            (norm.bias, -0.3, 0.3),
        ):
            nn.init.uniform_(values, low, high)  # type: ignore[arg-type]
        module = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            norm,
            nn.ReLU(),
            nn.LocalResponseNorm(5, alpha=0.5),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 12),
        )
    module.eval().requires_grad_(False)
    layers = {"excitation": "4", "last_conv": "6", "penultimate": "7", "classifier": "9"}
    form = InputFormat(32, (0.4, 0.5, 0.6), (0.2, 0.2, 0.2), scale=1 / 255)
    return Model("normed", module, form, layers, Weights("random (seed 0)", "none"))
