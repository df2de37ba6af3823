"""A study of few questions with pictures of one colour, as ``experiment=study`` writes it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmark.tasks.study.forms import page
from benchmark.tasks.study.manifest import FILE, Item, Manifest, Pack, identified

METHODS = ("deconvnet", "guided_backprop", "deconv_grad_cam", "guided_grad_cam")
CLASSES = ("dog, tame", 'cat "x"')


def manifest(images: int = 20, methods: Sequence[str] = METHODS) -> Manifest:
    """Two pairs an image in each visualization, and as many images for trust in two of them."""
    items = []
    for group in range(2 * images):
        image, label = f"i{group // 2}", CLASSES[group % 2]
        for variant, method in enumerate(methods):
            name, row = f"d{group}-{variant}", f"vgg16/{method}"
            files = (f"pictures/{variant}.jpg",)
            items.append(
                Item(
                    name,
                    "discrimination",
                    group,
                    variant,
                    image,
                    label,
                    tuple(sorted(CLASSES)),
                    (row,),
                    files,
                )
            )
    for group in range(images):
        for variant, method in enumerate(methods[1::2]):
            both = (f"vgg16/{method}", f"alexnet/{method}")
            pictures = ("pictures/0.jpg", "pictures/1.jpg")
            items.append(
                Item(f"t{group}-{variant}", "trust", group, variant, f"i{group}", "dog", (), both, pictures)
            )
    rows = {row for item in items for row in item.rows}
    return identified(
        title="Small",
        dataset={"name": "voc2007", "images": images, "complete": False, "fingerprint": "f" * 64, "note": ""},
        seed=0,
        visualizations={
            row: {
                "model": f"{row.partition('/')[0]}_voc",
                "method": row.partition("/")[2],
                "weights": "0" * 64,
                "fingerprint": "1" * 64,
            }
            for row in sorted(rows)
        },
        items=tuple(items),
        hashes={},
    )


def write(folder: Path, study: Manifest) -> Path:
    """Write the form, whose path is returned, with manifest and pictures beside it."""
    (folder / "pictures").mkdir(parents=True)
    for number in range(len(METHODS)):
        Image.new("RGB", (32, 24), (60 * number, 90, 90)).save(folder / "pictures" / f"{number}.jpg")
    (folder / FILE).write_text(study.text())
    packs: tuple[Pack, ...] = ("discrimination", "trust")
    for pack in packs:
        (folder / f"{pack}.html").write_text(page(study, pack))
    return folder / "discrimination.html"
