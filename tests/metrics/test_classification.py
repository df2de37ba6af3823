import numpy as np
import pytest
from helpers.random_records import make

from benchmark.core.types import Records
from benchmark.metrics.classification import Classification


def slowly(records: Records, depth: int) -> float:
    wrong = 0
    for row in range(len(records)):
        error = 1
        for guess in range(depth):
            if records.classes[row, guess] == records.labels[row]:
                error = 0
        wrong += error
    return wrong / len(records)


@pytest.mark.parametrize("seed", range(5))
def test_errors_are_the_devkits_minimum_over_guesses_written_out(seed: int) -> None:
    records = make(seed)
    errors = Classification()(records)
    assert set(errors) == {"cls_top1", "cls_top5"}
    assert errors["cls_top1"].value == pytest.approx(slowly(records, 1))
    assert errors["cls_top5"].value == pytest.approx(slowly(records, 5))


def test_the_blacklist_does_not_count() -> None:
    records = make(0, blacklisted=np.ones(60, np.bool_))
    errors = Classification()(records)
    assert errors["cls_top1"].n == 60
    assert errors == Classification()(make(0, blacklisted=np.zeros(60, np.bool_)))


def test_top5_is_left_out_where_it_cannot_be_answered() -> None:
    alone = make(0).classes.copy()
    alone[:, 1:] = -1
    assert set(Classification()(make(0, classes=alone))) == {"cls_top1"}
    alone[:, 1:4] = make(0).classes[:, 1:4]
    assert set(Classification()(make(0, classes=alone))) == {"cls_top1"}
    assert set(Classification()(make(0, k=4))) == {"cls_top1"}
    assert set(Classification()(make(0, k=1))) == {"cls_top1"}


def test_images_with_fewer_guesses_are_judged_by_those_they_have() -> None:
    classes = make(0).classes.copy()
    classes[::2, 1:] = -1
    records = make(0, classes=classes)
    assert Classification()(records)["cls_top5"].value == pytest.approx(slowly(records, 5))


def test_guesses_beyond_the_fifth_do_not_count() -> None:
    records = make(0, k=8)  # eight classes: one of eight guesses is always right
    assert Classification()(records)["cls_top5"].value == pytest.approx(slowly(records, 5))


def test_without_images_there_is_no_estimate() -> None:
    assert Classification()(make(0, n=0)) == {}
