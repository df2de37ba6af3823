"""Every value of a shipped yaml that can change a number is what its source says."""

import pytest

from facts import boxes, data, layers, methods, models, pairs, runs, segmentation, texts
from facts.shipped import Fact, Shipped, dotted, numeric

PARTS = (layers, models, boxes, methods, pairs, data, runs, segmentation, texts)
FACTS: list[Fact] = [fact for part in PARTS for fact in part.FACTS]
SHIPPED = Shipped()


@pytest.mark.parametrize("fact", FACTS, ids=str)
def test_a_shipped_yaml_is_as_its_source_says(fact: Fact) -> None:
    try:
        fact.check(SHIPPED, fact.yaml)
    except Exception as error:
        error.add_note(f"{fact.yaml}: {fact.states} [{fact.source}]")
        raise


@pytest.mark.parametrize("name", SHIPPED.names())
def test_every_value_that_can_change_a_number_is_stated(name: str) -> None:
    own = [fact for fact in FACTS if fact.yaml == name]
    keys = [dotted(path) for path, _ in numeric(SHIPPED.raw(name))]
    assert [key for key in keys if not any(fact.settles(key) for fact in own)] == []
