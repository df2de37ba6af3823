"""What a sheet of pairs shows, before anything is drawn."""

from dataclasses import dataclass

from benchmark.core.types import FloatArray, ImageArray, IntArray


@dataclass(frozen=True, slots=True)
class Answer:
    """One map of one pair.

    Attributes:
        heat: ``[H, W]`` share of the map's maximum in [0, 1], in the image's own pixels; 0 where it is
            negative or the network has not seen the image.
        peak: ``(x, y)`` of its maximum, original pixels; ``None`` of a map with one value.
        value: The table's number for this pair alone, in words; empty where it has none.
        place: Where its peak lies, in words.
        right: Whether the pair is a hit; ``None`` where that is not what the table counts.
    """

    heat: FloatArray
    peak: tuple[int, int] | None
    value: str
    place: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """One image and one class.

    Attributes:
        image_id: The image's identifier.
        name: Of the class.
        pixels: ``[H, W, 3]``.
        boxes: ``[B, 4]`` objects of the class.
        others: ``[O, 4]`` objects of the image's other classes.
        answers: One a column of the page; ``None`` where the pair was not asked.
    """

    image_id: str
    name: str
    pixels: ImageArray
    boxes: IntArray
    others: IntArray
    answers: tuple[Answer | None, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A title, columns by network and method, and lines, those of one image beside each other."""

    title: str
    columns: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
