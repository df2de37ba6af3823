"""``./scripts/bench``: time and memory of each method beside the plain forward pass and other packages."""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, replace
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import torch
from omegaconf import DictConfig
from PIL import Image

from benchmark.cli.app.build import build
from benchmark.cli.app.groups import choices, compose
from benchmark.cli.app.words import written
from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.files import refuse_unwritable, write_atomically
from benchmark.core.options import Count, Positive, check
from benchmark.core.protocols import Localizer, Method, Transform
from benchmark.core.provenance import made_by
from benchmark.core.types import Box, ImageArray, Model, View
from benchmark.datasets.images import read_rgb
from benchmark.diagnostics.bench.peers import FLOOR, FLOORED, PEERS, floor
from benchmark.diagnostics.bench.stopwatch import (
    TOGETHER,
    Cost,
    Covers,
    Stopwatch,
    Work,
    covered,
    interleaved,
)
from benchmark.models.forward import INPUT, find_layer, forward_pass
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms.normalize import side_by_side, to_input

_SIZE = (500, 375)
_MAPS = 8  # more than a thread keeps of an image's upsampled maps
_TITLES = (
    *("work", "ms/image", "x plain", "least", "greatest", "turns", "peak MiB", "ours/peer"),
    "of plain speed",
)
_WIDTHS = (42, 9, 8, 8, 9, 6, 9, 10, 15)
_NOTES = (
    "ms/image: on a CPU, of CPU time of all threads; on CUDA, of time; the least of the turns",
    "x plain: multiple of the plain forward pass, taking turns; then the least and greatest of one turn",
    "peak MiB: torch's tensors that lived at once, for the batch, beyond the model and its inputs",
    "ours/peer: our method's time, its forward pass included, as a multiple of this package's or floor's",
    "methods together: of Table 1 (bench.together), as a share of the same methods alone in the same turns",
    "a covered image: one of the hundreds that a heatmap of that method takes; not among all methods",
    "of plain speed: covered images a second as a share of plain ones, at the same batch size",
)
_HOST_SECONDS = 15.0
_LATE = "no time was left; give more with bench.minutes"


def main(cfg: DictConfig) -> int:
    """Print, and write if asked, the costs of one model's methods, each as soon as it is known."""
    began = perf_counter()
    for option in ("images", "repeats"):
        check(f"bench.{option}", cfg.bench[option], Count)
    check("bench.minutes", cfg.bench.minutes, Positive)
    settings: RunSettings = build(cfg.run)
    if settings.torch_device.type not in ("cpu", "cuda"):
        raise UserError(f"run.device={settings.device}: only cpu and cuda can be timed here")
    folder = None if cfg.output is None else Path(cfg.output).expanduser()
    if folder is not None:
        refuse_unwritable(folder)
    methods = _every_method() if cfg.get("method") is None else [build(cfg.method)]
    localizers, transform = {name: build(node) for name, node in cfg.localizers.items()}, build(cfg.transform)
    with reproducible(), settings.autocast():
        bench = _prepare(build(cfg.model), transform, settings, cfg.bench)
        bench.seconds = 54 * cfg.bench.minutes - (perf_counter() - began)  # the start took its part
        conditions = {**_conditions(bench, settings, transform), "minutes": cfg.bench.minutes}
        sheet = _Sheet(conditions, folder)
        try:
            sheet.host(_host(transform, bench.model, localizers, bench.repeats))
            for line in _lines(bench, methods, cfg.bench.together, sheet.not_timed):
                sheet.add(line)
        finally:  # also of what Ctrl-C has stopped
            sheet.end()
    return 0


def _every_method() -> list[Method]:
    return [build(compose([written("method", name)]).method) for name in choices("method")]


def _prepare(model: Model, transform: Transform, settings: RunSettings, options: DictConfig) -> Stopwatch:
    device, form = settings.torch_device, model.input
    model.module.to(device=device, dtype=settings.dtype).to(memory_format=settings.memory_format)
    batch = [to_input(transform(_picture(seed), form.size)[0], form) for seed in range(options.images)]
    views, _ = side_by_side(torch.stack(batch))
    inputs = views.to(device, settings.dtype, memory_format=settings.memory_format)
    logits = forward_pass(model, inputs).logits.detach()
    count = settings.top_k + 1  # a run adds the label's own
    if count > logits.shape[1]:
        raise UserError(f"run.top_k={settings.top_k}: {model.name} has only {logits.shape[1]} outputs")
    return Stopwatch(model, inputs, logits.topk(count).indices, options.repeats, compile=settings.compile)


