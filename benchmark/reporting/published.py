"""Numbers that others published, typed once in ``results/published/*.yaml`` with source and conditions.

The fields of such a file are explained in ``results/published/README.md``.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import yaml

from benchmark.core.errors import UserError
from benchmark.core.options import check, unfit
from benchmark.reporting.text import one_line, plain

Text = Annotated[str, "not empty"]
Sure = Literal["stated", "corroborated", "inferred", "second-hand", "unknown"]
"""How well a circumstance of a published number is known."""

Names = Annotated[tuple[str | float, ...], "not empty"]

_Percent = Annotated[float, "[0, 100]"]
_Correlation = Annotated[float, "[-1, 1]"]
_Points = Annotated[float, "[-100, 100]"]
_TYPED_AS_IT_IS = {"correlation": _Correlation, "number": float}
"""Kinds of columns whose numbers are typed and printed as they are, with their ranges."""


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a table shows it.

    Attributes:
        title: Heading of the column.
        kind: ``error`` (lower is better), ``accuracy`` (higher is better), ``correlation`` (higher is better;
            in [-1, 1], typed and printed as it is), ``number`` (higher is better; likewise, of any size), or
            ``share`` (neither is better).
        means: The condition under which an image counts, in one clause.
        always: Whether the terminal shows it also where no number of it was published.
    """

    title: Text
    kind: Literal["error", "accuracy", "correlation", "number", "share"]
    means: Text
    always: bool = False


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
    given: Mapping[str, Names] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """The published numbers of one row.

    Attributes:
        metrics: Metric to fraction in ``[0, 1]``, or to correlation or number as it is.
        source: Paper and table.
        conditions: ``weights``, ``input``, ``box`` (where a box is drawn) or ``measure`` (where none is),
            ``images``.
        why: Why a faithful measurement may differ.
        not_comparable: Why no measurement of this row can be held against it, such as another network;
            empty where it can.
        reasons: Known to move a measurement, with sizes, under short names.
        models: Those that stand for the published network; any if empty.
    """

    metrics: Mapping[str, float]
    source: Text
    conditions: Mapping[str, Condition]
    why: Text
    not_comparable: Text = ""
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    models: Names = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The same cells measured by others.

    Attributes:
        source: Authors and place of publication.
        conditions: As in :class:`PublishedRow`.
        why: Why it differs from the published numbers and from ours.
        rows: Row to metric to fraction in ``[0, 1]``.
    """

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
        columns: Its metrics by name, in the order of printing.
        rows: Rows by name.
        reproductions: Measurements of some of its rows by others, under short names.
    """

    title: Text
    dataset: Text
    measured_on: Text
    columns: Mapping[str, Column]
    rows: Mapping[str, PublishedRow]
    reproductions: Mapping[str, Reproduction] = field(default_factory=dict)


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
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as yaml ({one_line(error)})") from error


def _published(node: Any) -> Published:
    file = _mapping("", node)
    columns, rows = (_mapping(part, file.get(part)) for part in ("columns", "rows"))
    for name, row in rows.items():
        entry = _mapping(f"rows.{name}", row)
        numbers = {key: entry.pop(key) for key in columns if key in entry}
        rows[name] = entry | {"metrics": _fractions(f"rows.{name}", numbers, columns)}
    found: Published = _made("", file | {"rows": rows}, Published)
    for key, column in found.columns.items():
        if (column.kind in _TYPED_AS_IT_IS) != plain(key):
            must = "correlation | number, as the name is" if plain(key) else "error | accuracy | share"
            raise unfit(f"columns.{key}.kind", column.kind, must)
    return replace(
        found,
        rows={name: _row(f"rows.{name}", row, columns) for name, row in found.rows.items()},
        reproductions={
            name: _study(f"reproductions.{name}", study, columns)
            for name, study in found.reproductions.items()
        },
    )


def _row(where: str, row: PublishedRow, known: Collection[str]) -> PublishedRow:
    _require_circumstances(where, row.conditions)
    if bool(row.models) == bool(row.not_comparable):
        raise UserError(f"{where}: give either models or not_comparable")
    reasons = {
        name: replace(reason, points=_points(f"{where}.reasons.{name}.points", reason.points, known))
        for name, reason in row.reasons.items()
    }
    return replace(row, reasons=reasons)


def _study(where: str, study: Reproduction, known: Mapping[str, Any]) -> Reproduction:
    _require_circumstances(where, study.conditions)
    rows = {row: _fractions(f"{where}.rows.{row}", value, known) for row, value in study.rows.items()}
    return replace(study, rows=rows)


def _points(
    where: str, points: Mapping[str, tuple[float, float]], known: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Turn least and greatest effects, typed in points, into fractions."""
    _require_some(where, points, [metric for metric in known if not plain(metric)])
    for metric, ends in points.items():
        low, high = check(f"{where}.{metric}", ends, tuple[_Points, _Points])
        if low > high:
            raise unfit(f"{where}.{metric}", ends, "[least, greatest]")
    return {metric: (round(low / 100, 8), round(high / 100, 8)) for metric, (low, high) in points.items()}


def _fractions(where: str, numbers: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, float]:
    """Turn percent into fractions, as one would type them: without the division's last bit."""
    _require_some(where, numbers, known)
    for key, value in numbers.items():
        kind = known[key].get("kind") if isinstance(known[key], Mapping) else None
        check(
            f"{where}.{key}", value, _TYPED_AS_IT_IS.get(str(kind), _Correlation) if plain(key) else _Percent
        )
    return {key: value if plain(key) else round(value / 100, 8) for key, value in numbers.items()}


def _require_circumstances(where: str, conditions: Mapping[str, Condition]) -> None:
    wanted = ("weights", "input", "measure" if "measure" in conditions else "box", "images")
    if set(conditions) != set(wanted):
        raise UserError(f"{where}.conditions: must be of {', '.join(wanted)}")


def _require_some(where: str, entries: Mapping[str, Any], known: Collection[str]) -> None:
    if not entries or not set(entries) <= set(known):
        raise UserError(f"{where}: its numbers must be some of {', '.join(known)}")


def _made(where: str, node: Any, kind: Any) -> Any:
    """Make what an annotation names of plain yaml: dataclasses, mappings of them, and checked values."""
    if is_dataclass(kind):
        entry, kinds = _mapping(where, node), get_type_hints(kind, include_extras=True)
        for one in fields(kind):
            if one.name not in entry and one.default is MISSING and one.default_factory is MISSING:
                raise UserError(f"{_at(where, one.name)}: is missing")
        for name in entry:
            if name not in kinds:
                raise UserError(f"{_at(where, name)}: there is no such field; choose {', '.join(kinds)}")
        make: Any = kind
        return make(**{name: _made(_at(where, name), value, kinds[name]) for name, value in entry.items()})
    if get_origin(kind) is Mapping:
        inner = get_args(kind)[1]
        return {key: _made(_at(where, key), value, inner) for key, value in _mapping(where, node).items()}
    return check(where, one_line(node) if isinstance(node, str) else node, kind)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _mapping(where: str, node: Any) -> dict[str, Any]:
    if not isinstance(node, Mapping) or not all(isinstance(key, str) for key in node):
        raise UserError(f"{where or 'the file'}: must be a mapping of names")
    return dict(node)
