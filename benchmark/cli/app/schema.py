"""Types of options that Hydra checks while it composes, from the annotations of what is made of them."""

from dataclasses import fields, make_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Optional, Union, get_args, get_origin, get_type_hints

from hydra.core.config_store import ConfigStore

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, check
from benchmark.pipeline.settings import RunSettings

_CHECKED: dict[str, type[Checked]] = {"run": RunSettings}


def register() -> None:
    """Make the structured configurations known, as ``/schema@_here_: NAME`` in a yaml's defaults list."""
    for name, kind in _CHECKED.items():
        hints = get_type_hints(kind, include_extras=True)
        options = [(field.name, _plain(hints[field.name]), field.default) for field in fields(kind)]  # type: ignore[arg-type]
        target = ("_target_", str, f"{kind.__module__}.{kind.__qualname__}")
        ConfigStore.instance().store(
            group="schema", name=name, node=make_dataclass(kind.__name__, [target, *options])
        )


def refusal(option: str, value: str) -> str | None:
    """Say what an option must be, where its type is known here.

    Args:
        option: Name of the option, such as ``run.batch_size``.
        value: Value as it was typed.
    """
    group, _, name = option.rpartition(".")
    if group not in _CHECKED:
        return None
    try:
        check(option, value, get_type_hints(_CHECKED[group], include_extras=True)[name])
    except UserError as error:
        return str(error)
    return None


def _plain(kind: Any) -> Any:
    """Return the part of an annotation that OmegaConf knows: no ranges, and no ``no`` as a truth value."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _plain(arguments[0])
    if origin is Literal:
        return str
    if origin in (Union, UnionType):
        others = [one for one in arguments if one is not NoneType]
        return Optional[_plain(others[0])] if len(others) == 1 and len(arguments) == 2 else Any  # noqa: UP045
    return kind if kind in (int, float, str) else Any


register()
