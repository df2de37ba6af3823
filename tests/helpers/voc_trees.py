"""Small VOCdevkit trees in the official form, with boxes made by hand."""

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Thing:
    """An object as a file has it: 1-based, inclusive."""

    name: str
    box: tuple[str, str, str, str]
    difficult: str | None = "0"


@dataclass(frozen=True)
class Picture:
    """An image and its objects."""

    image_id: str
    size: tuple[int, int]
    things: tuple[Thing, ...] = field(default=())


PICTURES = (
    Picture("000005", (40, 30), (Thing("dog", ("1", "1", "40", "30")), Thing("cat", ("3", "4", "10", "12")))),
    Picture(
        "000007",
        (50, 20),
        (
            Thing("person", ("2", "2", "2", "2")),
            Thing("bicycle", ("5", "6", "20", "20"), "1"),
            Thing("person", ("11", "1", "50", "19"), "1"),
        ),
    ),
    Picture("000009", (16, 16), (Thing("tvmonitor", ("1", "1", "8", "8"), "1"),)),
)


def xml(picture: Picture) -> str:
    """The annotation as the devkit has it; a person has a part, which is no object."""
    width, height = picture.size
    return (
        f"<annotation>\n\t<folder>VOC2007</folder>\n\t<filename>{picture.image_id}.jpg</filename>\n"
        f"\t<size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        "\t<segmented>0</segmented>\n" + "".join(map(_object, picture.things)) + "</annotation>\n"
    )


def _object(thing: Thing) -> str:
    hard = "" if thing.difficult is None else f"\t\t<difficult>{thing.difficult}</difficult>\n"
    part = f"\t\t<part><name>head</name>{_bndbox(('2.5', '2', '3', '3'))}</part>\n"
    return (
        f"\t<object>\n\t\t<name>{thing.name}</name>\n\t\t<pose>Left</pose>\n{hard}"
        f"{part if thing.name == 'person' else ''}\t\t{_bndbox(thing.box)}\n\t</object>\n"
    )


def _bndbox(box: tuple[str, str, str, str]) -> str:
    names = ("xmin", "ymin", "xmax", "ymax")
    return f"<bndbox>{''.join(f'<{n}>{v}</{n}>' for n, v in zip(names, box, strict=True))}</bndbox>"


def make(folder: Path, pictures: tuple[Picture, ...] = PICTURES, year: int = 2007) -> Path:
    """Write ``folder/VOCdevkit/VOC2007`` with all pictures in val, the first also in train; returns it."""
    tree = folder / "VOCdevkit" / f"VOC{year}"
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tree / name).mkdir(parents=True)
    for picture in pictures:
        Image.new("RGB", picture.size, (90, 120, 30)).save(tree / "JPEGImages" / f"{picture.image_id}.jpg")
        (tree / "Annotations" / f"{picture.image_id}.xml").write_text(xml(picture))
    ids = [picture.image_id for picture in pictures]
    lists = tree / "ImageSets/Main"
    lists.joinpath("val.txt").write_text("".join(f"{each}\n" for each in ids))
    lists.joinpath("train.txt").write_text(f"{ids[0]}\n")
    lists.joinpath("train_val.txt").write_text("".join(f"{each} -1\n" for each in ids))  # of class train
    return tree
