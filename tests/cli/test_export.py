"""Boxes out as the devkit's text and in again, with the numbers of the dataset's own classes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ilsvrc_trees as trees
from helpers.commands import Command
from helpers.handmade import result, table
from helpers.ilsvrc_trees import CLASSES, PICTURES
from helpers.random_records import make

from benchmark.datasets.ilsvrc import IlsvrcVal, load
from benchmark.pipeline.cell import ShardKey
from benchmark.pipeline.journal import Made
from benchmark.reporting.archive import Archived, write_table
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of

WNIDS = sorted({picture.wnid for picture in PICTURES})
LIST = "LOC_synset_mapping.txt"
ILSVRC = "benchmark.datasets.ilsvrc.load"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A collection of the three classes that its images have."""
    trees.kaggle(tmp_path / "data")
    (tmp_path / "data" / LIST).write_text("".join(f"{wnid} mine\n" for wnid in WNIDS))
    return tmp_path / "data"


@pytest.fixture
def complaint(command: Command) -> Callable[..., str]:
    """``complaint("key=value", …)``: the one line with which an export is refused."""

    def run(*options: str) -> str:
        status, printed, told = command("export", *options)
        assert (status, printed) == (2, "")
        assert told.startswith("error: ")
        assert told.count("\n") == 1
        return told

    return run


def measured(folder: Path, dataset: IlsvrcVal, config: dict[str, Any]) -> Path:
    """A table of one row whose guess is, but for the last image's class, the truth of each image."""
    labels = np.array([sample.label for sample in dataset.samples], np.int32)
    guesses = labels.copy()
    guesses[-1] = (labels[-1] + 1) % len(dataset.classes)
    boxes = np.array([sample.boxes[0] for sample in dataset.samples], np.int32)
    columns: dict[str, Any] = {
        "image_ids": tuple(sample.image_id for sample in dataset.samples),
        "labels": labels,
        "classes": guesses[:, None],
        "boxes": boxes[:, None],
        "label_peaks": np.zeros((len(labels), 2), np.int32),
        "label_empty": np.zeros(len(labels), np.bool_),
    }
    records = make(0, n=len(labels), k=1, **columns)
    cell = folder / "runs/row/cell"
    key = ShardKey(cell, "a run", 0, dict.fromkeys(records.image_ids))
    STORE.write(key, columns_of(records), metadata_of(records), Made({}, 0.0))
    merged = STORE.merge([STORE.file(cell, 0)])
    print_ = dataset.fingerprint
    row = result(config=config, conditions={"dataset": {"fingerprint": print_}})
    note = DatasetNote(dataset.name, len(labels), dataset.complete, print_)
    table = Table("one", "One", note, (row,))
    return write_table(
        folder / dataset.name, Archived(table, None, {row.row: str(merged.relative_to(folder))})
    )


@pytest.mark.parametrize("own", [True, False], ids=["own classes", "the official ones"])
def test_what_was_exported_is_scored_by_the_same_numbers(
    root: Path, tmp_path: Path, command: Command, own: bool
) -> None:
    options: dict[str, Any] = {"classes": LIST, "name": "mine", "count": 4} if own else {}
    if not own:
        (root / LIST).unlink()
    dataset = load(root=root, **options)
    config = {"dataset": {"_target_": ILSVRC, "classes": None, **options}}
    made = measured(tmp_path / "results", dataset, config)
    text = Path(command("export", f"results={made}")[1].strip())

    numbers = [int(line.split()[0]) for line in text.read_text(encoding="utf-8").splitlines()]
    right = [WNIDS.index(p.wnid) + 1 if own else CLASSES.ilsvrc_ids[p.label] for p in PICTURES]
    assert numbers[:-1] == right[:-1]
    assert numbers[-1] != right[-1]

    overrides = [f"dataset.{key}={value}" for key, value in options.items()]
    printed = command("score", f"predictions={text}", f"dataset.root={root}", *overrides)[1]
    assert f"4 images of {'mine (the complete set)' if own else 'ilsvrc_val (not'}" in printed
    by_name = dict(re.findall(r"^(\w+) +(\d+\.\d\d) ", printed, re.MULTILINE))
    assert (by_name["cls_top1"], by_name["loc_top1"]) == ("25.00", "25.00")


def test_classes_of_another_dataset_are_not_written_as_ilsvrcs(
    root: Path, tmp_path: Path, complaint: Callable[..., str]
) -> None:
    (root / LIST).unlink()
    config = {"dataset": {"_target_": "benchmark.datasets.voc.load", "year": 2007}}
    made = measured(tmp_path / "results", load(root=root, name="voc2007"), config)
    said = complaint(f"results={made}", f"output={tmp_path / 'boxes'}")
    assert "the classes of voc2007 have no numbers of the devkit's" in said
    assert not (tmp_path / "boxes").exists()


@pytest.mark.parametrize("records", [{}, {"a/cam": "runs/x.pairs.parquet"}], ids=["none", "of pairs"])
@pytest.mark.parametrize("options", [(), ("row=a/cam",)])
def test_a_table_without_records_of_boxes_is_refused(
    tmp_path: Path, complaint: Callable[..., str], records: dict[str, str], options: tuple[str, ...]
) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, records))
    assert f"{made}: has no records of boxes to write" in complaint(f"results={made}", *options)


def test_a_row_without_records_is_refused_with_those_that_have_some(
    tmp_path: Path, complaint: Callable[..., str]
) -> None:
    kept = {"a/cam": "runs/x.records.parquet"}
    made = write_table(tmp_path / "data", Archived(table(published=None), None, kept))
    assert "row=b/cam: small.json has no records of it; measured rows: a/cam" in complaint(
        f"results={made}", "row=b/cam"
    )
