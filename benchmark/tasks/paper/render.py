"""The list of claims for a terminal, as Markdown, csv and json."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmark.core.files import write_atomically
from benchmark.reporting.render import csv as tidy
from benchmark.tasks.paper.claims import WORDS, Judged

_WIDTH = 100
_STEM = "paper"


def text(judged: Sequence[Judged]) -> str:
    """Write all claims, section by section, at most 100 columns wide."""
    parts = ["Claims of the Grad-CAM paper"]
    section = ""
    for one in judged:
        if one.claim.section != section:
            section = one.claim.section
            parts.append(f"\n{section}")
        parts.append(_wrapped(f"{one.word}: {one.claim.claim}", "  "))
        parts += [_wrapped(detail, "      ") for detail in _details(one)]
    return "\n".join([*parts, "", counted(judged)])


def counted(judged: Sequence[Judged]) -> str:
    """Count the claims by verdict."""
    counts = Counter(one.word for one in judged)
    return f"{len(judged)} claims: " + ", ".join(f"{counts[word]} {word}" for word in WORDS)


def _wrapped(line: str, indent: str) -> str:
    return textwrap.fill(line, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _details(one: Judged) -> Iterator[str]:
    measured = f"; measured {one.measured} on {one.on}" if one.measured else ""
    yield f"published {one.claim.published}{measured}"
    if one.why:
        yield one.why


def write_claims(folder: Path, judged: Sequence[Judged]) -> list[Path]:
    """Write ``paper.json``, ``.md``, ``.csv`` and ``.txt``.

    Raises:
        UserError: If the folder cannot be written.
    """
    texts = {"json": _json(judged), "md": _markdown(judged), "csv": _csv(judged), "txt": text(judged) + "\n"}
    for suffix, content in texts.items():
        write_atomically(folder / f"{_STEM}.{suffix}", content)
    return [folder / f"{_STEM}.{suffix}" for suffix in texts]


def _json(judged: Sequence[Judged]) -> str:
    entries = [asdict(one) | {"estimate": one.estimate._asdict() if one.estimate else None} for one in judged]
    return json.dumps(entries, indent=1, ensure_ascii=False, default=str) + "\n"


def _markdown(judged: Sequence[Judged]) -> str:
    lines = ["## Claims of the Grad-CAM paper", "", counted(judged), ""]
    lines += [
        "| section | claim | published | measured | on | verdict | why |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in judged:
        cells = (
            one.claim.section,
            one.claim.claim,
            one.claim.published,
            one.measured,
            one.on,
            one.word,
            one.why,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _csv(judged: Sequence[Judged]) -> str:
    header = (
        *("name", "section", "claim", "published", "verdict", "experiment", "metric", "rows"),
        *("value", "low", "high", "n", "on", "why", "source"),
    )
    rows = (
        (
            *(one.name, one.claim.section, one.claim.claim, one.claim.published, one.word),
            *(one.claim.experiment, one.claim.metric),
            one.claim.row or " above ".join(filter(None, (one.claim.above, one.claim.below))),
            *(one.estimate or (None,) * 4),
            *(one.on, one.why, one.source),
        )
        for one in judged
    )
    return tidy.written(header, rows)
