"""Conventions as overrides, the same that one types: a state of the walk is a list of them."""

import re
from collections.abc import Callable, Iterable, Sequence

Words = Sequence[str]
"""Overrides, and conventions of the scoring as ``score.truth=first``."""

_SCORE = "score."
_PLACE = re.compile(r"<([\w.]+)(?:\|([\w.]+))?>")


def key_of(word: str) -> str:
    """Return the key of an override."""
    return word.partition("=")[0].lstrip("+~")


def laid_over(base: Words, new: Words, groups: Callable[[str], bool]) -> list[str]:
    """Lay overrides over others: a key is taken from the new ones, a newly chosen group forgets its options.

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
    """Join the overrides of several conventions.

    One that chooses a group, such as another localizer, has no use for the options that other conventions
    would change in the run's own.
    """
    chosen = {key_of(word) for words in settings for word in words if groups(key_of(word))}
    kept: list[str] = []
    for words in settings:
        others = chosen - {key_of(word) for word in words}
        kept += [word for word in words if key_of(word).partition(".")[0] not in others]
    return kept


def filled(words: Words, setting: Callable[[str], str | None]) -> list[str] | None:
    """Put the run's own setting in the place of ``<key>``, or of ``<key|default>``.

    Args:
        words: Overrides.
        setting: Gives the run's value of an option as text, ``None`` if it has no such option.

    Returns:
        ``None`` where the run has no such setting, and there is no default.
    """
    pairs = {found.groups() for word in words for found in _PLACE.finditer(word)}
    values = {key: default if (own := setting(key)) is None else own for key, default in pairs}
    if None in values.values():
        return None
    return [_PLACE.sub(lambda match: str(values[match.group(1)]), word) for word in words]


def touched(word: str, settings: Iterable[Words], groups: Callable[[str], bool]) -> bool:
    """Return whether a word sets what a convention is about.

    That is the key that the convention's settings end with; or the word chooses the group that has it.
    """
    key = key_of(word)
    ends = {key_of(words[-1]) for words in settings if words}
    return key in ends or (groups(key) and any(end.startswith(f"{key}.") for end in ends))


def parted(words: Words) -> tuple[list[str], list[str]]:
    """Separate overrides of the run from conventions of the scoring, these without their ``score.``."""
    scoring = [word.removeprefix(_SCORE) for word in words if word.startswith(_SCORE)]
    return [word for word in words if not word.startswith(_SCORE)], scoring
