"""Which number rows are compared by, whatever their options make of the name that the table has."""

import pytest

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.comparison import Headline, Metrics, headlines
from benchmark.tasks.pairs.metrics.deletion_insertion import DeletionInsertion
from benchmark.tasks.pairs.metrics.pointing_recall import PointingRecall
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation

M = "rank_correlation"
SPEARMAN: Metrics = {M: RankCorrelation(M, 1)}
KENDALL: Metrics = {M: RankCorrelation(M, 1, coefficient="kendall")}
FINE: Metrics = {M: RankCorrelation(M, 1, grids=(28,))}
RECALL: Metrics = {"pointing_recall": PointingRecall("pointing_recall", 1)}
BOTH: Metrics = {"deletion_insertion": DeletionInsertion("deletion_insertion", 1), **KENDALL}


def test_a_number_is_meant_by_its_name() -> None:
    assert headlines({"a": SPEARMAN}, "rank_correlation_28", strict=True) == {
        "a": Headline("rank_correlation_28", M)
    }
    assert headlines({"a": SPEARMAN}, M, strict=True) == {"a": Headline(M, M)}


@pytest.mark.parametrize(
    ("metrics", "made"), [(KENDALL, "kendall"), (FINE, "rank_correlation_28"), (BOTH, "kendall")]
)
def test_a_pair_metric_s_name_is_the_first_number_that_its_options_make(metrics: Metrics, made: str) -> None:
    assert headlines({"a": metrics}, M, strict=True) == {"a": Headline(made, M)}


def test_each_row_has_its_own_and_one_without_it_none() -> None:
    rows = {"a": SPEARMAN, "b": KENDALL, "c": RECALL}
    assert headlines(rows, M, strict=True) == {"a": Headline(M, M), "b": Headline("kendall", M)}


def test_a_name_that_no_row_makes_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        UserError, match=r"^table\.differences=kendal: .*choose kendall \| kendall_28 \| const"
    ):
        headlines({"a": KENDALL, "b": KENDALL}, "kendal", strict=True)


def test_where_other_pair_metrics_were_chosen_rows_are_compared_by_their_first_number() -> None:
    named = Headline("pointing_recall", "pointing_recall")
    assert headlines({"a": RECALL, "b": {}}, "pointing", strict=False) == {"a": named}


def test_where_nothing_is_to_be_compared_nothing_is() -> None:
    assert headlines({"a": SPEARMAN}, None, strict=True) == {}
