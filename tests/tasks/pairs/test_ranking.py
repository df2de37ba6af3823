"""What the sentences on the methods' order say, on numbers made by hand."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from helpers.handmade import result

from benchmark.core.types import Difference, Estimate, Result
from benchmark.reporting.published import Column, Published, PublishedRow
from benchmark.tasks.pairs.comparison import Headline, family, orders

M = "rank_correlation"
HEAD = Headline(M, M)


def rows(numbers: Mapping[str, float], metric: str = M) -> list[Result]:
    return [
        replace(result(metrics={metric: Estimate(value, value, value, 9)}), row=row)
        for row, value in numbers.items()
    ]


def told(first: str, second: str, low: float, high: float, metric: str = M) -> Difference:
    return Difference(first, second, metric, Estimate((low + high) / 2, low, high, 9))


def published(numbers: Mapping[str, float]) -> Published:
    entries = {row: PublishedRow({M: value}, "somewhere", {}, "") for row, value in numbers.items()}
    return Published("", "", "voc2007", {M: Column("", "correlation", "")}, entries)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("vgg16/cam", ("vgg16", "")),
        ("vgg16/cam/patch=16/fill=mean", ("vgg16", "patch=16/fill=mean")),
        ("vgg16", ("vgg16", "")),
    ],
)
def test_rows_are_compared_within_a_network_and_its_settings(row: str, expected: tuple[str, str]) -> None:
    assert family(row) == expected


def test_the_chain_goes_down_and_nothing_is_said_of_what_was_not_compared() -> None:
    (sentence,) = orders(rows({"net/a": 0.1, "net/b": 0.3, "net/c": -0.2}), HEAD, (), None)
    assert sentence == "net by rank_correlation: b 0.300 > a 0.100 > c -0.200"


def test_differences_whose_interval_holds_zero_are_counted() -> None:
    found = rows({"net/a": 0.1, "net/b": 0.3, "net/c": 0.2})
    apart = [
        told("net/b", "net/a", 0.1, 0.3),
        told("net/b", "net/c", -0.1, 0.3),
        told("net/c", "net/a", 0.0, 0.2),
        told("net/b", "net/c", 0.1, 0.2, "another"),
        told("other/b", "other/c", -0.1, 0.2),
    ]
    (sentence,) = orders(found, HEAD, apart, None)
    assert sentence.endswith("; 2 of 3 differences have 0 in their interval")


def test_pairs_in_the_published_order_are_counted_and_exceptions_named() -> None:
    found = rows({"net/a": 0.4, "net/b": 0.3, "net/c": 0.1, "net/d": 0.2, "net/e": 0.0})
    theirs = published({"net/b": 0.9, "net/a": 0.8, "net/c": 0.7, "net/d": 0.6, "else/e": 0.1})
    apart = [
        told("net/a", "net/b", 0.05, 0.15),  # against the published order, and certain
        told("net/d", "net/c", -0.05, 0.25),  # against it, and not
        told("net/a", "net/c", 0.1, 0.5),
    ]
    (sentence,) = orders(found, HEAD, apart, theirs)
    chain, count, others, agreement, certain = sentence.split("; ")
    assert chain == "net by rank_correlation: a 0.400 > b 0.300 > d 0.200 > c 0.100 > e 0.000"
    assert count == "1 of 3 differences have 0 in their interval"
    assert others == "published b 0.900 > a 0.800 > c 0.700 > d 0.600"
    assert agreement == "4 of 6 pairs of methods stand in the published order"
    assert certain == "against it: a above b (beyond the interval), d above c"


def test_an_exception_within_the_interval_is_named_without_a_mark() -> None:
    found, theirs = rows({"net/a": 0.4, "net/b": 0.3}), published({"net/b": 0.9, "net/a": 0.8})
    (sentence,) = orders(found, HEAD, [told("net/a", "net/b", -0.1, 0.3)], theirs)
    assert sentence.endswith("0 of 1 pairs of methods stand in the published order; against it: a above b")


def test_one_published_number_is_no_order() -> None:
    (sentence,) = orders(rows({"net/a": 0.4, "net/b": 0.3}), HEAD, (), published({"net/b": 0.9}))
    assert "published" not in sentence


def test_each_setting_and_network_has_a_sentence_and_a_lone_row_none() -> None:
    found = rows(
        {
            "net/a/patch=8": 0.4,
            "net/a/patch=16": 0.2,
            "net/b/patch=8": 0.3,
            "net/b/patch=16": 0.3,
            "other/a/patch=8": 0.9,
        }
    )
    eight, sixteen = orders(found, HEAD, (), published({"net/a": 0.9, "net/b": 0.8}))
    assert eight.startswith(
        "net, patch=8 by rank_correlation: a 0.400 > b 0.300; published a 0.900 > b 0.800"
    )
    assert eight.endswith("1 of 1 pairs of methods stand in the published order")
    assert sixteen.endswith("0 of 1 pairs of methods stand in the published order; against it: b above a")


def test_rows_without_the_metric_take_no_part() -> None:
    found = rows({"net/a": 0.4, "net/b": 0.3}) + rows({"net/c": 0.9}, "pointing")
    (sentence,) = orders(found, HEAD, (), None)
    assert "c" not in sentence.partition(": ")[2]


def test_one_image_tells_no_two_methods_apart() -> None:
    found, theirs = rows({"net/a": 0.4, "net/b": 0.3}), published({"net/b": 0.9, "net/a": 0.8})
    (sentence,) = orders(found, HEAD, [told("net/a", "net/b", -math.inf, math.inf)], theirs)
    assert "1 of 1 differences have 0 in their interval" in sentence
    assert sentence.endswith("against it: a above b")


def test_another_number_of_the_pair_metric_is_held_against_the_published_order_and_says_so() -> None:
    found = rows({"net/a": 0.4, "net/b": 0.3}, "kendall")
    theirs = published({"net/a": 0.9, "net/b": 0.8})
    (sentence,) = orders(found, Headline("kendall", M), (), theirs)
    assert sentence.startswith(
        "net by kendall: a 0.400 > b 0.300; published by rank_correlation: a 0.900 > b"
    )
    (alone,) = orders(found, Headline("kendall", "another"), (), theirs)
    assert "published" not in alone
