"""Note what an experiment is made of, and say from the files how far it is. Needs neither images nor PyTorch.

``results/runs/agendas/<hash>.json`` names the folders and shards of all rows of an experiment.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmark.core.claims import SILENCE, claim_file, holder, silent
from benchmark.core.errors import UserError
from benchmark.core.files import is_whole, write_atomically
from benchmark.core.provenance import fingerprint
from benchmark.pipeline.journal import pace

_LATEST = 20
"""So many shards of a row, the last that were made, give its rate."""


@dataclass(frozen=True)
class ShardSet:
    """The shards of one cell of a row.

    Attributes:
        folder: Its folder, below that of all runs.
        store: Beginning of the names of its files.
        shards: Number of images of each shard.
    """

    folder: str
    store: str
    shards: tuple[int, ...]

    def files(self, runs: Path) -> list[Path]:
        """Return where the shards lie, or will lie."""
        return [
            runs / self.folder / f"{self.store}-{number:05d}.parquet" for number in range(len(self.shards))
        ]


@dataclass(frozen=True)
class Agenda:
    """What an experiment measures.

    Attributes:
        dataset: Name of the images, and how many there are.
        rows: Row to its parts.
        open: Row to the reason why it cannot be measured.
    """

    dataset: str
    rows: Mapping[str, Sequence[ShardSet]]
    open: Mapping[str, str]

    def note(self, runs: Path) -> None:
        """Note it where something of it is still to be made."""
        missing = (
            not is_whole(file) for parts in self.rows.values() for part in parts for file in part.files(runs)
        )
        if any(missing):
            content = asdict(self)
            path = runs / "agendas" / f"{fingerprint(content)[:16]}.json"
            write_atomically(path, json.dumps(content, indent=1) + "\n")


@dataclass(frozen=True)
class RowStatus:
    """How far a row is.

    Attributes:
        done: Number of shards that are there.
        damaged: Number of files in the place of a shard that are none.
        count: Number of all its shards.
        makers: ``host:process`` of all that are making shards of it, to seconds since its last sign of life.
        rate: Images a second of one maker over the last shards; 0 where that is not known.
        left: Images of the shards that are missing or damaged.
    """

    done: int
    damaged: int
    count: int
    makers: Mapping[str, float]
    rate: float
    left: int

    @property
    def at_work(self) -> tuple[str, ...]:
        """Return the makers, with how long there was no sign of one, by its host's clock and this one's."""
        return tuple(
            f"{who} (no sign of it for {silent / 60:.0f} min)" if silent > SILENCE else who
            for who, silent in sorted(self.makers.items())
        )


def noted(runs: Path) -> list[Path]:
    """Return the files of all agendas, the last that was noted at the end."""
    files = [path for path in (runs / "agendas").glob("*.json") if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_mtime)


def read_agenda(path: Path) -> Agenda:
    """Read an agenda.

    Raises:
        UserError: If it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = {
            row: [ShardSet(**{**part, "shards": tuple(part["shards"])}) for part in parts]
            for row, parts in content["rows"].items()
        }
        return Agenda(content["dataset"], rows, content["open"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: is damaged ({error}); delete it, and start the run again") from error


def latest(runs: Path) -> Agenda:
    """Read the agenda that was noted last.

    Raises:
        UserError: If there is none, or it is damaged.
    """
    paths = noted(runs)
    if not paths:
        raise UserError(f"{runs}: no run has begun here; see results_dir")
    return read_agenda(paths[-1])


def status(parts: Sequence[ShardSet], runs: Path) -> RowStatus:
    """Say from the files how far a row is. Of a shard only its ends are read; a run reads all of it."""
    left, makers, whole, damaged = 0, dict[str, float](), list[tuple[Path, int]](), 0
    for part in parts:
        for number, (file, images) in enumerate(zip(part.files(runs), part.shards, strict=True)):
            claim = claim_file(file.parent, part.store, number)
            if who := holder(claim):
                makers[who] = min(silent(claim), makers.get(who, math.inf))
            if is_whole(file):
                whole.append((file, images))
            else:
                left += images
                damaged += file.exists()
    paces = sorted((*found, images) for file, images in whole if (found := pace(file)))[-_LATEST:]
    seconds = sum(took for _, took, _ in paces)
    rate = sum(images for _, _, images in paces) / seconds if seconds else 0.0
    return RowStatus(len(whole), damaged, sum(len(part.shards) for part in parts), makers, rate, left)
