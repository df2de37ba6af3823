"""Words over words: which setting holds when two of them are about the same thing."""

from benchmark.tasks.boxes.gap.overrides import filled, joined, laid_over, parted, touched

DTBOX, LOWER, TEN = ["localizer=cam_dtbox"], ["localizer.threshold=0.08"], ["transform=ten_crop"]


def groups(key: str) -> bool:
    return key in {"model", "transform", "localizer", "method"}


def test_a_newly_chosen_group_forgets_its_options_and_nothing_else() -> None:
    base = ["model=a", "model.weights=w", "localizer=b", "localizer.threshold=0.2", "dataset.root=/x"]
    assert laid_over(base, ["localizer=c"], groups) == [
        *("model=a", "model.weights=w", "dataset.root=/x", "localizer=c")
    ]
    assert laid_over(base, ["localizer.threshold=0.3"], groups) == [
        *("model=a", "model.weights=w", "localizer=b", "dataset.root=/x", "localizer.threshold=0.3")
    ]
    assert laid_over(base, [], groups) == base


def test_an_option_of_the_run_s_own_choice_is_dropped_while_another_choice_is_in_force() -> None:
    assert joined([TEN, DTBOX, LOWER], groups) == [*TEN, *DTBOX]
    assert joined([LOWER], groups) == LOWER
    own = ["localizer=open_box", "localizer.component=all"]
    assert joined([own], groups) == own


def test_the_run_s_own_setting_is_filled_in_or_the_words_do_not_apply() -> None:
    own: dict[str, str] = {"localizer.threshold": "0.2"}
    words = ["localizer=open_box", "localizer.threshold=<localizer.threshold>"]
    assert filled(words, lambda key: own.get(key)) == ["localizer=open_box", "localizer.threshold=0.2"]
    assert filled(words, lambda _: None) is None
    assert filled(TEN, lambda _: None) == TEN


def test_a_setting_that_the_run_has_not_may_have_a_default() -> None:
    words = ["localizer.component=<localizer.component|pixels>"]
    assert filled(words, lambda _: None) == ["localizer.component=pixels"]
    assert filled(words, lambda _: "all") == ["localizer.component=all"]


def test_a_word_touches_the_convention_that_ends_with_its_key_and_a_group_those_of_its_options() -> None:
    component = [
        ["localizer=open_box", "localizer.threshold=<localizer.threshold>", "localizer.component=box"]
    ]
    assert touched("localizer.component=all", component, groups)
    assert touched("localizer=cam_20", component, groups)
    assert not touched("localizer.threshold=0.5", component, groups)
    assert not touched("method.layer=pool5", component, groups)
    assert not touched("localizer.threshold=0.5", [TEN], groups)


def test_conventions_of_the_scoring_are_told_from_overrides() -> None:
    assert parted(["score.truth=first", *TEN]) == (TEN, ["truth=first"])
