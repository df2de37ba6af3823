"""What a picture sheet shows, before anything is drawn."""

from dataclasses import dataclass

from benchmark.core.types import Box, FloatArray, ImageArray, IntArray


@dataclass(frozen=True, slots=True)
class Guess:
    """What one row of the table says of one image: its best class, that class's heatmap and box.

    Attributes:
        heat: ``[H, W]`` share of the map's maximum in [0, 1], in the image's own pixels; 0 where it is
            negative or the network has not seen the image.
        box: As recorded.
        name: Of the class.
        score: Its probability; NaN where unknown.
        known: Whether the class is the image's.
        iou: Largest overlap of the box with a ground-truth box.
        right: Whether the class is the image's and that overlap is at least 0.5.
        empty: Whether no box followed from the map, so that it is the whole image.
    """

    heat: FloatArray
    box: Box
    name: str
    score: float
    known: bool
    iou: float
    right: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One image, and what each row says of it.

    Attributes:
        image_id: Its identifier.
        name: Of its class.
        pixels: ``[H, W, 3]``.
        truth: ``[B, 4]`` ground-truth boxes.
        guesses: One a row of the sheet.
    """

    image_id: str
    name: str
    pixels: ImageArray
    truth: IntArray
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A title, rows by name and box protocol, and a column an image."""

    title: str
    rows: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
