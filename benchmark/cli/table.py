"""``./scripts/table``: print and write a table again from its results, without records, images or a model."""

from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import published
from benchmark.core.errors import UserError
from benchmark.reporting.archive import read_table
from benchmark.reporting.render import show, write_all


def main(cfg: DictConfig) -> int:
    """Render the table of ``results=FILE.json`` again."""
    if cfg.results is None:
        raise UserError("results: name a table's json, such as results=results/ilsvrc_val/table1.json")
    path = Path(cfg.results).expanduser()
    table = read_table(path, published).table
    show(table, notes=cfg.notes)  # first, since the folder may be one that cannot be written
    written = write_all(table, path.parent, table.name)
    print("\nwritten, with all notes:", *written, sep="\n  ")
    return 0
