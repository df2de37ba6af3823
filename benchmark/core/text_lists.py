"""Lists that people keep in text files: of images, labels, classes or numbers, one entry a line.

There is one reader for all of them, so that what an editor, a spreadsheet or a shell does to a text is no
matter of the list's kind: UTF-8 or UTF-16, with or without byte order mark; any line ending; quotes; blanks,
tabs, commas or semicolons between the columns and at the end of a line; empty lines and lines that begin with
``#``, which are left out.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

from benchmark.core.errors import UserError

_SEPARATORS = str.maketrans('",;', "   ")
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_WNID = re.compile(r"n\d{8}")
_FILE = re.compile(r"(.+?)\.(?:jpe?g|png|bmp|gif|tiff?|webp|xml|txt)(?![^\s,;\"])", re.IGNORECASE)
_HUGE = 2**30
_ANEW = "fetch the file anew"
_ONE_ID = "put one id or file name on each line"


class TextLine(NamedTuple):
    """A line of a list that is not empty.

    Attributes:
        where: File and line, for error messages.
        text: The line without blanks at its ends.
        words: Its columns, without quotes; at least one.
    """

    where: str
    text: str
    words: list[str]


class ListedClass(NamedTuple):
    """A class of a list.

    Attributes:
        where: File and line, for error messages.
        identifier: Its WNID, or in a list without WNIDs the whole line.
        name: The class in words, as far as the list has any.
    """

    where: str
    identifier: str
    name: str


def read_text(path: Path, remedy: str = _ANEW) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, or in UTF-16.

    Raises:
        UserError: If the file cannot be read or is not text; the message ends with ``remedy``.
    """
    try:
        content = path.read_bytes()
        text = content.decode(_MARKS.get(content[:2]) or _unmarked(content[:2]))
        if "\0" in text:
            raise UnicodeError
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"{path}: cannot be read ({reason}); {remedy}") from error
    return text


def columns(line: str) -> list[str]:
    """Return the columns of a line, without quotes; none if it is empty or a comment."""
    words = line.translate(_SEPARATORS).split()
    return [] if words and words[0].startswith("#") else words


def rows(path: Path, remedy: str = _ANEW) -> Iterator[TextLine]:
    """Yield the lines of a list.

    Raises:
        UserError: If the file cannot be read or is not text; the message ends with ``remedy``.
    """
    for number, line in enumerate(read_text(path, remedy).splitlines(), start=1):
        words = columns(line)
        if words:
            yield TextLine(f"{path}, line {number}", line.strip(), words)


def list_ids(path: Path, remedy: str = _ONE_ID) -> list[str]:
    """Read image ids from a list, in its order: the first column, with or without folder and suffix.

    Further columns, such as labels, are not looked at.

    Raises:
        UserError: If the file cannot be read, names no image, or is a list of PASCAL VOC that says of each
            image whether it holds a class; the message ends with ``remedy``.
    """
    found = list(rows(path, remedy))
    if not found:
        raise UserError(f"{path}: the list names no image; {remedy}")
    if {row.words[1] for row in found if len(row.words) == 2} & {"-1"}:
        raise UserError(f"{path}: -1 says that an image does not hold a class; keep the images that you want")
    return [_stem(row) for row in found]


def read_ids(path: Path, remedy: str = _ONE_ID) -> frozenset[str]:
    """Read image ids from a list that names each image once.

    Raises:
        UserError: As :func:`list_ids`, or if an image is named twice.
    """
    ids = list_ids(path, remedy)
    twice = [image_id for image_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]} is named twice; name each image once")
    return frozenset(ids)


