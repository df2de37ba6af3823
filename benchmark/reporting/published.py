"""Numbers that others published, typed once in ``results/published/*.yaml`` with source and conditions.

The fields of such a file are explained in ``results/published/README.md``.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from benchmark.core.errors import UserError
from benchmark.reporting.text import plain

KINDS = ("error", "accuracy", "correlation", "share")
SURE = ("stated", "corroborated", "inferred", "second-hand", "unknown")
_CIRCUMSTANCES = ("weights", "input", "box", "images")
_OF_MAPS = ("weights", "input", "measure", "images")
_WORDS = {"kind": KINDS, "sure": SURE}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a table shows it.

    Attributes:
        key: The metric's name in records and results.
        title: What a person reads over the column.
        kind: ``error`` (lower is better), ``accuracy`` (higher is better), ``correlation`` (higher is better;
            in [-1, 1], typed and printed as it is), or ``share`` (neither is better).
        means: When an image counts, in one clause.
    """

    key: str
    title: str
    kind: str
    means: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One circumstance of a published number, and how sure it is (one of :data:`SURE`)."""

    what: str
    sure: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Something known that moves a measurement away from a published number, and by how much.

    Attributes:
        what: In a clause.
        source: Who measured the size, and how.
        points: Metric to its least and greatest effect on ``measured - published``, fractions; of a
            localization error, with classification as it is published.
        given: Group (``model``, ``localizer``, ``transform``) or option (``method.layer``) to the choices
            with which it holds; with any where it is not named.
    """

    what: str
    source: str
    points: Mapping[str, tuple[float, float]]
    given: Mapping[str, tuple[str | float, ...]]


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """The published numbers of one row.

    Attributes:
        metrics: Metric to fraction in ``[0, 1]``, or to correlation in ``[-1, 1]``.
        source: Paper and table.
        conditions: ``weights``, ``input``, ``box`` (where a box is drawn) or ``measure`` (where none is),
            ``images``.
        why: Why a faithful measurement may differ.
        not_comparable: Why no measurement of this row can be held against it, such as another network;
            empty where it can.
        reasons: Known to move a measurement, with sizes.
        models: Those that stand for the published network; any if empty.
    """

    metrics: Mapping[str, float]
    source: str
    conditions: Mapping[str, Condition]
    why: str
    not_comparable: str = ""
    reasons: tuple[Reason, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The same cells measured by others.

    Attributes:
        name: A short key.
        source: Who, where.
        conditions: As in :class:`PublishedRow`.
        why: Why it differs from the published numbers and from ours.
        rows: Row to metric to fraction in ``[0, 1]``.
    """

    name: str
    source: str
    conditions: Mapping[str, Condition]
    why: str
    rows: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Published:
    """A published table.

    Attributes:
        title: Of the table.
        dataset: What its numbers were measured on, for a person.
        measured_on: The same as a key of ``conf/dataset``; numbers of another dataset are not comparable.
        columns: Its metrics, in the order of printing.
        rows: By name.
        reproductions: Of some of its rows, by others.
    """

    title: str
    dataset: str
    measured_on: str
    columns: tuple[Column, ...]
    rows: Mapping[str, PublishedRow]
    reproductions: tuple[Reproduction, ...] = ()


def load(path: Path | str) -> Published:
    """Read a table of published numbers.

    Raises:
        UserError: If the file is missing, is not yaml, or a key, a number or a text in it is not as it must
            be; the line names the file and the place in it.
    """
    path = Path(path)
    try:
        return _published(_read(path))
    except _SlipError as slip:
        raise UserError(f"{path}: {slip}") from None


class _SlipError(Exception):
    """Where in a file something is wrong, and what."""


class _StrictLoader(yaml.SafeLoader):
    """Safe yaml in which a key that stands twice is an error: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                problem = f"{key.value} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        return super().construct_mapping(node, deep)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, _StrictLoader)
    except FileNotFoundError:
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise UserError(f"{path}: no such table of published numbers; there are: {there}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as yaml ({' '.join(str(error).split())})") from error


def _published(node: Any) -> Published:
    file = {"reproductions": {}} | _mapping(node, "the file")
    columns = _mapping(file.pop("columns", None), "columns").items()
    rows = _mapping(file.pop("rows", None), "rows").items()
    studies = _mapping(file.pop("reproductions"), "reproductions").items()
    known = tuple(key for key, _ in columns)
    return _make(
        Published,
        "the file",
        file,
        columns=tuple(_column(key, value) for key, value in columns),
        rows={row: _row(f"rows.{row}", value, known) for row, value in rows},
        reproductions=tuple(_study(name, value, known) for name, value in studies),
    )


def _column(key: str, node: Any) -> Column:
    column = _make(Column, f"columns.{key}", node, key=key)
    if (column.kind == "correlation") != plain(key):
        unit = "as they are" if plain(key) else "in percent"
        raise _SlipError(
            f"columns.{key}.kind: {column.kind!r} does not fit: numbers of that name are printed {unit}"
        )
    return column


def _row(where: str, node: Any, known: tuple[str, ...]) -> PublishedRow:
    entry = _mapping(node, where)
    numbers = {key: entry.pop(key) for key in known if key in entry}
    conditions = _conditions(f"{where}.conditions", entry.pop("conditions", None))
    reasons = _mapping(entry.pop("reasons", {}), f"{where}.reasons").items()
    ready: dict[str, Any] = {"metrics": _metrics(where, numbers, known), "conditions": conditions}
    ready["reasons"] = tuple(_reason(f"{where}.reasons.{key}", value, known) for key, value in reasons)
    if "not_comparable" in entry:
        ready["models"] = ()
    else:
        ready["not_comparable"] = ""
        ready["models"] = _choices(f"{where}.models", entry.pop("models", None))
    return _make(PublishedRow, where, entry, **ready)


def _reason(where: str, node: Any, known: tuple[str, ...]) -> Reason:
    entry = _mapping(node, where)
    points = _mapping(entry.pop("points", None), f"{where}.points")
    choices = _mapping(entry.pop("given", {}), f"{where}.given")
    sizes = {metric: _range(f"{where}.points.{metric}", value) for metric, value in points.items()}
    percent = [metric for metric in known if not plain(metric)]
    if not sizes or not set(sizes) <= set(percent):
        raise _SlipError(f"{where}.points: must be of some of {', '.join(percent)}")
    held = {group: _choices(f"{where}.given.{group}", names) for group, names in choices.items()}
    return _make(Reason, where, entry, points=sizes, given=held)


def _choices(where: str, node: Any) -> tuple[Any, ...]:
    if not isinstance(node, list) or not node or not all(type(one) in (str, int, float) for one in node):
        raise _SlipError(f"{where}: {node!r} must be a list of names or numbers")
    return tuple(node)


def _range(where: str, node: Any) -> tuple[float, float]:
    """A least and a greatest effect, typed in points."""
    if not isinstance(node, list) or len(node) != 2 or not all(type(end) in (int, float) for end in node):
        raise _SlipError(f"{where}: {node!r} must be two numbers of points, [least, greatest]")
    low, high = (round(end / 100, 8) for end in node)
    if not -1 <= low <= high <= 1:
        raise _SlipError(f"{where}: {node!r} must be [least, greatest], in -100…100 points")
    return low, high


def _study(name: str, node: Any, known: tuple[str, ...]) -> Reproduction:
    where = f"reproductions.{name}"
    entry = _mapping(node, where)
    numbers = _mapping(entry.pop("rows", None), f"{where}.rows").items()
    rows = {row: _metrics(f"{where}.rows.{row}", value, known) for row, value in numbers}
    conditions = _conditions(f"{where}.conditions", entry.pop("conditions", None))
    return _make(Reproduction, where, entry, name=name, rows=rows, conditions=conditions)


def _conditions(where: str, node: Any) -> dict[str, Condition]:
    entries = _mapping(node, where)
    _require_keys(where, entries, _OF_MAPS if "measure" in entries else _CIRCUMSTANCES)
    return {key: _make(Condition, f"{where}.{key}", value) for key, value in entries.items()}


def _metrics(where: str, node: Any, known: tuple[str, ...]) -> dict[str, float]:
    """Percent as fractions, such as one would type them: without the division's last bit; the rest as is."""
    numbers = _mapping(node, where)
    if not numbers or not set(numbers) <= set(known):
        raise _SlipError(f"{where}: its numbers must be some of {', '.join(known)}")
    for key, value in numbers.items():
        low, high, unit = (
            (-1, 1, "a correlation, -1…1") if plain(key) else (0, 100, "a number of percent, 0…100")
        )
        if type(value) not in (int, float) or not low <= value <= high:
            raise _SlipError(f"{where}.{key}: {value!r} is not {unit}")
    return {key: float(value) if plain(key) else round(value / 100, 8) for key, value in numbers.items()}


def _make(kind: type[_T], where: str, node: Any, **ready: Any) -> _T:
    """An object of the texts in ``node``, which must be just those fields that are not ``ready``."""
    texts = _mapping(node, where)
    _require_keys(where, texts, [field.name for field in fields(kind) if field.name not in ready])  # type: ignore[arg-type]
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip() or text not in _WORDS.get(key, (text,)):
            allowed = " | ".join(_WORDS.get(key, ("a text in quotes",)))
            raise _SlipError(f"{where}.{key}: {text!r} must be {allowed}")
    return kind(**{key: " ".join(text.split()) for key, text in texts.items()}, **ready)


def _require_keys(where: str, entries: Mapping[str, Any], wanted: Collection[str]) -> None:
    if set(entries) != set(wanted):
        raise _SlipError(
            f"{where}: has {', '.join(entries) or 'nothing'} where it must have {', '.join(wanted)}"
        )


def _mapping(node: Any, where: str) -> dict[str, Any]:
    if not isinstance(node, Mapping) or not all(isinstance(key, str) for key in node):
        raise _SlipError(f"{where}: must be a mapping of names")
    return dict(node)
