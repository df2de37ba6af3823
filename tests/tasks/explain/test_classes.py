"""Classes that a person names."""

import pytest

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import load_classes
from benchmark.tasks.explain.classes import Outputs

ILSVRC = Outputs(load_classes().wnids, load_classes().names)


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ("281", 281),
        ("n02123045", 281),
        ("Tabby", 281),
        ("tabby cat", 281),
        ("golden retriever", 207),
        ("espresso", 967),
    ],
)
def test_an_output_is_found_by_number_wnid_name_and_synonym(wanted: str, output: int) -> None:
    assert ILSVRC.find(wanted) == output


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("retriever", "is in 5 classes"),
        ("tabbi", "nearest: tabby"),
        ("1000", "numbers are 0 to 999; "),
        ("qqqq", "the first of its classes: "),
    ],
)
def test_a_name_of_several_classes_or_of_none_is_refused(wanted: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        ILSVRC.find(wanted)