def read_class_list(path: Path, remedy: str = _ANEW) -> list[ListedClass]:
    """Read a list of classes, in the file's order.

    That is one class a line, as in ``synset_words.txt``, ``LOC_synset_mapping.txt`` or ``map_clsloc.txt``: a
    WNID, perhaps with its number before it and words behind it; or any other identifier that has the line for
    itself, or up to a tab. Or it is a json: Keras's ``imagenet_class_index.json``, ``{"0": ["n01440764",
    "tench"], …}``, torchvision's ``class_to_idx``, ``{"n01440764": 0, …}``, or a list.

    Raises:
        UserError: If the file cannot be read or is no such list; the message ends with ``remedy``.
    """
    text = read_text(path, remedy)
    if text.lstrip()[:1] in ("{", "["):
        entries = enumerate(_entries(path, text, remedy), start=1)
        return [_listed(f"{path}, entry {number}", entry) for number, entry in entries]
    found = [_listed(row.where, row.text) for row in rows(path, remedy)]
    first_two = [_WNID.fullmatch(each.identifier) is not None for each in found[:2]]
    return found[1:] if first_two == [False, True] else found  # the first line may name the columns


def numbers(words: Sequence[str], count: int, where: str, remedy: str = _ANEW) -> list[float]:
    """Parse exactly ``count`` numbers.

    Raises:
        UserError: If there are more or fewer, or one is not a number of moderate size; the message begins
            with ``where`` and ends with ``remedy``.
    """
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = []
    # A sum is finite only if every number is: one test instead of many.
    fits = len(found) == count and isfinite(sum(found)) and min(found) > -_HUGE and max(found) < _HUGE
    if not fits:
        raise _unexpected(words, count, "number", where, remedy)
    return found


def whole_numbers(words: Sequence[str], count: int, where: str, remedy: str = _ANEW) -> list[int]:
    """Parse exactly ``count`` whole numbers; ``12.0`` is one.

    Raises:
        UserError: As :func:`numbers`, or if one is not whole.
    """
    found = numbers(words, count, where, remedy)
    if not all(number.is_integer() for number in found):
        raise _unexpected(words, count, "whole number", where, remedy)
    return [int(number) for number in found]


def _unexpected(words: Sequence[str], count: int, what: str, where: str, remedy: str) -> UserError:
    found = " ".join(words) or "nothing"
    expected = f"{count} {what}s are" if count != 1 else f"a {what} is"
    return UserError(f"{where}: {found!r} where {expected} expected; {remedy}")


def _unmarked(start: bytes) -> str:
    """Return the encoding of a text without UTF-16's mark, as the zero of its first character tells."""
    return {b"\0": "utf-16-be", b"": "utf-8-sig"}.get(start[:1]) or (
        "utf-16-le" if start[1:] == b"\0" else "utf-8-sig"
    )


def _stem(row: TextLine) -> str:
    """Return the image id of a line; the name of a file that has a suffix may hold blanks."""
    named = _FILE.match(row.text.strip('"'))
    return PureWindowsPath(named[1] if named else row.words[0]).name  # with / or \\ between the folders


def _listed(where: str, entry: str) -> ListedClass:
    words = entry.translate(_SEPARATORS).split(maxsplit=2)
    for wnid in filter(_WNID.fullmatch, words[:2]):
        name = entry.partition(wnid)[2].replace('"', " ").strip(" \t,;")
        return ListedClass(where, wnid, " ".join(name.split()) or wnid)
    identifier = entry.partition("\t")[0].strip().strip('"').strip()
    return ListedClass(where, identifier, identifier)


def _entries(path: Path, text: str, remedy: str) -> list[str]:
    """Return the entries of a json, those of a dictionary in the order of their numbers."""
    try:
        content: Any = json.loads(text)
        if isinstance(content, dict):  # torchvision writes the number behind the class, Keras before it
            turned = {str(number): entry for entry, number in content.items() if isinstance(number, int)}
            content = [(turned or content)[str(number)] for number in range(len(content))]
        return [" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in content]
    except (ValueError, KeyError, RecursionError) as error:
        raise UserError(f"{path}: no json of classes numbered from 0 ({error}); {remedy}") from error
