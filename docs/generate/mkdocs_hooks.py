"""What MkDocs is told beside ``mkdocs.yml``: pages made from other files, and links that leave ``docs/``."""

import posixpath
import re
from pathlib import Path
from typing import Any

import option_pages  # beside this file
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
BROUGHT = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "results/README.md": "reference-tables.md",
    "results/published/README.md": "published-numbers.md",
    "results/reference/embedded/README.md": "embedded-table.md",
}
"""File outside ``docs/`` to the page that is made of it."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and to the navigation each page that it does not name."""
    made = option_pages.pages() | {page: _of(source) for source, page in BROUGHT.items()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    named = set(re.findall(r"[\w/.-]+\.md", str(config.nav)))
    others = sorted(file.src_uri for file in files.documentation_pages() if file.src_uri not in named)
    config.nav = [*(config.nav or []), {"More": others}] if others else config.nav
    return files


def on_page_markdown(markdown: str, /, *, page: Page, **_: Any) -> str:
    """Turn links to files outside ``docs/`` into links to their pages, or else into their names."""
    return relinked(markdown, f"docs/{page.file.src_uri}")


def relinked(markdown: str, at: str) -> str:
    """Rewrite the relative links of a page.

    Args:
        markdown: The page.
        at: Its path in the repository, such as ``docs/data.md``, from where its links are understood.
    """

    def one(found: re.Match[str]) -> str:
        image, words, path, anchor = found[1], found[2], found[3], found[4] or ""
        if not path or ":" in path:
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(at), path))
        if target in BROUGHT:
            target = f"docs/{BROUGHT[target]}"
        if not target.startswith("docs/"):
            return words if words.strip("`") == target else f"{words} (`{target}`)"
        return f"{image}[{words}]({posixpath.relpath(target, posixpath.dirname(at))}{anchor})"

    return _LINK.sub(one, markdown)


def _of(source: str) -> str:
    """Return a file outside ``docs/`` as it would stand there."""
    text = (ROOT / source).read_text(encoding="utf-8")
    text = re.sub(
        r"(?m)^ {3}(?=\S)", "    ", text
    )  # what belongs to a numbered item, as Markdown had it first

    def moved(found: re.Match[str]) -> str:
        path = found[3]
        if not path or ":" in path:
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        return f"{found[1]}[{found[2]}]({posixpath.relpath(target, 'docs')}{found[4] or ''})"

    return _LINK.sub(moved, text)
