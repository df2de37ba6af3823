"""Results and tables made by hand, for the tests of what prints and logs them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.core.types import Difference, Estimate, OpenRow, Result
from benchmark.reporting.published import Column, Condition, Published, PublishedRow, Reproduction, load
from benchmark.reporting.table import DatasetNote, Table

ROOT = Path(__file__).resolve().parents[2]
TABLE1 = ROOT / "results" / "published" / "table1.yaml"
DATASET = DatasetNote("some_images", images=200, complete=False, fingerprint="ab" * 32)

_CIRCUMSTANCES = {key: Condition("as they say", "stated") for key in ("weights", "input", "box", "images")}
PUBLISHED = Published(
    title="A small table",
    dataset="other images",
    measured_on="some_images",
    columns={
        "cls_top1": Column("cls top-1", "error", "wrong class"),
        "loc_top1": Column("loc top-1", "error", "wrong class or box"),
        "gt_known": Column("GT-known", "error", "wrong box"),
    },
    rows={
        "a/cam": PublishedRow(
            {"cls_top1": 0.30, "loc_top1": 0.50}, "Paper, Table 1", _CIRCUMSTANCES, "Other weights."
        ),
        "b/cam": PublishedRow({"loc_top1": 0.60}, "Paper, Table 2", _CIRCUMSTANCES, "Ten crops."),
    },
    reproductions={
        "study": Reproduction("A study", _CIRCUMSTANCES, "All images.", {"a/cam": {"loc_top1": 0.51}}),
    },
)


def estimate(value: float, half: float = 0.02, n: int = 200) -> Estimate:
    """An estimate with a symmetric interval."""
    return Estimate(value, value - half, value + half, n)


def result(row: str = "a/cam", metrics: Mapping[str, Estimate] | None = None, **changes: Any) -> Result:
    """A measured cell."""
    model, method = row.split("/")
    fields: dict[str, Any] = {
        "row": row,
        "model": model,
        "method": method,
        "localizer": "gradcam_15 v1",
        "fingerprint": "f0" * 32,
        "metrics": {"cls_top1": estimate(0.31), "loc_top1": estimate(0.56)} if metrics is None else metrics,
        "counts": {"expected": 200, "done": 199, "skipped": 1, "empty_maps": 3},
        "conditions": {
            "dataset": {"name": "some_images", "fingerprint": "ab" * 32},
            "weights": {"source": f"{model}.pth", "sha256": "cd" * 32, "note": "with batch norm"},
            "run": {"batch_size": 16},
            "made_by": [{"commit": "c0ffee", "dirty": True, "device": "cpu (x86_64)"}],
        },
        "config": {
            "localizer": {
                "_target_": "some.Localizer",
                "name": "gradcam_15",
                "version": 1,
                "threshold": 0.15,
            },
            "dataset": {"root": "/data/images", "limit": None},
            "metric": {"resamples": 1000},
        },
    }
    return Result(**(fields | changes))


def table(*rows: Result | OpenRow, published: Published | None = PUBLISHED, **changes: Any) -> Table:
    """A table of the given rows; of a measured and an open one where none is given."""
    fields: dict[str, Any] = {
        "name": "small",
        "title": "A small table",
        "dataset": DATASET,
        "rows": rows
        or (result(), OpenRow("b/cam", "b", "cam", "b.caffemodel is not there; give model.weights=PATH")),
        "published": published,
        "checks": ("Grad-CAM = CAM: 816 of 816 equal",),
    }
    return Table(**(fields | changes))


def table1() -> Table:
    """A table with the rows of the paper's and all columns, its numbers invented."""
    published = load(TABLE1)
    names = list(published.columns)
    metrics = {name: estimate(0.3 + number / 50, n=48_238) for number, name in enumerate(names)}
    rows = [result(name, metrics, model=row.models[0]) for name, row in published.rows.items()]
    dataset = replace(DATASET, name=published.measured_on)
    return table(*rows, published=published, title=published.title, dataset=dataset)


def on_another_dataset(*rows: Result | OpenRow, **changes: Any) -> Table:
    """A table of a whole dataset that is not the one of its published numbers."""
    return table(*rows, dataset=replace(DATASET, name="embedded", complete=True), **changes)


CORRELATIONS = Published(
    title="Correlations",
    dataset="other images",
    measured_on="some_images",
    columns={
        "rank_correlation": Column("rank corr.", "correlation", "mean over the images"),
        "constant_maps": Column("constant", "share", "no correlation"),
    },
    rows={
        "a/cam": PublishedRow({"rank_correlation": 0.254}, "Paper, 5.3", _CIRCUMSTANCES, "All open."),
        "b/cam": PublishedRow(
            {"rank_correlation": 0.254}, "Paper, 5.3", _CIRCUMSTANCES, "All open.", "another net"
        ),
    },
)


def correlations() -> Table:
    """A table of correlations and a share, with two paired differences; no row has boxes."""
    protocol = "occlusion patch 32 stride 16 v1"
    reference = {"_target_": "some.Occlusion", "name": "occlusion", "version": 1, "patch": 32, "stride": 16}
    first = {"rank_correlation": Estimate(-0.0125, -0.05, 0.025, 90), "constant_maps": estimate(0.04, 0.01)}
    second = {"rank_correlation": Estimate(0.3, 0.28, 0.32, 90), "constant_maps": estimate(0.04, 0.01)}
    rows = (
        result("a/cam", first, localizer=protocol, config={"reference": reference}),
        result("b/cam", second, localizer="", config={}),
    )
    differences = (
        Difference("a/cam", "b/cam", "rank_correlation", Estimate(-0.3125, -0.34, -0.28, 90)),
        Difference("a/cam", "b/cam", "constant_maps", Estimate(0.0, -0.01, 0.01, 90)),
    )
    return table(*rows, published=CORRELATIONS, differences=differences, checks=())
