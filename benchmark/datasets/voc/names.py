"""The 20 classes of PASCAL VOC, and how many images its splits have."""

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable"),
    *("dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""The classes in sorted order, which is the order of the outputs of all known VOC networks."""

SPLITS = ("train", "val", "trainval", "test")
"""The official splits; each class has a list of its own for every one of them, too."""

OFFICIAL = {
    (2007, "train"): 2501,
    (2007, "val"): 2510,
    (2007, "trainval"): 5011,
    (2007, "test"): 4952,
    (2012, "train"): 5717,
    (2012, "val"): 5823,
    (2012, "trainval"): 11540,
}
"""Number of images by year and split, from the challenge's own database statistics."""


def key(year: int, split: str, difficult: str) -> str:
    """Return the name of a split's results; ``voc2007`` is val's, on which the Grad-CAM paper measures."""
    name = f"voc{year}" if split == "val" else f"voc{year}_{split}"
    return name if difficult == "keep" else f"{name}_without_difficult"
