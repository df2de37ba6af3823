"""Options of plug-ins: declared by annotations, checked where an object is made."""

import difflib
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from benchmark.core.errors import UserError

Count = Annotated[int, "[1, inf)"]
Natural = Annotated[int, "[0, inf)"]
Fraction = Annotated[float, "[0, 1)"]
Share = Annotated[float, "(0, 1]"]
Positive = Annotated[float, "(0, inf)"]
NonNegative = Annotated[float, "[0, inf)"]
Grid = Annotated[tuple[Fraction, ...], "ascending"]

_NOUNS = {
    bool: ("true or false", "true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    NoneType: ("null", "null"),
}


class Checked:
    """Base of a dataclass whose fields are options, which a user finds in ``group``.

    ``class MaxBox(Checked, group="localizer")`` checks every field of the constructor by its annotation:
    ``bool``, ``int``, ``float`` (finite), ``str``, ``Literal``, tuples of such, and any of them ``| None``.
    ``Annotated`` adds an interval (``Annotated[float, "(0, 1]"]``; ``inf`` is never in it) or what a list has
    to be: ``ascending``, ``not empty``. Lists become tuples, and whole numbers floats where floats are
    declared. Fields of other types are not checked. Rules between options stand in ``__post_init__``, after
    ``super().__post_init__()``.

    Raises:
        UserError: If an option is not as its annotation says, or breaks a rule between options.
    """

    _group: ClassVar[str] = ""

    def __init_subclass__(cls, group: str | None = None) -> None:
        super().__init_subclass__()
        cls._group = cls._group if group is None else group

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self), include_extras=True)
        for name in (field.name for field in fields(self) if field.init):  # type: ignore[arg-type]
            value = check(f"{self._group}.{name}".lstrip("."), getattr(self, name), kinds[name])
            object.__setattr__(self, name, value)


def check(option: str, value: object, kind: Any) -> Any:
    """Return the value of an option as its annotation ``kind`` has it.

    Raises:
        UserError: If the annotation does not allow the value, naming option, value and range.
    """
    try:
        return _fitted(value, kind)
    except ValueError:
        choices = map(str, get_args(kind) if get_origin(kind) is Literal else ())
        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = "".join(f"; did you mean {choice}?" for choice in near)
        raise unfit(option, value, in_words(kind) + hint) from None


def unfit(option: str, value: object, must: str) -> UserError:
    """Make the error of an option out of range: ``GROUP.OPTION=VALUE: must be RANGE``."""
    if value is None or isinstance(value, bool):
        value = {None: "null", True: "true", False: "false"}[value]
    return UserError(f"{option}={list(value) if isinstance(value, tuple) else value}: must be {must}")


def _fitted(value: Any, kind: Any) -> Any:
    """Convert the value, or raise ValueError if it does not fit."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        value = _fitted(value, arguments[0])
        fits = all(_holds(limit, value) for limit in arguments[1:])
    elif origin in (Union, UnionType):
        return _first_fitted(value, arguments)
    elif origin is Literal:
        fits = any(value == choice and type(value) is type(choice) for choice in arguments)
    elif origin is tuple:
        if fits := isinstance(value, list | tuple):
            kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
            value = tuple(_fitted(one, each) for one, each in zip(value, kinds, strict=True))
    elif kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if fits := number and math.isfinite(value):
            value = float(value)
    else:
        fits = kind not in _NOUNS or type(value) is kind
    if not fits:
        raise ValueError
    return value


def _first_fitted(value: Any, kinds: Sequence[Any]) -> Any:
    for kind in kinds:
        with suppress(ValueError):
            return _fitted(value, kind)
    raise ValueError


def _holds(limit: str, value: Any) -> bool:
    if limit == "ascending":
        return all(a < b for a, b in pairwise(value))
    if limit == "not empty":
        return len(value) > 0
    low, high = map(float, limit[1:-1].split(","))
    above = value >= low if limit[0] == "[" else value > low
    below = value <= high if limit[-1] == "]" else value < high
    return bool(above and below)


def in_words(kind: Any, many: bool = False) -> str:
    """Return in words what an annotation allows, such as ``a number in [0, 1), or null``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        words = in_words(arguments[0], many)
        for limit in arguments[1:]:
            words = _limited(words, limit)
        return words
    if origin in (Union, UnionType):
        return ", or ".join(in_words(one, many) for one in arguments)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin is tuple:
        length = "" if arguments[-1] is ... else f"{len(arguments)} "
        return f"a list of {length}{in_words(arguments[0], many=True)}"
    return _NOUNS[kind][many]


def _limited(words: str, limit: str) -> str:
    if limit == "ascending":
        return words.replace("a list of", "a list of ascending", 1)
    if limit == "not empty":
        return f"{words}, not empty"
    low, high = limit[1:-1].split(", ")
    if high != "inf":
        return f"{words} in {limit}"
    return f"{words} from {low} up" if limit[0] == "[" else f"{words} above {low}"
