"""A cell's json, written and read."""

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Estimate, Result


def write_result(path: Path, result: Result) -> None:
    """Write a cell's json: keys sorted, floats in full, whole or absent.

    Raises:
        UserError: If the folder cannot be written.
        ValueError: If a number is not finite: json has no NaN, and a metric that has no value is left out.
        TypeError: If the conditions or the configuration hold anything but plain json values.
    """
    metrics = {name: estimate_node(value) for name, value in result.metrics.items()}
    content = asdict(result) | {"metrics": metrics}
    try:
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{result.row}: {error}") from error
    write_atomically(path, text + "\n")


def estimate_node(estimate: Estimate) -> dict[str, float | int | None]:
    """Turn an estimate into plain json, an end of the interval that has no bound into null."""
    low, high = float(estimate.low), float(estimate.high)
    return {
        "value": float(estimate.value),
        "low": None if low == -math.inf else low,
        "high": None if high == math.inf else high,
        "n": int(estimate.n),
    }


def read_result(path: Path) -> Result:
    """Read a cell's json back; what :func:`write_result` wrote comes back equal.

    Raises:
        UserError: If the file is missing, truncated, or not a result.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _result(content)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such result; measure it with ./scripts/run") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{path}: not a whole result ({reason}); delete it and run again") from error


def _result(content: Any) -> Result:
    names = {field.name for field in fields(Result)}
    if not isinstance(content, dict) or set(content) != names:
        raise ValueError(f"its keys are not {', '.join(sorted(names))}")
    for name in ("row", "model", "method", "localizer", "fingerprint"):
        _require(isinstance(content[name], str), name)
    for name in ("metrics", "counts", "conditions", "config"):
        _require(isinstance(content[name], dict), name)
    _require(all(type(count) is int for count in content["counts"].values()), "counts")
    metrics = {name: read_estimate(f"metrics.{name}", value) for name, value in content["metrics"].items()}
    return Result(**(content | {"metrics": metrics}))


def read_estimate(name: str, value: Any) -> Estimate:
    """Read back what :func:`estimate_node` made of an estimate.

    Args:
        name: Where it stands, for the message.
        value: As read.

    Raises:
        ValueError: If it is no estimate.
    """
    _require(isinstance(value, dict) and set(value) == set(Estimate._fields), name)
    _require(type(value["n"]) is int, f"{name}.n")
    finite = [value["value"], *(value[end] for end in ("low", "high") if value[end] is not None)]
    _require(all(type(number) in (int, float) and math.isfinite(number) for number in finite), name)
    low = -math.inf if value["low"] is None else float(value["low"])
    high = math.inf if value["high"] is None else float(value["high"])
    return Estimate(float(value["value"]), low, high, value["n"])


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise ValueError(f"{name} is not what a result has there")
