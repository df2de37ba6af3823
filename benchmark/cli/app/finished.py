"""Recognise a finished run without building anything of it, so that its table is shown in about a second.

A run with a whole table leaves ``results/runs/finished/<hash>.json``: where the table lies, and all files
that it was made of, with sizes and times: code that no installed package brings, yamls, weights, shards.
The hash is of the configuration, the dataset's fingerprint and the versions of packages. As long as all of it
is as it was, the same words need neither networks nor images.
"""

import json
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from benchmark.cli.app.build import plain, published
from benchmark.cli.app.groups import typed
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.files import write_atomically
from benchmark.core.protocols import Dataset
from benchmark.core.provenance import fingerprint, package_versions
from benchmark.models.weights.files import find
from benchmark.pipeline.rows import Row
from benchmark.pipeline.store import shards_of
from benchmark.reporting.table import Table

_SHOWN_ALONE = ("notes",)
"""Options that change what is printed, and nothing that is measured."""


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        archive: The table's json.
        written: All files of the table, in the order in which they are told.
        records: Files of records that the table's json names.
        look: How to look at what was tracked; empty if nothing was.
        tracked: Whether all that was to be tracked is.
        status: The exit status.
    """

    archive: str
    written: Sequence[str]
    records: Sequence[str]
    look: str
    tracked: bool
    status: int

    def tell(self, notes: bool) -> int:
        """Show the table and where its files are; give the exit status."""
        from benchmark.reporting.archive import read_table
        from benchmark.reporting.render import show

        table = read_table(Path(self.archive), published).table
        show(table, notes=notes)
        print("\nwritten, with all notes:", *self.written, sep="\n  ", flush=True)
        print(*([f"\nto look at it: {self.look}"] if self.look else []))
        say_failed(table)
        return self.status


def say_failed(table: Table) -> None:
    """Say on stderr, as the last line, that checks of a table failed; the table says which."""
    if table.failed_checks:
        count = f"{len(table.failed_checks)} of {len(table.checks)} checks of the table failed"
        code = f"exit code {ExitCode.CHECKS_FAILED} (docs/install.md)"
        print(f"{count}, as it says; the numbers are measured and written; {code}", file=sys.stderr)


def recall(results: Path, cfg: DictConfig, dataset: Dataset) -> Finished | None:
    """Return the finished run of this configuration; ``None`` if there is none, or a file of it changed."""
    try:
        content = json.loads(_memo(results, cfg, dataset).read_text(encoding="utf-8"))
        run, made_of = Finished(**content["run"]), content["made_of"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    there = all(Path(path).is_file() for path in (run.archive, *run.written, *run.records))
    return run if there and _whole(run.archive) and _stamps(made_of) == made_of else None


def _whole(archive: str) -> bool:
    from benchmark.reporting.archive import read_table

    try:
        read_table(Path(archive), published)
    except UserError:
        return False
    return True


def remember(results: Path, cfg: DictConfig, dataset: Dataset, rows: Sequence[Row], run: Finished) -> None:
    """Note down a run that ended with a whole table."""
    weights = (path for row in rows for path in _weights(row.config["model"]))
    tables = (path for row in rows for path in _named(row.config.get("pair_metric")))
    # One damaged since is to be made again.
    shards = (str(shard) for path in map(Path, run.records) for shard in shards_of(results, path))
    files = {*_code(), *_yamls(), *map(str, weights), *shards, *tables}
    content = {"run": asdict(run), "made_of": _stamps(files), "dataset": plain(cfg.dataset)}
    write_atomically(_memo(results, cfg, dataset), json.dumps(content, indent=1))


def dataset_options(results: Path, archive: Path) -> dict[str, Any] | None:
    """Return the options of a table's images, as the last run that made it had them; ``None`` without one."""
    memos = (results / "runs" / "finished").glob("*.json")
    for path in sorted(memos, key=lambda path: path.stat().st_mtime, reverse=True):
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(path.read_text(encoding="utf-8"))
            if Path(content["run"]["archive"]).parts[-2:] == archive.parts[-2:]:  # results may have moved
                return dict(content["dataset"])
    return None


def _memo(results: Path, cfg: DictConfig, dataset: Dataset) -> Path:
    config = {key: plain(node) if isinstance(node, DictConfig) else node for key, node in cfg.items()}
    identity = {
        "config": {str(key): node for key, node in config.items() if key not in _SHOWN_ALONE},
        "words": [word for word in typed() if word.partition("=")[0] not in _SHOWN_ALONE],
        "dataset": dataset.fingerprint,
        "packages": package_versions(),
        "python": sys.version,
    }
    text = json.dumps(identity, sort_keys=True, default=str)
    return results / "runs" / "finished" / f"{fingerprint(text)[:16]}.json"


def _stamps(files: Iterable[str]) -> dict[str, list[int]]:
    """Return size and time of each file; of one that is not there, nothing."""
    stamps = {}
    for path in sorted(files):
        with suppress(OSError):
            stat = Path(path).stat()
            stamps[path] = [stat.st_size, stat.st_mtime_ns]
    return stamps


def _code() -> set[str]:
    """Return the files of all modules that are this package's, or nobody's who has a version number."""
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    files = {name: str(getattr(module, "__file__", None) or "") for name, module in list(sys.modules.items())}
    own = __name__.partition(".")[0]
    return {
        file
        for name, file in files.items()
        if file.endswith(".py") and (name.partition(".")[0] == own or not file.startswith(installed))
    }


def _yamls() -> set[str]:
    """Return the files of all folders that the configuration may come from."""
    folders = [source.path for source in HydraConfig.get().runtime.config_sources if source.schema == "file"]
    return {str(path) for folder in folders for path in Path(folder).rglob("*.yaml")}


def _named(options: Any) -> Iterator[str]:
    """Find the files that some options name, such as a table of neuron names."""
    if isinstance(options, Mapping):
        for value in options.values():
            yield from _named(value)
    elif isinstance(options, str) and "/" in options and Path(options).expanduser().is_file():
        yield str(Path(options).expanduser())


def _weights(model: Mapping[str, Any]) -> list[Path]:
    """Return the files that a model's options name, of weights and of all else."""
    found = []
    for value in model.values():
        if isinstance(value, str) and value:
            with suppress(UserError, OSError):
                found.append(find(value, model.get("weights_dir")).absolute())
    return found
