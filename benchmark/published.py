"""Numbers that others published, typed once in ``results/published/*.yaml`` with source and conditions.

The fields of such a file are explained in ``results/published/README.md``.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.errors import UserError

KINDS = ("error", "accuracy")
SURE = ("stated", "corroborated", "inferred", "second-hand", "unknown")


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a table shows it.

    Attributes:
        key: The metric's name in records and results.
        title: What a person reads over the column.
        kind: ``error`` (lower is better) or ``accuracy`` (higher is better).
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
class PublishedRow:
    """The published numbers of one row.

    Attributes:
        metrics: Metric to fraction in ``[0, 1]``.
        source: Paper and table.
        conditions: ``weights``, ``input``, ``box``, ``images``.
        why: Why a faithful measurement may differ.
    """

    metrics: Mapping[str, float]
    source: str
    conditions: Mapping[str, Condition]
    why: str


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
        dataset: What its numbers were measured on.
        columns: Its metrics, in the order of printing.
        rows: By name.
        reproductions: Of some of its rows, by others.
    """

    title: str
    dataset: str
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
    return _File(path).published(_read(path))


class _StrictLoader(yaml.SafeLoader):
    """Safe yaml in which a key that stands twice is an error: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # refused below: no key may be a list or a mapping
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key_node.value} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
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


@dataclass(frozen=True)
class _File:
    """Turns the plain content of one file into typed objects; every refusal names file and place."""

    path: Path

    def published(self, node: Any) -> Published:
        fields = self._mapping(node, "the file", ("title", "dataset", "columns", "rows"), ("reproductions",))
        columns = tuple(self._column(key, value) for key, value in self._items(fields["columns"], "columns"))
        known = tuple(column.key for column in columns)
        again = self._items(fields.get("reproductions", {}), "reproductions")
        return Published(
            title=self._text(fields["title"], "title"),
            dataset=self._text(fields["dataset"], "dataset"),
            columns=columns,
            rows={key: self._row(key, value, known) for key, value in self._items(fields["rows"], "rows")},
            reproductions=tuple(self._reproduction(key, value, known) for key, value in again),
        )

    def _column(self, key: str, node: Any) -> Column:
        where = f"columns.{key}"
        fields = self._mapping(node, where, ("title", "kind", "means"))
        kind = self._one_of(fields["kind"], KINDS, f"{where}.kind")
        title = self._text(fields["title"], f"{where}.title")
        return Column(key, title, kind, self._text(fields["means"], f"{where}.means"))

    def _row(self, row: str, node: Any, known: tuple[str, ...]) -> PublishedRow:
        where = f"rows.{row}"
        fields = self._mapping(node, where, ("source", "conditions", "why"), known)
        return PublishedRow(
            metrics=self._metrics({key: fields[key] for key in known if key in fields}, where),
            source=self._text(fields["source"], f"{where}.source"),
            conditions=self._conditions(fields["conditions"], f"{where}.conditions"),
            why=self._text(fields["why"], f"{where}.why"),
        )

    def _reproduction(self, name: str, node: Any, known: tuple[str, ...]) -> Reproduction:
        where = f"reproductions.{name}"
        fields = self._mapping(node, where, ("source", "conditions", "why", "rows"))
        rows = {}
        for row, numbers in self._items(fields["rows"], f"{where}.rows"):
            rows[row] = self._metrics(
                self._mapping(numbers, f"{where}.rows.{row}", (), known), f"{where}.rows.{row}"
            )
        return Reproduction(
            name=name,
            source=self._text(fields["source"], f"{where}.source"),
            conditions=self._conditions(fields["conditions"], f"{where}.conditions"),
            why=self._text(fields["why"], f"{where}.why"),
            rows=rows,
        )

    def _metrics(self, numbers: Mapping[str, Any], where: str) -> dict[str, float]:
        if not numbers:
            raise self._refusal(where, "has no number; name at least one of the file's columns")
        return {key: self._fraction(value, f"{where}.{key}") for key, value in numbers.items()}

    def _conditions(self, node: Any, where: str) -> dict[str, Condition]:
        conditions = {}
        for key, value in self._mapping(node, where, ("weights", "input", "box", "images")).items():
            fields = self._mapping(value, f"{where}.{key}", ("what", "sure"))
            what = self._text(fields["what"], f"{where}.{key}.what")
            conditions[key] = Condition(what, self._one_of(fields["sure"], SURE, f"{where}.{key}.sure"))
        return conditions

    def _fraction(self, value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise self._refusal(where, f"{value!r} is not a number of percent, 0…100")
        return round(value / 100, 8)  # 30.38 / 100 as one would type it, without the division's last bit

    def _text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._refusal(where, f"{value!r} is not a text; put it in quotes")
        return " ".join(value.split())

    def _one_of(self, value: Any, allowed: tuple[str, ...], where: str) -> str:
        if value not in allowed:
            raise self._refusal(where, f"{value!r} is none of {', '.join(allowed)}")
        return str(value)

    def _items(self, node: Any, where: str) -> list[tuple[str, Any]]:
        if not isinstance(node, Mapping) or not all(isinstance(key, str) for key in node):
            raise self._refusal(where, "must be a mapping of names")
        return list(node.items())

    def _mapping(
        self, node: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        fields = dict(self._items(node, where))
        for key in fields:
            if key not in required + optional:
                allowed = ", ".join(required + optional)
                raise self._refusal(where, f"has the unknown key {key!r}; allowed: {allowed}")
        for key in required:
            if key not in fields:
                raise self._refusal(where, f"lacks {key!r}")
        return fields

    def _refusal(self, where: str, what: str) -> UserError:
        return UserError(f"{self.path}: {where}: {what}")
