"""Nested values as dotted keys."""

from benchmark.core.nested import flatten, without_folders


def test_mappings_become_dotted_keys_and_values_text() -> None:
    tree = {"run": {"batch": 16, "half": 0.5, "on": True, "none": None}, "name": "µ"}
    assert flatten(tree) == {
        "run.batch": "16",
        "run.half": "0.5",
        "run.on": "true",
        "run.none": "null",
        "name": "µ",
    }


def test_a_list_is_one_leaf_unless_it_holds_mappings() -> None:
    assert flatten({"grid": [0.1, 0.2], "names": ("a", "b")}) == {"grid": "[0.1, 0.2]", "names": '["a", "b"]'}
    assert flatten({"made_by": [{"commit": "c"}, {"commit": "d"}]}) == {
        "made_by.0.commit": "c",
        "made_by.1.commit": "d",
    }


def test_nothing_in_gives_nothing_out() -> None:
    assert flatten({}) == {}
    assert flatten({"a": {}}) == {}


def test_absolute_paths_lose_their_folders_and_nothing_else_changes() -> None:
    tree = {"a": ["/x/y.txt", "loss1/"], "b": {"c": "~/data", "d": "p.q/r", "e": None}, "n": 3}
    assert without_folders(tree) == {
        "a": ["y.txt", "loss1/"],
        "b": {"c": "data", "d": "p.q/r", "e": None},
        "n": 3,
    }
