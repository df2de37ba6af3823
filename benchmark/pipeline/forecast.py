"""Forecast what a run costs on a machine, from what the stages of a small part of it cost here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.files import write_atomically
from benchmark.core.options import Checked, Count, Positive, Share
from benchmark.pipeline.exhibits import MOST, exhibit_files
from benchmark.pipeline.scene import shards_of

if TYPE_CHECKING:
    from benchmark.core.stages import Costs

_BY_SHARD = "store"
"""The stage that costs nearly the same for a shard of 16 images as for one of 64."""


@dataclass(frozen=True)
class Machine(Checked, group="forecast"):
    """Where a run is to be made: ``conf/forecast``.

    Attributes:
        name: Its name.
        cores: Cores of all its hosts; ``None`` for those of this one.
        devices: Number of devices that share the work; on a CPU its cores do.
        tflops: Peak of a device, in 10¹² floating-point operations a second, as its maker states it; ``None``
            for the device of this run, as measured.
        share: Part of that peak which is reached.
        images: Number of images; ``None`` for the dataset's.
        probe: Number of images that are measured, spread over the dataset.
    """

    name: str
    cores: Count | None = None
    devices: Count = 1
    tflops: Positive | None = None
    share: Share = 0.3
    images: Count | None = None
    probe: Count = 48


@dataclass(frozen=True)
class Stored:
    """What a part of a run stored.

    Attributes:
        images: Number of its images.
        shards: Bytes of their shards.
        exhibits: Bytes of the heatmaps that picture sheets show, of at most so many images as those show.
        joined: Bytes of the files that have all records of a cell.
    """

    images: int
    shards: int
    exhibits: int = 0
    joined: int = 0


def stored_in(results: Path, images: int) -> Stored:
    """Return what a run of some images stored in its folder."""

    def size(files: Iterable[Path]) -> int:
        return sum(file.stat().st_size for file in files if file.is_file())

    runs = results / "runs"
    shown = size(file for folder in runs.iterdir() for file in exhibit_files(folder))
    return Stored(images, size(runs.rglob("*")) - shown, shown, size(results.glob("records/*/*")))


@dataclass(frozen=True)
class Probe:
    """What a part of a run cost here.

    Attributes:
        costs: Of all stages.
        besides: Seconds for all that is no stage: starting, making the table.
        few: What a smaller part of the run stored.
        many: What this one stored.
        cores: Cores of this machine.
        on_cpu: Whether its device is its cores.
    """

    costs: Costs
    besides: float
    few: Stored
    many: Stored
    cores: int
    on_cpu: bool


@dataclass(frozen=True)
class StageForecast:
    """Seconds that a stage takes for all images, of one core and of one device."""

    model: str
    stage: str
    core: float
    device: float


@dataclass(frozen=True)
class Forecast:
    """What a run costs on a machine.

    Attributes:
        machine: The machine's name, with its devices and cores.
        images: Number of images.
        stages: Its stages.
        seconds: Seconds on the clock, of each model's forward passes with all that is made of them.
        besides: Seconds for all else.
        processor: Seconds of all cores of this machine, were all images measured here.
        bytes: Size of what is stored.
    """

    machine: str
    images: int
    stages: tuple[StageForecast, ...]
    seconds: dict[str, float]
    besides: float
    processor: float
    bytes: int

    @property
    def total(self) -> float:
        """Return the seconds on the clock."""
        return sum(self.seconds.values()) + self.besides

    def write(self, path: Path) -> None:
        """Keep it for the run that it foretells."""
        write_atomically(path, json.dumps(asdict(self), indent=1) + "\n")

    def lines(self) -> Iterator[str]:
        """Yield a table in Markdown, and the sum of it."""
        yield f"{self.images} images on {self.machine}\n"
        yield "| model | stage | core ms an image | device ms an image |\n|---|---|---|---|"
        for one in self.stages:
            core, device = (1000 * seconds / self.images for seconds in (one.core, one.device))
            yield f"| {one.model} | {one.stage} | {core:.2f} | {device:.2f} |"
        yield "\n| model | time | the most of it |\n|---|---|---|"
        for model, seconds in self.seconds.items():
            yield f"| {model} | {duration(seconds)} | {self._bottleneck(model)} |"
        yield f"| all | {duration(self.total)} | {duration(self.besides)} besides the stages |"
        yield f"\ndisk: {self.bytes / 1e6:.1f} MB"

    def _bottleneck(self, model: str) -> str:
        own = [one for one in self.stages if one.model == model]
        return max(own, key=lambda one: max(one.core, one.device)).stage


def read_forecast(path: Path) -> Forecast | None:
    """Read a kept forecast, if there is one."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Forecast(**{**kept, "stages": tuple(StageForecast(**one) for one in kept["stages"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forecast(probe: Probe, machine: Machine, images: int) -> Forecast:
    """Forecast a run of ``images`` images.

    On this machine's own cores, the probe's time an image stands for each. Elsewhere, the cores finish the
    images of a batch while the devices work on the next one, so that the slower of the two decides: seconds
    of cores over their number, against operations over ``tflops * share`` (or the device's own seconds, where
    it is timed here) over the number of devices. Starting the device's work is taken to cost nothing.
    Storing goes by the number of shards, which hold more images of a large dataset.
    """
    images = machine.images or images
    times = images / probe.many.images
    fewer = times - len(shards_of(images)) / len(shards_of(probe.many.images))
    cores = machine.cores or probe.cores
    costs, on_these_cores = probe.costs, probe.on_cpu and machine.tflops is None
    stages: list[StageForecast] = []
    spared = 0.0
    for path in costs.stages:
        on_device = path in costs.device
        device = costs.device[path] if on_device else 0.0
        if on_device and machine.tflops is not None:
            device = costs.operations[path] / (machine.tflops * 1e12 * machine.share)
        core = 0.0 if on_device else times * costs.core[path]
        if path[-1] == _BY_SHARD:
            spared += fewer * costs.core[path]
            core -= fewer * costs.core[path]
        stages.append(StageForecast(path[0], ", ".join(path[1:]), core, times * device))
    processor = times * costs.processor - spared
    seconds = {}
    for model in dict.fromkeys(one.model for one in stages):
        core = sum(one.core for one in stages if one.model == model)
        device = sum(one.device for one in stages if one.model == model)
        seconds[model] = core + device if on_these_cores else max(core / cores, device / machine.devices)
    if on_these_cores:  # the sum is known, and each model's part of it
        whole = times * costs.elapsed - spared if machine.cores is None else processor / cores
        parts = sum(seconds.values())
        seconds = {model: whole * part / parts for model, part in seconds.items()}
    devices = "its device" if machine.devices == 1 else f"{machine.devices} devices"
    peak = f" of {machine.tflops:g} TFLOPS, {machine.share:.0%} reached" if machine.tflops else ""
    name = f"{machine.name}: {devices}{peak}, {cores} cores"
    return Forecast(
        name,
        images,
        tuple(stages),
        seconds,
        probe.besides,
        processor,
        _stored(probe, images),
    )


