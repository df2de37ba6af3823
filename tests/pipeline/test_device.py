"""Between an image's input and its heatmap nothing waits for the device."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.small_models import SMALL, small
from helpers.small_scenes import scene, with_settings
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.pipeline.batches import Batch
from benchmark.pipeline.explain import explain
from benchmark.pipeline.scene import Scene

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "benchmark"
LOOP = [
    *sorted((PACKAGE / "attribution").rglob("*.py")),
    *(PACKAGE / path for path in ("core/device.py", "models/forward.py", "pipeline/explain.py")),
]
WAIT = {"item", "cpu", "tolist", "numpy", "nonzero", "argwhere", "masked_select", "unique", "synchronize"}
MAY_WAIT = {
    ("explain.py", "fetch"),  # for what has been asked for, a batch later
    ("explain.py", "_read"),  # for the classes whose maps are in files
    ("each_class.py", "_before"),  # on a CPU alone, see tests/attribution/common/test_each_class.py
}
FITTED = {"occlusion": {"patch": 5, "stride": 3, "batch": 7}}


def waiting(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each function with what waits for the device in it: a call, or a mask as an index."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WAIT:
                yield function.name, node.func.attr
            parts = ast.walk(node.slice) if isinstance(node, ast.Subscript) else ()
            if any(isinstance(part, ast.Compare | ast.Invert) for part in parts):
                yield function.name, "a mask as an index"


def test_no_line_of_the_loop_waits_for_the_device() -> None:
    found = [(path.name, *one) for path in LOOP for one in waiting(ast.parse(path.read_text()))]
    assert {one[:2] for one in found} == MAY_WAIT, found


@pytest.mark.parametrize(
    "line", ["x.max().item()", "x.cpu()", "torch.nonzero(x)", "x[x > 0]", "x[0, ~y]", "stream.synchronize()"]
)
def test_a_line_that_waits_is_found(line: str) -> None:
    assert len(list(waiting(ast.parse(f"def f(x):\n    return {line}")))) == 1


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operation whose result the host has to know, also hidden in an ``if`` or a library."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        masks = [
            i
            for i in (args[1] if "aten.index" in str(func) else ())
            if i is not None and i.dtype == torch.bool
        ]
        if masks or any(word in str(func) for word in ("_local_scalar_dense", "nonzero", "masked_select")):
            self.made.append(str(func))
        return func(*args, **(kwargs or {}))


def methods(on: Scene) -> list[Method]:
    """Every method that accepts the model, which has then been looked at."""
    found = []
    for path in sorted((ROOT / "conf" / "method").glob("*.yaml")):
        method = instantiate(OmegaConf.load(path), **FITTED.get(path.stem, {}))
        try:
            method.check(on.model)
        except UserError:
            continue
        found.append(method)
    return found


def batch(on: Scene) -> Batch:
    size, samples = on.model.input.size, on.dataset.samples[:2]
    return Batch(tuple(samples), torch.rand(2, 3, size, size), (), {})


@pytest.mark.parametrize("build", SMALL)
def test_no_operation_of_the_loop_has_a_result_that_the_host_needs(build: Any, tmp_path: Path) -> None:
    on = scene(tmp_path, 2)
    on = Scene(on.dataset, small(build, torch.float32), on.transform, on.settings)
    chosen = methods(on)
    assert len(chosen) >= 6
    with Waits() as waits:
        explain(on, chosen, batch(on))
        assert waits.made == []
        torch.ones(2)[torch.ones(2) > 0].max().item()
        assert len(waits.made) >= 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cuda_is_never_waited_for(precision: str, tmp_path: Path) -> None:
    on = with_settings(scene(tmp_path, 2), device="cuda", precision=precision)
    on.prepare()
    chosen = methods(on)
    explain(on, chosen, batch(on)).fetch()  # the first time libraries load and layers are looked at
    torch.cuda.set_sync_debug_mode("error")
    try:
        explained = explain(on, chosen, batch(on))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(torch.isfinite(maps).all() for maps, _ in explained.maps)
