"""Make crafted files of whole ones: bytes flipped, numbers made absurd, parts cut out, doubled or mixed."""

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

_ABSURD = (
    *(b"nan", b"-nan", b"inf", b"1e999", b"-1", b"0", b"2147483648", b"-9223372036854775809", b"0.5", b"1_0"),
    *(b"9" * 25, b"9" * 5000, b"null", b"true", b"[]", b"{}", b'""', b"\x1b[2J\x07", b"\xff\xfe", b"\0"),
    *(
        "\u202e".encode(),
        "\U0001f600".encode(),
        b"&amp;",
        b"&a;",
        b"<![CDATA[",
        b"..",
        b"../../x",
        b"\r",
        b"\n\n",
    ),
)
_DEEP = (b"[" * 100_000, b'{"a":' * 100_000, b"<a>" * 100_000, b"- " * 3_000, b"(" * 100_000, b"\x0b" * 5_000)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_LONGEST = 1 << 20  # bytes


def random_bytes(dice: Random, _: Sequence[bytes]) -> bytes:
    """Bytes without any order, or with the beginning of none of the files."""
    return dice.randbytes(dice.choice((0, 1, 7, 64, 600)))


def mutated(dice: Random, whole: Sequence[bytes]) -> bytes:
    """A whole file, changed in one to six places."""
    content = dice.choice(whole)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        content = dice.choice(_CHANGES)(dice, content, whole)[:_LONGEST]
    return content


def _flipped(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _place in range(dice.choice((1, 1, 2, 8)) if changed else 0):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _overwritten(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """A byte, or a number of 4 or 8 bytes, of an extreme value."""
    value = dice.choice((0, 1, 0x7F, 0x80, 0xFF, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1))
    code = dice.choice(("B", "<I", ">I", "<Q", "<H", ">H"))
    part = struct.pack(code, value & (1 << 8 * struct.calcsize(code)) - 1)
    place = dice.randrange(len(content) + 1)
    return content[:place] + part + content[place + len(part) :]


def _inserted(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    place = dice.randrange(len(content) + 1)
    part = dice.choice((dice.choice(_ABSURD), dice.randbytes(dice.choice((1, 2, 9)))))
    if dice.random() < 0.05:
        part = dice.choice(_DEEP)
    return content[:place] + part + content[place:]


def _cut_out(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    first, last = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last if dice.random() < 0.5 else first + 1 + dice.randrange(4) :]


def _truncated(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _doubled(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    first, last = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] * dice.choice((1, 1, 3, 50)) + content[last:]


def _mixed(dice: Random, content: bytes, whole: Sequence[bytes]) -> bytes:
    other = dice.choice(whole)
    return content[: dice.randrange(len(content) + 1)] + other[dice.randrange(len(other) + 1) :]


def _absurd_number(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """One number of a text, or what stands for it, replaced."""
    found = list(_NUMBER.finditer(content[: 1 << 16]))
    if not found:
        return content
    one = dice.choice(found)
    return content[: one.start()] + dice.choice(_ABSURD) + content[one.end() :]


def _swapped_lines(dice: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    lines = content.split(b"\n")
    first, second = (dice.randrange(len(lines)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


_CHANGES: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_flipped, _flipped, _overwritten, _overwritten, _inserted, _inserted, _cut_out, _truncated),
    *(_doubled, _mixed, _absurd_number, _absurd_number, _swapped_lines),
)
