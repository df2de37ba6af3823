"""Numbers that others published, typed once in ``results/published/*.yaml`` with source and conditions.

The fields of such a file are explained in ``results/published/README.md``.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import yaml

from benchmark.core.errors import UserError
from benchmark.core.options import check, unfit
from benchmark.reporting.text import one_line, plain

Text = Annotated[str, "not empty"]
Sure = Literal["stated", "corroborated", "inferred", "second-hand", "unknown"]
"""How well a circumstance of a published number is known."""

_Percent = Annotated[float, "[0, 100]"]
_Correlation = Annotated[float, "[-1, 1]"]
_Points = Annotated[float, "[-100, 100]"]
_Names = Annotated[tuple[str | float, ...], "not empty"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a table shows it.

    Attributes:
        key: The metric's name in records and results.
        title: Heading of the column.
        kind: ``error`` (lower is better), ``accuracy`` (higher is better), ``correlation`` (higher is better;
            in [-1, 1], typed and printed as it is), or ``share`` (neither is better).
        means: The condition under which an image counts, in one clause.
    """

    key: str
    title: Text
    kind: Literal["error", "accuracy", "correlation", "share"]
    means: Text


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a published number, and how certain it is."""

    what: Text
    sure: Sure


@dataclass(frozen=True, slots=True)
class Reason:
    """A known reason that moves a measurement away from a published number, with its size.

    Attributes:
        what: The reason in one clause.
        source: Who measured its size, and how.
        points: Metric to its least and greatest effect on ``measured - published``, fractions; of a
            localization error, with classification as it is published.
        given: Group (``model``, ``localizer``, ``transform``) or option (``method.layer``) to the choices
            with which it holds; with any where it is not named.
    """

    what: Text
    source: Text
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
    source: Text
    conditions: Mapping[str, Condition]
    why: Text
    not_comparable: Text = ""
    reasons: tuple[Reason, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The same cells measured by others.

    Attributes:
        name: A short key.
        source: Authors and place of publication.
        conditions: As in :class:`PublishedRow`.
        why: Why it differs from the published numbers and from ours.
        rows: Row to metric to fraction in ``[0, 1]``.
    """

    name: str
    source: Text
    conditions: Mapping[str, Condition]
    why: Text
    rows: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Published:
    """A published table.

    Attributes:
        title: Title of the table.
        dataset: The images that its numbers were measured on, in words.
        measured_on: The same as a key of ``conf/dataset``; numbers of another dataset are not comparable.
        columns: Its metrics, in the order of printing.
        rows: Rows by name.
        reproductions: Measurements of some of its rows by others.
    """

    title: Text
    dataset: Text
    measured_on: Text
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
    node = _read(path)
    try:
        return _published(node)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


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
        return yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)
    except FileNotFoundError:
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise UserError(f"{path}: no such table of published numbers; there are: {there}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as yaml ({one_line(error)})") from error


def _published(node: Any) -> Published:
    file = {"reproductions": {}} | _mapping("the file", node)
    columns, rows, studies = (
        _mapping(key, file.pop(key, None)) for key in ("columns", "rows", "reproductions")
    )
    return _make(
        Published,
        "the file",
        file,
        columns=tuple(_column(key, value) for key, value in columns.items()),
        rows={row: _row(f"rows.{row}", value, columns) for row, value in rows.items()},
        reproductions=tuple(_study(name, value, columns) for name, value in studies.items()),
    )


def _column(key: str, node: Any) -> Column:
    column = _make(Column, f"columns.{key}", node, key=key)
    if (column.kind == "correlation") != plain(key):
        must = "correlation, and of no other metric's column" if plain(key) else "error | accuracy | share"
        raise unfit(f"columns.{key}.kind", column.kind, must)
    return column


