"""The paper's claims: each names what exists, and its verdict follows from the table of its experiment."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.commands import Command
from helpers.handmade import (
    DATASET,
    PUBLISHED,
    ROOT,
    correlations,
    estimate,
    on_another_dataset,
    result,
    table,
)

from benchmark.core.errors import UserError
from benchmark.core.types import Difference, Estimate, OpenRow
from benchmark.reporting.published import load
from benchmark.reporting.table import Table
from benchmark.tasks.paper.claims import WORDS, Claim, judge_all, read_claims
from benchmark.tasks.paper.render import text, write_claims

CLAIMS = ROOT / "results" / "published" / "claims" / "paper.yaml"
RUNS = yaml.safe_load((ROOT / "conf" / "task" / "paper.yaml").read_text())["paper"]["runs"]


def claim(**fields: Any) -> Claim:
    common = {"claim": "Maps are good", "section": "4", "published": "50 %", "experiment": "small"}
    return Claim(**(common | fields))


NUMBER = claim(metric="loc_top1", row="a/cam")
ORDER = claim(metric="loc_top1", above="b/cam", below="a/cam")


def measured(a: float, b: float, apart: Estimate | None = None, half: float = 0.02) -> Table:
    rows = [
        result(f"{name}/cam", {"loc_top1": estimate(value, half)}) for name, value in (("a", a), ("b", b))
    ]
    rows = [replace(row, conditions={}) for row in rows]
    entries = {name: replace(row, models=("a", "b")) for name, row in PUBLISHED.rows.items()}
    own = (Difference("a/cam", "b/cam", "loc_top1", apart),) if apart else ()
    return table(*rows, differences=own, published=replace(PUBLISHED, rows=entries))


@pytest.mark.parametrize(
    ("one", "tables", "word", "says"),
    [
        (NUMBER, [measured(0.51, 0.6)], "matches", ""),
        (
            NUMBER,
            [measured(0.56, 0.6)],
            "open",
            "unexplained (no reason of known size, +4.00 left): Other weights.",
        ),
        (NUMBER, [on_another_dataset(result())], "not comparable", "measured on other images"),
        (NUMBER, [on_another_dataset(result()), measured(0.51, 0.6)], "matches", ""),
        (NUMBER, [table(OpenRow("a/cam", "a", "cam", "no weights"))], "open", "no weights"),
        (NUMBER, [], "open", "no such dataset"),
        (claim(missing="people"), [measured(0.5, 0.5)], "open", "people"),
        (ORDER, [measured(0.5, 0.6, Estimate(-0.1, -0.2, -0.01, 9))], "matches", ""),
        (ORDER, [measured(0.5, 0.6, Estimate(-0.1, -0.2, 0.01, 9))], "open", "undecided here; more images"),
        (ORDER, [measured(0.6, 0.5, Estimate(0.1, 0.01, 0.2, 9))], "open", "the other order here"),
        (ORDER, [measured(0.5, 0.6)], "matches", ""),
        (ORDER, [measured(0.5, 0.6, half=0.06)], "open", "undecided"),
        (
            claim(metric="rank_correlation", above="b/cam", below="a/cam"),
            [correlations()],
            "not comparable",
            "the same order here; another net",
        ),
    ],
)
def test_a_claim_is_judged_by_the_table_that_says_most(
    one: Claim, tables: list[Table], word: str, says: str
) -> None:
    judged = judge_all("name", one, tables, ["no such dataset"] if not tables else [])
    assert judged.word == word
    assert says in judged.why
    assert bool(judged.why) == (word not in ("matches", "explained"))
    assert bool(judged.measured) == bool(judged.estimate)


def test_an_order_is_the_papers_whichever_way_the_table_has_the_difference() -> None:
    judged = judge_all("name", ORDER, [measured(0.5, 0.6, Estimate(-0.1, -0.2, -0.01, 9))], [])
    assert judged.estimate == (0.1, 0.01, 0.2, 9)
    assert judged.measured == "b/cam 60.00 and a/cam 50.00, difference +10.00 [1.0–20.0] (paired)"


def test_an_order_of_two_numbers_of_one_row_is_judged_by_their_paired_difference() -> None:
    gain = {"loc_top1": estimate(0.5), "cls_top1": estimate(0.49), "loc_top1_gain": estimate(0.01, 0.005)}
    one = claim(metric="loc_top1", than="cls_top1", above="a/cam", below="a/cam")
    judged = judge_all("name", one, [table(result("a/cam", gain))], [])
    assert judged.measured.endswith("(paired)")
    assert judged.estimate == gain["loc_top1_gain"]


def test_the_list_is_printed_and_written_with_every_number(tmp_path: Path) -> None:
    judged = [judge_all(n, one, [measured(0.51, 0.6)], []) for n, one in {"a": NUMBER, "b": ORDER}.items()]
    printed = text([*judged, judge_all("c", claim(missing="people"), [], [])])
    assert max(map(len, printed.splitlines())) <= 100
    assert "matches: Maps are good" in printed
    assert "51.00 [49.0–53.0]" in printed
    assert printed.endswith("3 claims: 2 matches, 0 explained, 0 not comparable, 1 open")
    for path in write_claims(tmp_path, judged):
        assert "Maps are good" in path.read_text()
    assert json.loads((tmp_path / "paper.json").read_text())[0]["estimate"]["value"] == 0.51


def test_each_claim_of_the_paper_names_rows_and_experiments_that_exist() -> None:
    there = {path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml")}
    every = {name for each in RUNS.values() for name in each}
    assert {one.experiment for one in read_claims(CLAIMS).values()} == every == set(RUNS["embedded"])
    for one in read_claims(CLAIMS).values():
        if not one.metric:
            assert one.missing, one.claim
            continue
        assert one.experiment in there, one.claim
        rows = yaml.safe_load((ROOT / "conf" / "experiment" / f"{one.experiment}.yaml").read_text())["table"][
            "rows"
        ]
        for row in filter(None, (one.row, one.above, one.below)):
            assert row in rows or row.startswith("trust/"), row


def test_each_order_of_two_rows_is_judged_by_a_paired_difference() -> None:
    """Of one number; `sec` and people's answers have theirs without an option."""
    compared = yaml.safe_load((ROOT / "conf" / "task" / "paper.yaml").read_text())["paper"]["compared"]
    orders = [one for one in read_claims(CLAIMS).values() if one.above and not one.than and not one.table]
    assert {one.experiment for one in orders} >= {"table1", "pointing", "counterfactual"}
    for place, one in ((place, one) for place in RUNS for one in orders if one.experiment in RUNS[place]):
        words = RUNS[place][one.experiment]
        own = yaml.safe_load((ROOT / "conf" / "experiment" / f"{one.experiment}.yaml").read_text())["table"]
        typed = [word.partition("=")[2] for word in words if word.startswith("table.differences=")]
        if one.experiment == "table1":
            assert f"[{one.above},{one.below}]" in compared
            assert "${paper.compared}" in words
        elif one.experiment != "sec":
            assert (typed or [own["differences"]])[-1] == one.metric, (place, one.claim)


