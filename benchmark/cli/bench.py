"""``./scripts/bench``: time and memory of each method beside the plain forward pass and other packages."""

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from omegaconf import DictConfig
from PIL import Image
from rich import box
from rich.console import Console
from rich.table import Table

from benchmark.cli.app.build import build
from benchmark.cli.app.groups import choices, compose
from benchmark.cli.app.words import written
from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.files import refuse_unwritable, write_atomically
from benchmark.core.options import Count, check
from benchmark.core.protocols import Localizer, Method, Transform
from benchmark.core.provenance import made_by
from benchmark.core.types import Box, ImageArray, Model, View
from benchmark.datasets.images import read_rgb
from benchmark.diagnostics.bench.peers import PEERS
from benchmark.diagnostics.bench.stopwatch import Cost, Covers, Stopwatch, Work, covered, interleaved
from benchmark.models.forward import find_layer, forward_pass
from benchmark.pipeline.settings import RunSettings
from benchmark.transforms.normalize import side_by_side, to_input

_SIZE = (500, 375)
_TITLES = (
    *("work", "ms/image", "x plain", "least", "greatest", "method x plain", "peak MiB", "ours/peer"),
    "of plain speed",
)
_NOTES = (
    "x plain: multiple of the plain forward pass just before; median, least and greatest of the pairs",
    "method x plain: the method alone, on a forward pass that is there already",
    "peak MiB: torch's tensors that lived at once, for the batch, beyond the model and its inputs",
    "ours/peer: time of our method, its forward pass included, as a multiple of this package's",
    "a covered image: one of the hundreds that a heatmap of that method takes; not among all methods",
    "of plain speed: covered images a second as a share of plain ones, at the same batch size",
)


