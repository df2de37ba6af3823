"""The forecast of a run, from a part of it that is measured in a folder of its own and thrown away."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmark.core.device import cores
from benchmark.core.errors import UserError
from benchmark.core.stages import Costs, accounted
from benchmark.pipeline.forecast import (
    Machine,
    Probe,
    Stored,
    forecast,
    outcome,
    read_forecast,
    spread,
    stored_in,
)

if TYPE_CHECKING:
    from benchmark.tasks.task import Experiment, Task

_WARM_UP = 2  # images, of which operations are counted; what is made on first use is made by them


def tell_forecast(task: Task, experiment: Experiment, machine: Machine) -> None:
    """Measure a part of an experiment, print what the whole takes, and keep it beside the results.

    Raises:
        UserError: If not one row can be measured, or if this is one of several workers.
    """
    workers = experiment.settings.workers
    if workers > 1:
        raise UserError(
            f"run.workers={workers}: one process makes a forecast, without it; forecast.devices={workers} "
            "and forecast.cores, those of all hosts, are for so many"
        )
    try:
        _tell_forecast(task, experiment, machine)
    except KeyboardInterrupt as error:
        error.args = ("a forecast keeps nothing, the same command begins anew",)
        raise


def _tell_forecast(task: Task, experiment: Experiment, machine: Machine) -> None:
    total = len(experiment.dataset.samples)
    few, counted, _ = _tried(task, experiment, _WARM_UP, operations=machine.tflops is not None)
    began = perf_counter()
    many, costs, lacking = _tried(task, experiment, machine.probe)
    besides = perf_counter() - began - costs.elapsed
    for path, operations in counted.operations.items():
        costs.operations[path] = operations * many.images // few.images
    on_cpu = experiment.settings.torch_device.type == "cpu"
    probe = Probe(costs, besides, few, many, cores(), on_cpu)
    found = forecast(probe, machine, total)
    print(
        f"forecast from {many.images} of {total} images of {experiment.dataset.name}:",
        *found.lines(),
        sep="\n",
    )
    for line in lacking:
        print(f"not in it: {line}")
    found.write(forecast_file(experiment))


def tell_costs(experiment: Experiment, costs: Costs) -> None:
    """Say what this process spent on stages, beside the forecast if there was one."""
    if costs.elapsed:
        foretold = read_forecast(forecast_file(experiment))
        if foretold and foretold.images != len(experiment.dataset.samples):
            foretold = None
        print(*outcome(costs, foretold), sep="\n", file=sys.stderr)


def forecast_file(experiment: Experiment) -> Path:
    """Return where the forecast of an experiment is kept."""
    return experiment.runs / "forecasts" / f"{experiment.name}-{experiment.dataset.fingerprint[:12]}.json"


def _tried(
    task: Task, experiment: Experiment, count: int, operations: bool = False
) -> tuple[Stored, Costs, Sequence[str]]:
    dataset: Any = experiment.dataset
    chosen = tuple(dataset.samples[index] for index in spread(dataset.samples, count))
    with TemporaryDirectory(prefix="forecast-") as folder, accounted(operations=operations) as costs:
        part = replace(dataset, samples=chosen)
        made = task.run(replace(experiment, dataset=part, results=Path(folder)))
        costs.settle()
        stored = stored_in(Path(folder), len(chosen))
    return stored, costs, [f"{row.row}: {row.reason}" for row in made.table.open]
