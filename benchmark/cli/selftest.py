"""``./scripts/selftest``: checks that need no images, on the user's own device and in the run's precision."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from benchmark.cli.app.build import build
from benchmark.cli.app.groups import choices, compose
from benchmark.cli.app.words import written
from benchmark.core.exit_codes import ExitCode
from benchmark.core.types import Model
from benchmark.diagnostics.selftest import CHECKS
from benchmark.diagnostics.selftest.case import Case, normed, prepare
from benchmark.diagnostics.selftest.check import Finding, Subjects, examine
from benchmark.pipeline.settings import RunSettings

_COLUMNS = "{:<46} {:>9} {:>9}  {:<7} {:>7}  {}"


def main(cfg: DictConfig) -> int:
    """Try every check and print a line for each; of one that fails, with the likely culprit."""
    settings: RunSettings = build(cfg.run)
    _show(f"device      {_device(settings)}")
    subjects = _subjects(cfg, settings)
    for case in subjects.cases:
        _show(f"net         {_described(case)}")
    _show(_COLUMNS.format("check", "deviation", "allowed", "verdict", "seconds", "worst at"))
    findings = []
    for check in CHECKS:
        findings.append(examine(check, subjects))
        _tell(findings[-1])
    _show(_summary(findings))
    return ExitCode.COMPLETE if all(finding.holds for finding in findings) else ExitCode.CHECKS_FAILED


def _summary(findings: Sequence[Finding]) -> str:
    failed = sum(not finding.holds for finding in findings)
    idle = sum(finding.worst is None for finding in findings)
    tried = f"{len(findings) - idle} checks tried" + (f", {idle} without a case" if idle else "")
    return f"{tried}: {failed} FAILED" if failed else f"{tried}: all hold"


def _subjects(cfg: DictConfig, settings: RunSettings) -> Subjects:
    methods, localizers = _every("method", cfg.methods), _every("localizer", {})
    return Subjects(tuple(prepare(model, methods, settings) for model in _models(cfg)), localizers)


def _models(cfg: DictConfig) -> list[Model]:
    if cfg.get("model") is not None:
        return [build(cfg.model)]
    return [*(build(node) for node in cfg.nets.values()), normed()]


def _every(group: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Build everything in a folder of ``conf`` that needs no option, by name, with the given options."""
    names = choices(group)  # perhaps a user's own, with characters that no key has
    every = compose(written(f"+{group}@every.n{number}", name) for number, name in enumerate(names)).every
    found = {name: every[f"n{number}"] for number, name in enumerate(names)}
    wanted = {name: {**node, **options.get(name, {})} for name, node in found.items() if not _lacks(node)}
    return {name: build(OmegaConf.create(node)) for name, node in wanted.items()}


def _lacks(node: DictConfig) -> bool:
    return any(OmegaConf.is_missing(node, key) for key in node)


def _device(settings: RunSettings) -> str:
    device = settings.torch_device
    card = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    order = "channels_last" if settings.channels_last else "contiguous"
    return f"{device}{card}, {settings.precision}, {order}, torch {torch.__version__}"


def _described(case: Case) -> str:
    refused = f"; not {', '.join(case.refused)}" if case.refused else ""
    return f"{case.model.name}, {case.model.weights.source}: {', '.join(case.methods)}{refused}"


def _tell(finding: Finding) -> None:
    name, worst = finding.check.name, finding.worst
    seconds = f"{finding.seconds:.2f}"
    if worst is None:
        _show(_COLUMNS.format(name, "-", "-", "no case", seconds, "it applies to none of these models"))
        return
    verdict = "ok" if worst.holds else "FAILED"
    numbers = f"{worst.deviation:.2g}", f"{worst.bound.allowed:.2g}"
    place = worst.where + (f" ({worst.detail})" if worst.detail else "")
    _show(_COLUMNS.format(name, *numbers, verdict, seconds, place))
    if not worst.holds:
        _show(f"  allowed   {worst.bound.reason}")
        _show(f"  look at   {finding.check.culprit}")


def _show(line: str) -> None:
    print(line.rstrip(), flush=True)
