"""Verdicts: hand-made numbers whose verdict one sees at once."""

from dataclasses import replace
from typing import Any

import pytest
from helpers.handmade import PUBLISHED, correlations, on_another_dataset, result, table

from benchmark.core.types import Estimate, Result
from benchmark.reporting.lines import lines
from benchmark.reporting.published import Published, PublishedRow, Reason
from benchmark.reporting.render.notes import notes
from benchmark.reporting.table import Table
from benchmark.reporting.verdicts import Cause, causes, judge

ROW = PUBLISHED.rows["a/cam"]  # 30 % of the classes wrong, 50 % of the boxes or classes
WEIGHTS = Reason("other weights", "a study", {"loc_top1": (-0.02, 0.01)}, {})


def measured(cls: float, loc: float, half: float = 0.01) -> Result:
    numbers = {"cls_top1": cls, "loc_top1": loc}
    return result(metrics={name: Estimate(v, v - half, v + half, 100) for name, v in numbers.items()})


def row(*reasons: Reason) -> PublishedRow:
    return replace(ROW, reasons={reason.what: reason for reason in reasons})


def word(found: Result, published: PublishedRow) -> str:
    return judge(found.metrics["loc_top1"], 0.5, causes(found, published, "loc_top1")).word


@pytest.mark.parametrize(
    ("loc", "told"),
    [(0.5, "matches"), (0.509, "matches"), (0.491, "matches"), (0.511, "unexplained"), (0.4, "unexplained")],
)
def test_without_a_reason_a_number_matches_or_is_unexplained(loc: float, told: str) -> None:
    assert word(measured(0.3, loc), ROW) == told


@pytest.mark.parametrize(
    ("loc", "told"),
    [
        (0.509, "matches"),
        (0.515, "explained"),  # 0.50 + 0.01 reaches 0.505
        (0.520, "explained"),  # at the very end
        (0.521, "unexplained"),
        (0.470, "explained"),  # 0.50 - 0.02 reaches 0.48, at the very end
        (0.469, "unexplained"),
    ],
)
def test_a_reason_explains_as_far_as_its_size_reaches_in_each_direction(loc: float, told: str) -> None:
    assert word(measured(0.3, loc), row(WEIGHTS)) == told


def test_the_sizes_of_several_reasons_add_up() -> None:
    other = replace(WEIGHTS, what="other crops", points={"loc_top1": (0.0, 0.03)})
    assert word(measured(0.3, 0.549), row(WEIGHTS, other)) == "explained"
    assert word(measured(0.3, 0.551), row(WEIGHTS, other)) == "unexplained"


def test_what_is_left_is_the_distance_that_no_reason_covers_with_its_sign() -> None:
    for loc, left in ((0.60, 0.60 - 0.01 - 0.51), (0.40, 0.40 + 0.01 - 0.48)):
        found = measured(0.3, loc)
        assert judge(found.metrics["loc_top1"], 0.5, causes(found, row(WEIGHTS), "loc_top1")).left == (
            pytest.approx(left)
        )


def test_the_share_of_classification_is_that_of_the_same_boxes_under_other_classes() -> None:
    """0.7 of the classes right and 0.5 with their box: 5 of 7. Of 0.63 right ones that is 0.45."""
    (cause,) = causes(measured(0.37, 0.55), ROW, "loc_top1")
    assert cause.what == "another classification error"
    assert cause.low == cause.high == pytest.approx(0.05)
    assert word(measured(0.37, 0.55), ROW) == "explained"
    assert word(measured(0.30, 0.55), ROW) == "unexplained"
    assert word(measured(0.23, 0.55), ROW) == "unexplained", "the share has the other sign"


def test_a_difference_in_classification_itself_is_explained_by_nothing_but_a_typed_reason() -> None:
    assert causes(measured(0.37, 0.55), ROW, "cls_top1") == ()
    typed = row(replace(WEIGHTS, points={"cls_top1": (0.0, 0.07)}))
    assert causes(measured(0.37, 0.55), typed, "cls_top1") == (Cause("other weights", 0.0, 0.07, "a study"),)


@pytest.mark.parametrize(("name", "holds"), [("vgg16", True), ("vgg16_caffe", False), (None, False)])
def test_a_reason_holds_only_with_the_choices_it_is_about(name: str | None, holds: bool) -> None:
    about = replace(WEIGHTS, given={"model": ("vgg16",), "localizer": ("gradcam_15",)})
    config = {"localizer": {"name": "gradcam_15"}} | ({"model": {"name": name}} if name else {})
    found = replace(measured(0.3, 0.48), config=config)
    assert bool(causes(found, row(about), "loc_top1")) == holds