def _row(where: str, node: Any, known: Iterable[str]) -> PublishedRow:
    entry = {"reasons": {}} | _mapping(where, node)
    reasons = _mapping(f"{where}.reasons", entry.pop("reasons"))
    ready: dict[str, Any] = {
        "metrics": _metrics(where, {key: entry.pop(key) for key in known if key in entry}, known),
        "conditions": _conditions(where, entry),
        "reasons": tuple(_reason(f"{where}.reasons.{key}", value, known) for key, value in reasons.items()),
    }
    if "not_comparable" in entry:
        return _make(PublishedRow, where, entry, models=(), **ready)
    models = check(f"{where}.models", entry.pop("models", None), _Names)
    return _make(PublishedRow, where, entry, models=models, not_comparable="", **ready)


def _reason(where: str, node: Any, known: Iterable[str]) -> Reason:
    entry = {"given": {}} | _mapping(where, node)
    points = _mapping(f"{where}.points", entry.pop("points", None))
    given = _mapping(f"{where}.given", entry.pop("given"))
    _require_some(f"{where}.points", points, [metric for metric in known if not plain(metric)])
    return _make(
        Reason,
        where,
        entry,
        points={metric: _range(f"{where}.points.{metric}", ends) for metric, ends in points.items()},
        given={group: check(f"{where}.given.{group}", names, _Names) for group, names in given.items()},
    )


def _range(where: str, node: Any) -> tuple[float, float]:
    """Read a least and a greatest effect, typed in points."""
    if not isinstance(node, list) or len(node) != 2:
        raise unfit(where, node, "two numbers of points, [least, greatest]")
    low, high = check(where, node, tuple[_Points, _Points])
    if low > high:
        raise unfit(where, node, "[least, greatest]")
    return round(low / 100, 8), round(high / 100, 8)


def _study(name: str, node: Any, known: Iterable[str]) -> Reproduction:
    where = f"reproductions.{name}"
    entry = _mapping(where, node)
    numbers = _mapping(f"{where}.rows", entry.pop("rows", None)).items()
    rows = {row: _metrics(f"{where}.rows.{row}", _mapping(row, value), known) for row, value in numbers}
    return _make(Reproduction, where, entry, name=name, rows=rows, conditions=_conditions(where, entry))


def _conditions(where: str, entry: dict[str, Any]) -> dict[str, Condition]:
    """Take the circumstances of a number out of its entry."""
    where = f"{where}.conditions"
    node = _mapping(where, entry.pop("conditions", None))
    _require_keys(where, node, ("weights", "input", "measure" if "measure" in node else "box", "images"))
    return {key: _make(Condition, f"{where}.{key}", value) for key, value in node.items()}


def _metrics(where: str, numbers: Mapping[str, Any], known: Iterable[str]) -> dict[str, float]:
    """Read percent as fractions, as one would type them: without the division's last bit; the rest as is."""
    _require_some(where, numbers, known)
    kinds = {key: _Correlation if plain(key) else _Percent for key in numbers}
    found = {key: check(f"{where}.{key}", value, kinds[key]) for key, value in numbers.items()}
    return {key: value if plain(key) else round(value / 100, 8) for key, value in found.items()}


def _make(kind: type[_T], where: str, node: Any, **ready: Any) -> _T:
    """Make an object of the texts in ``node``: just those fields that are not ``ready``."""
    texts = _mapping(where, node)
    kinds = get_type_hints(kind, include_extras=True)
    _require_keys(where, texts, [name for name in kinds if name not in ready])
    for key, text in texts.items():
        text = one_line(text) if isinstance(text, str) else text
        ready[key] = check(f"{where}.{key}", text, kinds[key])
    return kind(**ready)


def _require_keys(where: str, entries: Iterable[str], wanted: Iterable[str]) -> None:
    if set(entries) != set(wanted):
        has = ", ".join(entries) or "nothing"
        raise UserError(f"{where}: has {has} where it must have {', '.join(wanted)}")


def _require_some(where: str, entries: Mapping[str, Any], known: Iterable[str]) -> None:
    if not entries or not set(entries) <= set(known):
        raise UserError(f"{where}: its numbers must be some of {', '.join(known)}")


def _mapping(where: str, node: Any) -> dict[str, Any]:
    if not isinstance(node, Mapping) or not all(isinstance(key, str) for key in node):
        raise UserError(f"{where}: must be a mapping of names")
    return dict(node)
