"""Checks of numbers: neither the batch nor the device may change a heatmap."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from benchmark.diagnostics.selftest.bounds import network
from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import Deviation, Subjects, relative

Heatmaps = Mapping[str, Tensor]


def batch_is_its_images(subjects: Subjects) -> Iterator[Deviation]:
    """Check that a batch gives each of its images the heatmaps that it gets alone."""
    for case in subjects.cases:
        alone = [case.explain(slice(row, row + 1)) for row in range(len(case.inputs))]
        wanted = {name: torch.cat([maps[name] for maps in alone]) for name in case.methods}
        yield from _compared(case, case.explain(), wanted)


def device_agrees_with_float64(subjects: Subjects) -> Iterator[Deviation]:
    """Check that the device in the chosen precision gives what the CPU gives in float64."""
    for case in subjects.cases:
        yield from _compared(case, case.explain(), case.reference().explain())


def _compared(case: Case, measured: Heatmaps, wanted: Heatmaps) -> Iterator[Deviation]:
    for name, method in case.methods.items():
        bound = network(case.settings, to_the_pixels="input" in method.layers)
        yield Deviation(f"{case.model.name}/{name}", relative(measured[name], wanted[name]), bound)
