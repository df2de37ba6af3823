"""``./scripts/explain``: heatmaps and boxes of any image, with any model and methods."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, ListConfig

from benchmark.cli.app.build import build
from benchmark.cli.app.groups import choices, compose
from benchmark.cli.app.words import written
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.files import refuse_unwritable
from benchmark.core.options import Count, check
from benchmark.core.progress import Counter
from benchmark.core.protocols import Method
from benchmark.datasets.images import UnreadableImage

if TYPE_CHECKING:
    from benchmark.tasks.explain.images import ExplainedImage, Explainer

_COUNTERFACTUAL = "grad_cam_counterfactual"


def main(cfg: DictConfig) -> int:
    """Explain the images that were named; one that cannot be read is told, and the exit is non-zero."""
    from benchmark.tasks.explain.images import image_files, names_of_files
    from benchmark.tasks.explain.output import sheet_row, write_files, write_sheet

    check("top", cfg.top, Count)
    check("counterfactual", cfg.counterfactual, bool)
    named = _listed(cfg, "images")
    if not named:
        raise UserError("name the images to explain: ./scripts/explain IMAGE…")
    paths = image_files([Path(name).expanduser() for name in named])
    folder = Path(cfg.output).expanduser().resolve()
    explainer = _explainer(cfg)
    outputs = explainer.outputs
    wanted = list(dict.fromkeys(outputs.find(name) for name in _listed(cfg, "named")))
    refuse_unwritable(folder)
    rows, unreadable = [], []
    same = {"cam", "grad_cam"} <= explainer.methods.keys()
    with Counter("explaining images", len(paths)) as counter:
        for path, name in zip(paths, names_of_files(paths), strict=True):
            try:
                one = explainer(path, wanted, cfg.top)
            except UnreadableImage as error:
                unreadable.append(str(error))
                continue
            write_files(folder, name, one, outputs)
            for place, output in enumerate(one.classes):
                print(f"{path}: {outputs.short(output)} {100 * one.scores[place]:.1f} %")
            rows += sheet_row(one, outputs)
            same = same and _are_one(one)
            counter.add(1)
    conditions = _conditions(explainer)
    if rows and same:
        conditions.append("Grad-CAM is CAM's positive part here: the net ends in global average pooling")
    if rows:
        left = write_sheet(folder / "sheet.png", rows, list(explainer.methods), conditions)
        print("\n".join(conditions))
        print(folder / "sheet.png" if not left else f"{folder / 'sheet.png'} ({left} more rows do not fit)")
    for reason in unreadable:
        print(f"error: {reason}", file=sys.stderr)
    return ExitCode.MISTAKE if unreadable else ExitCode.COMPLETE


def _explainer(cfg: DictConfig) -> "Explainer":
    from benchmark.models.forward import output_count
    from benchmark.tasks.explain.classes import Outputs
    from benchmark.tasks.explain.images import Explainer

    settings = build(cfg.run)
    model = build(cfg.model)
    methods = {name: _method(name) for name in _methods(cfg)}
    model.module.to(device=settings.torch_device, dtype=settings.dtype).to(
        memory_format=settings.memory_format
    )
    for method in methods.values():
        method.check(model)
    outputs = Outputs.of(model, output_count(model))
    return Explainer(model, methods, build(cfg.localizer), build(cfg.transform), settings, outputs)


def _methods(cfg: DictConfig) -> list[str]:
    names = _listed(cfg, "methods")
    if not names:
        raise UserError("methods: name at least one, such as methods=[grad_cam]")
    return list(dict.fromkeys([*names, *([_COUNTERFACTUAL] if cfg.counterfactual else [])]))


def _method(name: str) -> Method:
    if name not in choices("method"):
        raise UserError(f"methods: there is no {name}; choose of {', '.join(choices('method'))}")
    method: Method = build(compose([written("+method", name)]).method)
    return method


def _listed(cfg: DictConfig, option: str) -> list[str]:
    """Return a list that was typed as one, or as words between commas."""
    value = cfg.get(option)
    if value is None:
        return []
    names = list(value) if isinstance(value, ListConfig) else str(value).split(",")
    return [str(name).strip() for name in names if str(name).strip()]


def _conditions(explainer: "Explainer") -> list[str]:
    model = explainer.model
    of = f"{model.name}, {model.weights.source}"
    said = f"{of} ({model.weights.note})" if model.weights.note else of
    return [said, f"boxes by {explainer.localizer.name}; probabilities are the softmax of the scores"]


def _are_one(one: "ExplainedImage") -> bool:
    """Return whether CAM and Grad-CAM show the same, but for rounding."""
    places = range(len(one.classes))
    return all(abs(one.heat("cam", k) - one.heat("grad_cam", k)).max() < 1e-4 for k in places)