@pytest.mark.parametrize(
    ("localizer", "holds"),
    [({"name": "gradcam_15", "threshold": 0.15}, True), ({"name": "gradcam_15", "threshold": 0.5}, False)],
)
def test_a_reason_holds_only_with_the_options_it_is_about(localizer: dict[str, Any], holds: bool) -> None:
    about = replace(WEIGHTS, given={"localizer": ("gradcam_15",), "localizer.threshold": (0.15,)})
    found = replace(measured(0.3, 0.48), config={"localizer": localizer})
    assert bool(causes(found, row(about), "loc_top1")) == holds


def with_reason() -> Published:
    return replace(PUBLISHED, rows={**PUBLISHED.rows, "a/cam": row(WEIGHTS)})


def verdicts(made: Table) -> dict[tuple[str, str], str]:
    return {(line.row, line.metric): line.verdict.word if line.verdict else "" for line in lines(made)}


def test_every_measured_cell_with_a_published_number_has_a_verdict_and_no_other() -> None:
    assert verdicts(table(measured(0.3, 0.515), published=with_reason())) == {
        ("a/cam", "cls_top1"): "matches",
        ("a/cam", "loc_top1"): "explained",
    }
    assert verdicts(table())["b/cam", "loc_top1"] == "", "an open row"
    assert set(verdicts(on_another_dataset()).values()) == {"not comparable"}
    assert verdicts(table(result("c/cam"))) == {("c/cam", "cls_top1"): "", ("c/cam", "loc_top1"): ""}
    assert verdicts(correlations())["b/cam", "rank_correlation"] == "not comparable"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model": "c"}, "c is not the published network, for which a or b stands"),
        ({"method": "mwp"}, "mwp is not the published method, cam"),
    ],
)
def test_a_row_of_another_network_or_method_is_held_against_nothing(
    changes: dict[str, Any], why: str
) -> None:
    rows = {**PUBLISHED.rows, "a/cam": replace(row(WEIGHTS), models=("a", "b"))}
    published = replace(PUBLISHED, rows=rows)
    assert verdicts(table(result(model="b"), published=published))["a/cam", "cls_top1"] == "matches"
    made = table(result(**changes), published=published)
    for line in lines(made):
        assert (line.verdict and line.verdict.word, line.why) == ("not comparable", why)
        assert (line.difference, line.inside, line.reproduced) == (None, None, None)
    assert f"NOT COMPARABLE: {why}" in "".join(text for part in notes(made) for _, text in part.items)


def test_a_row_that_nothing_can_be_held_against_says_its_own_reason_whatever_its_name_ends_with() -> None:
    rows = {**PUBLISHED.rows, "a/epsilon_8": replace(row(WEIGHTS), not_comparable="one picture")}
    made = table(result("a/epsilon_8", method="grad_cam"), published=replace(PUBLISHED, rows=rows))
    assert {line.why for line in lines(made) if line.row == "a/epsilon_8"} == {"one picture"}


def test_the_reasons_of_a_line_are_told_with_their_effects_in_points() -> None:
    line = next(x for x in lines(table(measured(0.37, 0.60), published=with_reason())) if x.metric[0] == "l")
    assert line.verdict is not None
    assert (line.difference, line.verdict.word) == (0.1, "unexplained")
    assert list(map(str, line.verdict.causes)) == [
        "another classification error +5.00",
        "other weights [-2.00, +1.00]",
    ]


def test_the_notes_tell_each_verdict_its_reasons_what_is_left_and_the_sources() -> None:
    made = table(measured(0.37, 0.60), published=with_reason())
    section = next(section for section in notes(made) if section.heading == "Verdicts")
    told = dict(section.items)
    assert told["a/cam"] == (
        "cls top-1 unexplained (no reason of known size, +6.00 left); loc top-1 unexplained "
        "(another classification error +5.00, other weights [-2.00, +1.00], +3.00 left)"
    )
    assert told["other weights"] == "a study"
    assert told["another classification error"].startswith("computed: ")
    assert "no reason: its effect has no bound" in told[""]
    complete = replace(made, dataset=replace(made.dataset, complete=True))
    assert "" not in dict(next(s for s in notes(complete) if s.heading == "Verdicts").items)


def test_without_a_comparable_number_there_is_no_section_of_verdicts() -> None:
    for made in (on_another_dataset(), table(published=None), table(result("c/cam"))):
        assert "Verdicts" not in {section.heading for section in notes(made)}
