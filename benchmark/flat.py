"""Nested plain values as dotted keys."""

import json
from collections.abc import Mapping
from typing import Any


def flatten(tree: Any, prefix: str = "") -> dict[str, str]:
    """Leaves as text, by dotted key; a list of mappings is numbered, any other list is json.

    >>> flatten({"run": {"batch": 16, "sizes": [1, 2]}, "made_by": [{"commit": "ab"}], "note": None})
    {'run.batch': '16', 'run.sizes': '[1, 2]', 'made_by.0.commit': 'ab', 'note': 'null'}
    """
    if isinstance(tree, list | tuple) and any(isinstance(item, Mapping) for item in tree):
        tree = {str(number): item for number, item in enumerate(tree)}
    if not isinstance(tree, Mapping):
        return {prefix: tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False, default=str)}
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        leaves |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return leaves