def test_the_published_numbers_of_the_claims_are_those_of_the_tables() -> None:
    """A number stands in two files: in words beside the claim, and where measurements are held against it."""
    own = ("occlusion", "table1", "study", "sec", "neurons", "caption", "vqa", "adversarial", "bias")
    files = {name: name for name in own} | {"pointing": "pointing_coco2014"}
    for name, one in read_claims(CLAIMS).items():
        rows = (
            load(CLAIMS.parents[1] / f"{files[one.experiment]}.yaml").rows if one.experiment in files else {}
        )
        wanted = [rows[row].metrics.get(one.metric) for row in (one.row, one.below, one.above) if row in rows]
        for value in filter(None, wanted):
            shown = one.published.replace("+", "")
            assert any(
                f"{number:.{n}f}" in shown for number in (value, 100 * value) for n in (0, 1, 2, 3, 4)
            ), name


@pytest.mark.parametrize(
    ("text_", "complaint"),
    [
        ("claims: 3", "is no list of claims"),
        ("claims: {a: {claim: c}}", "is no list of claims"),
        (
            "claims: {a: {claim: c, section: s, published: p, experiment: e, metric: m}}",
            "give metric and row",
        ),
    ],
)
def test_a_slip_in_the_claims_is_one_line(tmp_path: Path, text_: str, complaint: str) -> None:
    path = tmp_path / "paper.yaml"
    path.write_text(text_)
    with pytest.raises(UserError, match=complaint) as refused:
        read_claims(path)
    assert str(path) in str(refused.value)


def test_the_words_of_a_verdict_are_four() -> None:
    assert WORDS == ("matches", "explained", "not comparable", "open")
    assert DATASET.name == "some_images"


@pytest.mark.slow
def test_the_command_runs_an_experiment_and_recalls_it(command: Command, tmp_path: Path) -> None:
    words = (f"results_dir={tmp_path / 'results'}", f"cache_dir={tmp_path}", "tracking=none", "pictures=0")
    own = ("experiment=counterfactual", "dataset=embedded_two", "dataset.of.count=48", "dataset.count=4")
    small = f"paper.runs.embedded.counterfactual={json.dumps(own)}"
    made: list[str] = []
    for _ in range(2):
        status, printed, told = command(
            "run", "experiment=paper", "paper.only=[counterfactual]", *words, small
        )
        assert (status, "paper: 1 of 1: counterfactual on embedded" in told) == (0, True), told
        assert "difference" in printed
        made.append(printed)
        assert ("images/s" in told) == (len(made) == 1)
    assert made[0] == made[1]
    assert (tmp_path / "results" / "paper" / "paper.md").is_file()
    for word, says in (
        ("dataset=voc2007", "paper.voc2007=DIR"),
        ("paper.only=[x]", "there is no x in it"),
        ("paper.ilsvrc=/x", "paper.ilsvrc=/x: there is nothing at that path"),
    ):
        status, _, complaint = command("run", "experiment=paper", word, *words)
        assert (status, complaint.count("\n"), says in complaint) == (2, 1, True)
