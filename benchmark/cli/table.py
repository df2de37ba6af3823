"""``./scripts/table``: print and write a table again from its results, or two side by side."""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from benchmark.cli.app.build import published
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.options import check
from benchmark.reporting.archive import read_table
from benchmark.reporting.cite import citation
from benchmark.reporting.manifest import read_manifest, year_of
from benchmark.reporting.render import show, write_all


def main(cfg: DictConfig) -> int:
    """Render the table of ``results=FILE.json`` again; with ``compare=true`` two tables."""
    check("compare", cfg.compare, bool)
    check("cite", cfg.cite, bool)
    places = [str(place) for place in ([] if cfg.results is None else [cfg.results])] + list(cfg.tables or ())
    if cfg.compare:
        return _compare(cfg, places)
    if len(places) != 1:
        example = "such as results=results/ilsvrc_val/table1.json"
        raise UserError(f"results: name a table's json, {example}; two of them with --compare")
    path = Path(places[0]).expanduser()
    table = read_table(path, published).table
    if cfg.cite:
        print(citation(table, read_manifest(path), year_of(path)), end="")
        return 0
    show(table, notes=cfg.notes)  # first, since the folder may be one that cannot be written
    written = write_all(table, path.parent, table.name)
    print("\nwritten, with all notes:", *written, sep="\n  ")
    return 0


def _compare(cfg: DictConfig, places: list[str]) -> int:
    """Print two runs side by side, and write them where ``output`` names a file."""
    from benchmark.cli.app.tables import named, side_by_side
    from benchmark.reporting.render import latex, markdown, terminal
    from benchmark.reporting.versus import layout, tidy

    if len(places) != 2:
        raise UserError(f"--compare: name two runs, by their tables' json or folders, and not {len(places)}")
    found = side_by_side(*map(named, places))
    forms = {".md": markdown.render, ".tex": latex.render, ".txt": terminal.render, ".csv": None}
    path = Path(cfg.output).expanduser() if cfg.output else None
    if path is not None and path.suffix not in forms:
        raise UserError(f"output={path}: write it as one of {', '.join(forms)}")
    terminal.show(layout(found, cfg.notes), Console())
    if path is not None:
        render = forms[path.suffix]
        write_atomically(path, render(layout(found, True)) if render else tidy(found))
        print(f"\nwritten, with all numbers: {path}")
    return 0
