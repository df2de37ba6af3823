"""``./scripts/fetch``: bring the weights of an experiment to where runs look for them, and verify them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from benchmark.cli.app.build import build, plain
from benchmark.cli.app.groups import typed
from benchmark.cli.app.rows import rows
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.types import Model
from benchmark.models.weights.download import download
from benchmark.models.weights.files import find, published


def main(cfg: DictConfig) -> int:
    """Bring what has an address, build each net with its weights as a run does, and say what is lacking."""
    nodes: dict[str, Any] = {}
    for row in rows(cfg, typed()):
        nodes.setdefault(str(plain(row.cfg.model)), row.cfg.model)
    lacking = 0
    for node in nodes.values():
        try:
            _bring(node)
            model: Model = build(node)
        except UserError as error:
            lacking += 1
            print(f"{node.name}: lacking: {error}", flush=True)
        else:
            known = "verified" if node.get("checksums") != [] else "no checksum is published"
            print(f"{node.name}: {model.weights.source}, sha256 {model.weights.sha256}, {known}", flush=True)
    print(f"{len(nodes) - lacking} of {len(nodes)} nets have their weights")
    return ExitCode.ROWS_OPEN if lacking else ExitCode.COMPLETE


def _bring(node: DictConfig) -> None:
    """Download the file of weights that a net names, if it is not there and its passport has its address.

    Raises:
        UserError: If it cannot be had, or is another file.
    """
    with suppress(UserError):
        find(str(node.weights), node.weights_dir)
        return
    known = published(Path(str(node.weights)).name)
    if known and node.weights_dir is not None and Path(str(node.weights)).name == node.weights:
        target = Path(node.weights_dir).expanduser() / node.weights
        download(known[1], target, plain(node).get("checksums") or (), "try again later")
