"""Read the answers that the forms' workers downloaded, and refuse what does not belong to the study."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmark.core.errors import UserError
from benchmark.core.text_lists import read_text
from benchmark.tasks.study.manifest import SCALE, Item, Manifest

PERSON, SIMULATED = "person", "simulated"
COLUMNS = ("study", "pack", "worker", "item", "answer", "seconds", "position", "swapped", "source")
"""The columns of the form's csv."""
_NEEDED = ("study", "worker", "item", "answer", "source")


class Answer(NamedTuple):
    """One worker's answer to one question.

    Attributes:
        worker: The number or name that the worker typed.
        item: The question.
        value: The chosen class; of the trust pack a number of :data:`SCALE`, as text.
        simulated: Whether nobody gave it.
    """

    worker: str
    item: Item
    value: str
    simulated: bool


def files_in(paths: Sequence[str]) -> list[Path]:
    """Return the csv files that paths name, those of a folder by name, each once.

    Raises:
        UserError: If one is not there, or a folder has none.
    """
    found: list[Path] = []
    for path in (Path(one).expanduser() for one in paths):
        inside = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        if not inside or not inside[0].is_file():
            what = "has no csv" if path.is_dir() else "is not there"
            raise UserError(
                f"answers={path}: {what}; name the files that the workers downloaded, or their folder"
            )
        found += [one for one in inside if one.resolve() not in {each.resolve() for each in found}]
    if not found:
        raise UserError(
            "answers: name the files that the workers downloaded: ./scripts/study analyse answers.csv"
        )
    return found


def read_answers(paths: Sequence[Path], manifest: Manifest) -> list[Answer]:
    """Read answers.

    Args:
        paths: csv files with the columns ``study``, ``worker``, ``item``, ``answer`` and ``source``; others
            are not used.
        manifest: The study that they answer.

    Raises:
        UserError: For a missing column, an id of another study or an unknown one, an answer that is none of
            the question's, a second answer of a worker to a question, or no answer; with file and line.
    """
    items = {item.id: item for item in manifest.items}
    seen: dict[tuple[str, str], str] = {}
    answers = []
    for path in paths:
        for where, row in _rows(path):
            answer = _answer(where, row, manifest.study, items)
            before = seen.setdefault((answer.worker, answer.item.id), where)
            if before != where:
                raise UserError(
                    f"{where}: worker {answer.worker} answered {answer.item.id} already ({before}); keep one"
                )
            answers.append(answer)
    if not answers:
        raise UserError(f"{paths[0]}: holds no answer; name the files that the workers downloaded")
    if len({answer.simulated for answer in answers}) > 1:
        raise UserError(f"{paths[0]}: simulated answers stand beside people's; analyse them apart")
    return answers


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    reader = csv.DictReader(read_text(path, "download it anew from the form").splitlines())
    lacking = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
    if lacking:
        raise UserError(f"{path}: has no column {lacking[0]}; a form's download has {', '.join(_NEEDED)}")
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row.values() or None in row:
            raise UserError(
                f"{where}: has not as many values as there are columns; download it anew from the form"
            )
        yield where, {key: value.strip() for key, value in row.items()}


def _answer(where: str, row: Mapping[str, str], study: str, items: Mapping[str, Item]) -> Answer:
    if row["study"] != study:
        raise UserError(
            f"{where}: answers the study {row['study']!r}, not {study}; name its manifest with manifest=FILE"
        )
    item = items.get(row["item"])
    if item is None:
        raise UserError(f"{where}: there is no question {row['item']!r} in the manifest; leave the line out")
    allowed = item.choices or tuple(map(str, SCALE))
    if row["answer"] not in allowed:
        raise UserError(f"{where}: the answer {row['answer']!r} is none of {', '.join(allowed)}; correct it")
    if row["source"] not in (PERSON, SIMULATED) or not row["worker"]:
        raise UserError(f"{where}: worker or source is missing; a source is {PERSON} or {SIMULATED}")
    return Answer(row["worker"], item, row["answer"], row["source"] == SIMULATED)
