"""Try the paper's claims: run or recall each experiment that one needs, and judge all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.reporting.archive import read_table
from benchmark.reporting.published import Published
from benchmark.reporting.table import Table
from benchmark.tasks.paper.claims import Claim, Judged, judge_all, read_claims
from benchmark.tasks.paper.render import text, write_claims
from benchmark.tasks.paper.runs import Ran, run

_OWN = ("experiment=", "paper.", "notes=", "results_dir=")


@dataclass(frozen=True)
class PaperTask:
    """The task ``paper``, which measures nothing itself.

    Attributes:
        places: Name of a collection of images to the user's folder of it; ``None`` where there is none.
        runs: Name of a collection, or ``embedded``, to experiment to the words that run it there; collections
            in the order in which they are preferred.
        only: Experiments to try; all if empty.
    """

    places: Mapping[str, str | None]
    runs: Mapping[str, Mapping[str, Sequence[str]]]
    only: Sequence[str] = field(default_factory=tuple)

    def check(self, words: Sequence[str]) -> None:
        """Refuse to be told which images to use: each experiment has its own.

        Raises:
            UserError: Naming the word and the remedy.
        """
        known = [name for name in self.runs if name in self.places]
        for word in words:
            if word.startswith(("dataset=", "dataset.root=", "row=")):
                places = " ".join(f"paper.{name}=DIR" for name in known)
                raise UserError(
                    f"{word}: each experiment has images of its own; name folders of yours by {places}"
                )
        every = list(dict.fromkeys(name for each in self.runs.values() for name in each))
        for name, root in self.places.items():
            if root is not None and not Path(root).expanduser().exists():
                raise UserError(f"paper.{name}={root}: there is nothing at that path; correct it")
        for name in self.only:
            if name not in every:
                raise UserError(f"paper.only: there is no {name} in it; choose of {', '.join(every)}")

    def report(
        self, results: Path, words: Sequence[str], claims: Path, published: Callable[[str], Published]
    ) -> int:
        """Run what is missing, print the judged claims and write them.

        Args:
            results: Folder of the tables.
            words: Overrides as the user typed them; they are laid over every experiment.
            claims: File of the claims.
            published: Reads published numbers by name.

        Returns:
            The exit code: rows open if an experiment gave no table.
        """
        asked = {name: one for name, one in read_claims(claims).items() if self._wanted(one.experiment)}
        common = [*(word for word in words if not word.startswith(_OWN)), f"results_dir={results}"]
        found: dict[str, list[Ran]] = {}
        todo = list(self._todo({one.experiment for one in asked.values()}))
        for number, (place, name, own) in enumerate(todo, 1):
            line = f"paper: {number} of {len(todo)}: {name} on {place}"
            print(f"{line}: ./scripts/run {' '.join(own)}", file=sys.stderr, flush=True)
            ran = run([*own, *common])
            print(f"  {ran.archive or 'no table'}", file=sys.stderr, flush=True)
            found.setdefault(name, []).append(ran)
        judged = [_judge(name, one, found.get(one.experiment, []), published) for name, one in asked.items()]
        print(text(judged))
        print("\nwritten, with all notes:", *write_claims(results / "paper", judged), sep="\n  ")
        whole = all(ran.archive for each in found.values() for ran in each)
        return ExitCode.COMPLETE if whole else ExitCode.ROWS_OPEN

    def _wanted(self, experiment: str) -> bool:
        return not self.only or experiment in self.only

    def _todo(self, experiments: set[str]) -> Iterator[tuple[str, str, list[str]]]:
        """Yield place, experiment and words of each run, those on images of the user's first."""
        for place, each in self.runs.items():
            root = self.places.get(place)
            if place in self.places and root is None:
                continue
            for name, words in each.items():
                if name in experiments:
                    yield place, name, list(words)


def _judge(name: str, claim: Claim, ran: Sequence[Ran], published: Callable[[str], Published]) -> Judged:
    tables: list[Table] = []
    for one in ran:
        if one.archive is not None:
            path = one.archive.with_name(f"{claim.table}.json") if claim.table else one.archive
            if path.is_file():
                tables.append(read_table(path, published).table)
    return judge_all(name, claim, tables, [one.reason for one in ran])