def main(cfg: DictConfig) -> int:
    """Print, and write if asked, the costs of one model's methods."""
    for option, value in cfg.bench.items():
        check(f"bench.{option}", value, Count)
    settings: RunSettings = build(cfg.run)
    if settings.torch_device.type not in ("cpu", "cuda"):
        raise UserError(f"run.device={settings.device}: only cpu and cuda can be timed here")
    folder = None if cfg.output is None else Path(cfg.output).expanduser()
    if folder is not None:
        refuse_unwritable(folder)
    methods = _every_method() if cfg.get("method") is None else [build(cfg.method)]
    localizers, transform = {name: build(node) for name, node in cfg.localizers.items()}, build(cfg.transform)
    left_out: dict[str, str] = {}
    with reproducible(), settings.autocast():
        bench = _prepare(build(cfg.model), transform, settings, cfg.bench)
        found: dict[str, Any] = {"conditions": _conditions(bench, settings, transform)}
        found["lines"] = list(_lines(bench, methods, left_out))
    found["host_ms"] = _host(transform, bench.model, localizers, bench.repeats)
    found["not_timed"] = left_out
    wide = max(Console().width, 120)  # a narrower one would shorten numbers
    _print(found, Console(width=wide, highlight=False, markup=False))
    if folder is not None:
        _write(found, folder)
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
    return Stopwatch(model, inputs, logits.topk(count).indices, options.repeats)


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
        **{"threads": torch.get_num_threads(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
        **made_by(bench.inputs.device),
    }


def _lines(bench: Stopwatch, methods: Sequence[Method], left_out: dict[str, str]) -> Iterator[Cost]:
    """Time each method that accepts the model, its peers, and all methods together.

    Raises:
        UserError: If no method accepts the model.
    """
    yield bench.line("plain forward pass, again", bench.plain)
    alone, accepted, covering = [], [], False
    for method in methods:
        try:
            method.check(bench.model)
        except UserError as error:
            left_out[method.name] = str(error)
            continue
        if isinstance(method, Covers):
            yield from covered(bench, method)
            covering = True
            continue
        accepted.append(method)
        alone.append(_alone(bench, method))
        yield alone[-1]
        yield from _peers(bench, method, alone[-1].plain, left_out)
    if not accepted and not covering:
        raise UserError(f"no method to time: {'; '.join(left_out.values())}")
    if len(accepted) > 1:
        yield bench.line("all methods, one forward pass", lambda: bench.explain(accepted))
        yield Cost("sum of them alone", sum(line.ms for line in alone), sum(line.plain for line in alone))


def _alone(bench: Stopwatch, method: Method) -> Cost:
    """Time a method with a forward pass of its own, and without."""
    line = bench.line(method.name, lambda: bench.explain([method]))
    forward = bench.record([method])
    without = bench.line(f"{method.name} alone", lambda: bench.explain([method], forward), memory=False)
    return replace(line, method=without.plain)


def _peers(bench: Stopwatch, method: Method, ours: float, left_out: dict[str, str]) -> Iterator[Cost]:
    for name, peer in PEERS.get(method.name, {}).items():
        layer = find_layer(bench.model, method.layers[0])
        try:
            work = peer(bench.model.module, layer, bench.inputs, bench.classes)
            line = bench.line(f"  {name}", work)
        except ImportError as error:
            left_out[name] = f"not installed ({error}); see --help"
        except Exception as error:  # another package's, on a model that it may not be made for
            left_out[name] = f"fails on {bench.model.name}: {type(error).__name__}: {error}"
        else:
            yield replace(line, ours=ours / line.plain)


def _host(
    transform: Transform, model: Model, localizers: Mapping[str, Localizer], repeats: int
) -> dict[str, float]:
    """Time in milliseconds what a run does on its threads, in one of them."""
    picture, size, view = _picture(0), model.input.size, View(*_SIZE, Box(0, 0, *_SIZE))
    heatmap = (np.random.default_rng(0).random((size, size)) ** 4).astype(np.float32)
    print("timing the localizers", file=sys.stderr)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        Image.fromarray(picture).save(path, quality=90)
        works: dict[str, Work] = {
            "decode, an image": lambda: read_rgb(path),
            f"{transform.name}, an image": lambda: to_input(transform(picture, size)[0], model.input),
        }
        for key, one in localizers.items():
            works[f"{key} ({one.name}), a map"] = lambda one=one: one(heatmap, view, picture)  # type: ignore[misc]
            if one.grid:
                works[f"{key}'s curve of {len(one.grid)}"] = lambda one=one: one.curve(heatmap, view)  # type: ignore[misc]
        times = interleaved(list(works.values()), repeats, torch.device("cpu"))
    return {name: 1e3 * median(seconds) for name, seconds in zip(works, times, strict=True)}


def _print(found: Mapping[str, Any], console: Console, style: box.Box | None = None) -> None:
    console.print(", ".join(f"{key} {value}" for key, value in found["conditions"].items()), soft_wrap=True)
    host = (f"on one CPU thread, {_SIZE[0]}x{_SIZE[1]}", "ms")
    rows = [astuple(line) for line in found["lines"]]
    for titles, values in ((_TITLES, rows), (host, found["host_ms"].items())):
        table = Table(box=style, padding=(0, 1), pad_edge=False)
        for title in titles:
            table.add_column(title, justify="right" if table.columns else "left")
        for name, *numbers in values:
            table.add_row(name, *("" if number is None else f"{number:.2f}" for number in numbers))
        console.print()
        console.print(table)
    console.print()
    for note in (*_NOTES, *(f"not timed: {name}: {why}" for name, why in found["not_timed"].items())):
        console.print(f"* {note}", soft_wrap=True)


def _write(found: Mapping[str, Any], folder: Path) -> None:
    text = io.StringIO()
    _print(found, Console(file=text, width=160, highlight=False, markup=False), box.MARKDOWN)
    write_atomically(folder / "bench.json", json.dumps(found, indent=2, default=asdict) + "\n")
    write_atomically(folder / "bench.md", text.getvalue())
    print(f"\nwritten: {folder / 'bench.json'}, {folder / 'bench.md'}")