def _picture(seed: int) -> ImageArray:
    """Draw coarse colours with fine noise, about as hard to decode and to segment as a photograph."""
    draw = np.random.default_rng(seed)
    colours = cv2.resize(draw.integers(0, 256, (12, 16, 3), np.uint8), _SIZE)
    return (colours + draw.normal(0, 8, colours.shape)).clip(0, 255).astype(np.uint8)


def _conditions(bench: Stopwatch, settings: RunSettings, transform: Transform) -> dict[str, Any]:
    return {
        **{"model": bench.model.name, "weights": bench.model.weights.source, "transform": transform.name},
        **{"images": len(bench.inputs), "classes": bench.classes.shape[1], "repeats": bench.repeats},
        **{"precision": settings.precision, "channels_last": settings.channels_last},
        **{"compile": settings.compile},
        **{"threads": torch.get_num_threads(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
        **made_by(bench.inputs.device),
    }


def _lines(
    bench: Stopwatch, methods: Sequence[Method], together: Collection[str], left_out: dict[str, str]
) -> Iterator[Cost]:
    """Time each method that accepts the model with its peers, and some of them ``together``.

    Raises:
        UserError: If no method accepts the model.
    """
    bench.plain()
    # The methods of the table come first; what takes long has what others left.
    ordered = sorted(methods, key=lambda one: (one.name not in together, INPUT in one.layers))
    several = sum(one.name in together for one in ordered)
    bench.waiting = 1 + len(ordered) + several + sum(one.name in PEERS for one in ordered)
    opening = bench.lines({"plain forward pass, again": bench.plain})  # yields nothing the second time
    shared: list[Method] = []
    refused: dict[str, str] = {}
    for number, method in enumerate(ordered):
        if number == several > 1:
            yield from _together(bench, shared, left_out)
        if bench.left > 0 and not _accepts(bench.model, method, refused):
            bench.waiting -= 1
            continue
        yield from opening
        if bench.left <= 0:
            left_out[method.name] = _LATE
        elif isinstance(method, Covers):
            yield from covered(bench, method)
        else:
            yield from _beside_peers(bench, method, left_out)
            shared += [method] if method.name in together else []
    left_out |= refused
    if len(refused) == len(ordered):
        raise UserError(f"no method to time: {'; '.join(refused.values())}")
    if several == len(ordered) > 1:
        yield from _together(bench, shared, left_out)


def _together(bench: Stopwatch, methods: Sequence[Method], left_out: dict[str, str]) -> Iterator[Cost]:
    if bench.left <= 0:
        left_out[TOGETHER] = _LATE
    elif len(methods) > 1:
        yield from bench.together(methods)


def _accepts(model: Model, method: Method, left_out: dict[str, str]) -> bool:
    try:
        method.check(model)
    except UserError as error:
        left_out[method.name] = str(error)
        return False
    return True


def _beside_peers(bench: Stopwatch, method: Method, left_out: dict[str, str]) -> Iterator[Cost]:
    """Time a method, in turn with its floor if it has one; then its peers, which take longer, less often."""
    works: dict[str, Work] = {method.name: lambda: bench.explain([method])}
    if method.name in FLOORED:
        works[f"  {FLOOR}"] = _work(bench, method, floor)
    ours, *others = bench.lines(works, memory=method.name)
    yield from (ours, *(replace(other, ours=ours.ms / other.ms) for other in others))
    peers: dict[str, Work] = {}
    for name, peer in PEERS.get(method.name, {}).items():
        try:
            peers[f"  {name}"] = _work(bench, method, peer)
        except ImportError as error:
            left_out[name] = f"not installed ({error}); see --help"
        except Exception as error:  # another package's, on a model that it may not be made for
            left_out[name] = f"fails on {bench.model.name}: {type(error).__name__}: {error}"
    if peers:
        yield from (replace(peer, ours=ours.ms / peer.ms) for peer in bench.lines(peers))


def _work(bench: Stopwatch, method: Method, peer: Callable[..., Work]) -> Work:
    """Make a peer's work and do it once."""
    layer = find_layer(bench.model, method.layers[0])
    work = peer(bench.model.module, layer, bench.inputs, bench.classes)
    work()
    return work


def _host(
    transform: Transform, model: Model, localizers: Mapping[str, Localizer], repeats: int
) -> dict[str, float]:
    """Time in milliseconds of CPU time what a run does on its threads, in one of them.

    Maps have 14 x 14 cells. A localizer is given another one each time, since what it has upsampled it does
    not upsample again.
    """
    picture, size, view = _picture(0), model.input.size, View(*_SIZE, Box(0, 0, *_SIZE))
    maps = cycle(np.random.default_rng(0).random((_MAPS, 14, 14), dtype=np.float32))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        Image.fromarray(picture).save(path, quality=90)
        works: dict[str, Work] = {
            "decode, an image": lambda: read_rgb(path),
            f"{transform.name}, an image": lambda: to_input(transform(picture, size)[0], model.input),
        }
        for key, one in localizers.items():
            works[f"{key} ({one.name}), a map"] = lambda one=one: one(next(maps), view, picture)  # type: ignore[misc]
            if one.grid:
                works[f"{key}'s curve of {len(one.grid)}"] = lambda one=one: one.curve(next(maps), view)  # type: ignore[misc]
        for work in works.values():
            work()
        times = interleaved(list(works.values()), repeats, torch.device("cpu"), _HOST_SECONDS)
    return {name: 1e3 * min(seconds) for name, seconds in zip(works, times, strict=True)}


class _Sheet:
    """What has been measured so far: printed line by line, and written anew with each line if asked."""

    def __init__(self, conditions: Mapping[str, Any], folder: Path | None) -> None:
        self._folder = folder
        self._found: dict[str, Any] = {"conditions": conditions, "host_ms": {}, "lines": []}
        self.not_timed: dict[str, str] = {}

    def host(self, times: Mapping[str, float]) -> None:
        """Take in the times of what runs on threads."""
        self._found["host_ms"] = dict(times)

    def add(self, line: Cost) -> None:
        """Take in a line."""
        if not self._found["lines"]:
            self._begin()
        self._found["lines"].append(asdict(line))
        print("".join(_cells(_texts(line))).rstrip(), flush=True)
        self._write()

    def _begin(self) -> None:
        print(f"{self._described()}\n\non one CPU thread, {_SIZE[0]}x{_SIZE[1]}, maps of 14x14, ms")
        for name, ms in self._found["host_ms"].items():
            print(f"  {name:<40} {ms:9.2f}")
        print("\n" + "".join(_cells(_TITLES)), flush=True)

    def end(self) -> None:
        """Print what the columns mean, and what is missing."""
        if not self._found["lines"]:
            return
        self._write()
        print("\n" + "\n".join(self._notes()))
        if self._folder is not None:
            print(f"\nwritten: {self._folder / 'bench.json'}, {self._folder / 'bench.md'}")

    def _described(self) -> str:
        return ", ".join(f"{key} {value}" for key, value in self._found["conditions"].items())

    def _notes(self) -> list[str]:
        missing = (f"not timed: {name}: {why}" for name, why in self.not_timed.items())
        return [f"* {note}" for note in (*_NOTES, *missing)]

    def _write(self) -> None:
        if self._folder is None:
            return
        lines = [_texts(Cost(**line)) for line in self._found["lines"]]
        host = [(name, f"{ms:.2f}") for name, ms in self._found["host_ms"].items()]
        tables = ((_TITLES, lines), ((f"on one CPU thread, {_SIZE[0]}x{_SIZE[1]}", "ms"), host))
        rows = [
            "\n".join(f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *body))
            for titles, body in tables
        ]
        text = "\n\n".join([self._described(), *rows, "\n".join(self._notes())])
        found = {**self._found, "not_timed": self.not_timed}
        write_atomically(self._folder / "bench.json", json.dumps(found, indent=2) + "\n")
        write_atomically(self._folder / "bench.md", text + "\n")


def _texts(line: Cost) -> list[str]:
    name, *numbers = astuple(line)
    texts = ["" if n is None else str(n) if isinstance(n, int) else f"{n:.2f}" for n in numbers]
    return [name, *texts]


def _cells(texts: Sequence[str]) -> list[str]:
    first, *others = zip(texts, _WIDTHS, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
