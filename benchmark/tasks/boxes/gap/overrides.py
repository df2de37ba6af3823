"""Conventions as words, the same that one types: a state of the walk is a list of overrides."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Words = Sequence[str]
Setting = Callable[[str], str | None]
"""What the run has at a key, as text; ``None`` where it has no such option."""

_SCORE = "score."
_PLACE = re.compile(r"<([\w.]+)(?:\|([\w.]+))?>")


def key_of(word: str) -> str:
    """The key of an override."""
    return word.partition("=")[0].lstrip("+~")


def laid_over(base: Words, new: Words, groups: Callable[[str], bool]) -> list[str]:
    """Overrides under others: a key is taken from the new ones, and a newly chosen group forgets its options.

    Args:
        base: Overrides.
        new: Overrides that win.
        groups: Whether a key is a group, such as ``localizer``.
    """
    keys = {key_of(word) for word in new}
    chosen = tuple(f"{key}." for key in keys if groups(key))
    kept = [w for w in base if key_of(w) not in keys and not (chosen and key_of(w).startswith(chosen))]
    return [*kept, *new]


def joined(settings: Sequence[Words], groups: Callable[[str], bool]) -> list[str]:
    """The words of several knobs at once.

    One that chooses a group, such as another localizer, has no use for the options that other knobs would
    change in the run's own.
    """
    chosen = {key_of(word) for words in settings for word in words if groups(key_of(word))}
    kept: list[str] = []
    for words in settings:
        others = chosen - {key_of(word) for word in words}
        kept += [word for word in words if key_of(word).partition(".")[0] not in others]
    return kept


def filled(words: Words, setting: Setting) -> list[str] | None:
    """Words with the run's own setting in the place of ``<key>``, or of ``<key|default>``.

    ``None`` where the run has no such setting, and there is no default.
    """
    pairs = {found.groups() for word in words for found in _PLACE.finditer(word)}
    values = {key: default if (own := setting(key)) is None else own for key, default in pairs}
    if None in values.values():
        return None
    return [_PLACE.sub(lambda match: str(values[match.group(1)]), word) for word in words]


def covered(word: str, by: Iterable[Words]) -> bool:
    """Whether some of the settings decide the very key that a word sets."""
    return any(key_of(word) == key_of(other) for words in by for other in words)


def touched(word: str, settings: Iterable[Words], groups: Callable[[str], bool]) -> bool:
    """Whether a word sets what a knob turns: the key that its settings end with, or a group that has it."""
    key = key_of(word)
    ends = {key_of(words[-1]) for words in settings if words}
    return key in ends or (groups(key) and any(end.startswith(f"{key}.") for end in ends))


def parted(words: Words) -> tuple[list[str], list[str]]:
    """Overrides of the run, and conventions of the scoring without their ``score.``."""
    scoring = [word.removeprefix(_SCORE) for word in words if word.startswith(_SCORE)]
    return [word for word in words if not word.startswith(_SCORE)], scoring


def walk(knobs: Sequence[str], paper: Mapping[str, Words]) -> list[tuple[str, list[Words]]]:
    """From the paper's conventions to the run's: the knob just turned, and what is the paper's yet.

    Args:
        knobs: All of them, in the order in which they are turned.
        paper: Knob to the paper's setting, where it is not the run's.
    """
    order = [knob for knob in knobs if knob in paper]
    return [
        (order[done - 1] if done else "", [paper[knob] for knob in order[done:]])
        for done in range(len(order) + 1)
    ]
