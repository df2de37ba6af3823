"""Make the forms of the human studies: which maps tell two classes apart, and which network is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural
from benchmark.tasks.pairs.records import read_pairs
from benchmark.tasks.study.choice import PackPairs, both_right, of_two_classes
from benchmark.tasks.study.forms import write_study

if TYPE_CHECKING:
    from benchmark.tasks.pairs.result import Resampling
    from benchmark.tasks.pairs.task import PairTask
    from benchmark.tasks.pairs.types import Pairs
    from benchmark.tasks.study.manifest import Pack
    from benchmark.tasks.task import Experiment, Outcome


@dataclass(frozen=True)
class StudyOptions(Checked, group="study"):
    """What a study asks.

    Attributes:
        pairs: Pairs of image and class of the discrimination pack, two an image.
        trust: Images of the trust pack.
        seed: Of the choice of images, and of each worker's order.
        side: Longer side of a picture in pixels.
    """

    pairs: Annotated[int, "[2, inf)"] = 90
    trust: Count = 90
    seed: Natural = 0
    side: Count = 320


@dataclass(frozen=True)
class StudyTask:
    """The task ``study``: that of pairs, whose pictures become forms.

    Attributes:
        bootstrap: Of the task of pairs.
        study: What is asked.
    """

    bootstrap: Resampling
    study: StudyOptions = field(default_factory=StudyOptions)

    @property
    def pairs(self) -> PairTask:
        """Return the task that makes the maps."""
        from benchmark.tasks.pairs.task import PairTask

        return PairTask(self.bootstrap)

    def check(self, words: Sequence[str]) -> None:
        """Refuse what the task of pairs refuses."""
        self.pairs.check(words)

    def run(self, experiment: Experiment) -> Outcome:
        """Measure what is missing, choose what is asked, and tell how much of it there is."""
        outcome = self.pairs.run(experiment)
        asked = dict(self._packs(experiment.table or {}, outcome))
        told = [*outcome.table.checks, *self._told(experiment.table or {}, asked)]
        outcome = replace(outcome, table=replace(outcome.table, checks=tuple(told)))
        chosen = {pack: one for pack, one in asked.items() if one.keys}
        return replace(outcome, sheet=partial(self._write, outcome, chosen))

    def _write(self, outcome: Outcome, asked: Mapping[Pack, PackPairs], path: Path) -> list[Path]:
        forms = write_study(
            path.with_suffix("").with_name(f"{outcome.table.name}-form"), outcome, asked, self.study
        )
        return [*outcome.sheet(path), *forms]

    def _packs(self, table: Mapping[str, Any], outcome: Outcome) -> Iterator[tuple[Pack, PackPairs]]:
        alone, both = _rows(table)
        if alone and set(alone) <= outcome.records.keys():
            yield (
                "discrimination",
                of_two_classes(_read(outcome, alone), alone, self.study.pairs, self.study.seed),
            )
        every = [row for pair in both for row in pair]
        if both and set(every) <= outcome.records.keys():
            yield "trust", both_right(_read(outcome, every), both, self.study.trust, self.study.seed)

    def _told(self, table: Mapping[str, Any], asked: Mapping[Pack, PackPairs]) -> Iterator[str]:
        """Say how large each pack is, or why there is none."""
        alone, both = _rows(table)
        wanted: dict[Pack, int] = {"discrimination": self.study.pairs, "trust": self.study.trust}
        what = {
            "discrimination": "pairs of image and class",
            "trust": "images that both networks are right on",
        }
        if alone or both:
            for pack, count in wanted.items():
                if pack not in asked:
                    yield f"{pack} pack: not made, since rows of it are open"
                elif not asked[pack].keys:
                    yield f"{pack} pack: not made, since no image is fit for it (docs/study.md)"
                else:
                    one = asked[pack]
                    short = f" ({count} were wanted)" if len(one.keys) < count else ""
                    yield (
                        f"{pack} pack: {len(one.keys)} of {one.candidates} {what[pack]}{short}, "
                        f"{len(one.rows)} visualizations of each"
                    )
        else:
            yield "no form is made: it needs every row of the experiment; leave row= out"
        yield "no number of this table is of people: ./scripts/study analyse reads what they answer"


def _rows(table: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the rows of the discrimination pack, and the pairs of rows of the trust pack."""
    alone, both = table.get("discrimination") or [], table.get("trust") or []
    if not all(isinstance(row, str) for row in alone) or not all(_is_pair(pair) for pair in both):
        raise UserError("table.discrimination is a list of rows, and table.trust one of pairs of rows")
    return list(alone), [tuple(pair) for pair in both]


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(row, str) for row in pair)


def _read(outcome: Outcome, rows: Sequence[str]) -> dict[str, Pairs]:
    """Read the rows' pairs without their pictures, which take memory."""
    found = {}
    for row in rows:
        pairs = read_pairs([outcome.records[row]])
        found[row] = replace(pairs, columns={k: v for k, v in pairs.columns.items() if v.ndim == 1})
    return found
