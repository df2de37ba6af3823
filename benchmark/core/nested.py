"""Nested plain values, written with dotted keys and without the folders of one machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def flatten(tree: Any, prefix: str = "") -> dict[str, str]:
    """Return the leaves as text by dotted key; a list of mappings is numbered, any other list is json.

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


def without_folders(tree: Any) -> Any:
    """Cut every absolute path to its last part, since the place of a file is no condition of a number.

    >>> without_folders({"root": {"cache": "/home/me/.cache"}, "ignore": ["loss1/"]})
    {'root': {'cache': '.cache'}, 'ignore': ['loss1/']}
    """
    if isinstance(tree, Mapping):
        return {key: without_folders(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [without_folders(value) for value in tree]
    return Path(tree).name if isinstance(tree, str) and tree.startswith(("/", "~")) else tree