def _stored(probe: Probe, images: int) -> int:
    """Return the bytes that are stored of some images: some for each shard, and some for each image."""
    few, many = probe.few, probe.many
    shards = len(shards_of(few.images))
    times = len(shards_of(many.images)) / shards
    more = many.images - times * few.images
    an_image = (many.shards - times * few.shards) / more if more > 0 else many.shards / many.images
    a_shard = max(few.shards - few.images * an_image, 0.0) / shards
    shown = many.exhibits * min(images, MOST) / min(many.images, MOST)
    joined = many.joined * images / many.images
    return round(images * an_image + len(shards_of(images)) * a_shard + shown + joined)


def outcome(costs: Costs, foretold: Forecast | None) -> Iterator[str]:
    """Yield what a process spent on stages, the forecast beside it."""
    before = {(one.model, one.stage): one for one in foretold.stages} if foretold else {}
    told = ""
    if foretold:
        of_this = duration(foretold.total - foretold.besides)
        of_all = f"{foretold.images} images on {foretold.machine}"
        told = f"; the forecast of {of_all} was {of_this}, {foretold.processor:.1f} s of cores"
    yield f"measured in {duration(costs.elapsed)}, {costs.processor:.1f} s of cores{told}"
    for path in costs.stages:
        name = (path[0], ", ".join(path[1:]))
        seconds = costs.device[path] if path in costs.device else costs.core[path]
        own = before.get(name)
        beside = f" (forecast {own.core + own.device:.1f} s)" if own else ""
        yield f"  {name[0]}: {name[1]} {seconds:.1f} s{beside}"


def spread(samples: Sequence[object], count: int) -> list[int]:
    """Return the indices of at most ``count`` samples, evenly spread."""
    count = min(count, len(samples))
    return [number * len(samples) // count for number in range(count)]


def duration(seconds: float) -> str:
    """Write seconds as people do.

    >>> duration(0.44), duration(75), duration(5000)
    ('0.4 s', '75 s', '1 h 23 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
