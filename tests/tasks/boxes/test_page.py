"""What a report page says about boxes: errors at other thresholds, kinds, paired tests, the gallery."""

import base64
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.browsers import chromium
from helpers.handmade import estimate, result
from helpers.random_records import make
from helpers.small_report import SmallReport, small_report
from PIL import Image

from benchmark.cli.app.tables import metric_of
from benchmark.core.boxes import iou
from benchmark.core.errors import UserError
from benchmark.core.protocols import Metric
from benchmark.core.types import BoolArray, Box, Records, View
from benchmark.localizers.max_box import MaxBox
from benchmark.metrics.anatomy import Anatomy
from benchmark.metrics.common.anatomy import KINDS
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.localization import Localization
from benchmark.pipeline.exhibits import exhibit
from benchmark.pipeline.heatmap_store import read_heatmaps
from benchmark.reporting.archive import read_result, read_table
from benchmark.reporting.page.content import BoxDetails, Chapter
from benchmark.reporting.page.render import environment, render
from benchmark.reporting.text import shown
from benchmark.tasks.boxes.page.curves import curve
from benchmark.tasks.boxes.page.details import box_details, refuse_other_images
from benchmark.tasks.boxes.page.errors import Mistakes, holm, judged, kinds_of, paired_tests
from benchmark.tasks.boxes.page.gallery import map_node


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallReport:
    with pytest.MonkeyPatch.context() as patched:  # as every test here finds it
        patched.setattr("benchmark.pipeline.scene.LEAST", 3)
        return small_report(tmp_path_factory.mktemp("report"))


def details(small: SmallReport, room: int = 10**7) -> BoxDetails:
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    found = box_details(archived, small.archive.parents[1], metric_of, small.dataset, 10, room)
    assert found is not None
    return found


def test_an_error_at_another_threshold_is_what_the_metrics_give_of_boxes_made_there(
    small: SmallReport,
) -> None:
    found = details(small)
    assert set(found.curves) == set(small.at_half)
    for row, expected in small.at_half.items():
        curve = found.curves[row]
        place = curve.thresholds.index(0.5)
        assert set(curve.errors) == {"loc_top1", "loc_top1_all", "gt_known"}
        for metric, errors in curve.errors.items():
            assert errors[place] == expected[metric], (row, metric)


def test_two_rows_are_compared_by_their_own_metrics_and_a_row_without_one_says_why(
    small: SmallReport,
) -> None:
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    strict = {"_target_": "benchmark.metrics.localization.Localization", "iou": 0.9}

    def of(node: dict[str, Any]) -> BoxDetails:
        rows = tuple(replace(row, config={**row.config, "metric": node}) for row in archived.table.measured)
        table = replace(archived.table, rows=rows)
        found = box_details(replace(archived, table=table), small.archive.parents[1], metric_of, None, 0, 0)
        assert found is not None
        return found

    def scored(records: Records) -> BoolArray:
        return Localization(iou=0.9).wrong(records)["loc_top1"][~records.blacklisted]

    for test in of({"localization": strict}).tests:
        assert test.metric == "loc_top1", "no row has the other metric"
        one, other = (scored(small.records[row]) for row in (test.first, test.second))
        assert test.difference.value == one.mean() - other.mean()
        assert (test.first_alone, test.second_alone) == ((other & ~one).sum(), (one & ~other).sum())
    assert len(of({"localization": strict}).tests) == 3
    assert not of({}).tests
    assert set(of({}).unjudged.values()) == {"its result names no metric"}


def test_of_several_boxes_at_a_threshold_the_one_of_a_run_there_counts() -> None:
    truth = np.array([[0, 0, 10, 10]], np.int32)
    right, wrong = [0, 0, 10, 10], [50, 50, 60, 60]
    columns: dict[str, Any] = {"truth": truth, "owner": np.zeros(1, np.int32)}
    columns |= {"blacklisted": np.zeros(1, np.bool_), "overlaps": np.ones((1, 2))}
    columns |= {"curve": np.array([[wrong, right, right, wrong]], np.int32), "grid": (0.2, 0.2, 0.5, 0.5)}
    found = curve(result(metrics={"gt_known": estimate(0.5)}), make(0, n=1, **columns))
    assert found is not None
    assert found.thresholds == (0.2, 0.5)
    assert [one.value for one in found.errors["gt_known"]] == [1, 0]


def test_each_metric_has_its_own_least_overlap() -> None:
    half, n = [0, 0, 10, 7], np.zeros(1, np.int32)
    columns: dict[str, Any] = {"truth": np.array([[0, 0, 10, 10]], np.int32), "owner": n, "labels": n}
    columns |= {
        "curve": np.array([[half]], np.int32),
        "grid": (0.2,),
        "label_boxes": np.array([half], np.int32),
    }
    columns |= {"boxes": np.array([[half]], np.int32), "classes": n[:, None], "blacklisted": n > 0}
    metric = {"localization": {"iou": 0.5}, "gt_known": {"iou": 0.8}}
    row = result(metrics={"gt_known": estimate(1.0), "loc_top1": estimate(0.0)}, config={"metric": metric})
    records = make(0, n=1, k=1, **columns)
    found = curve(row, records)
    assert found is not None
    assert [found.errors[name][0].value for name in ("gt_known", "loc_top1")] == [1, 0]
    metrics: dict[str, Metric] = {"localization": Localization(iou=0.5), "gt_known": GtKnown(iou=0.8)}
    wrong = judged(records, metrics).wrong
    assert [wrong[name].tolist() for name in ("gt_known", "loc_top1")] == [[True], [False]]


def test_the_kinds_of_errors_are_those_of_the_metric_whatever_they_are_counted_by(
    small: SmallReport,
) -> None:
    found = details(small)
    for row, records in small.records.items():
        shares = Anatomy(resamples=1)(records)
        kinds = found.kinds[row]
        counted = int((~records.blacklisted).sum())
        for place, name in enumerate(KINDS):
            assert kinds.predicted[place] == round(shares[name].value * counted)
        for other in (kinds.sizes, kinds.classes):
            assert other.sum(axis=0).tolist() == kinds.predicted.tolist()


def test_an_image_is_counted_by_its_own_class_and_by_its_largest_object(small: SmallReport) -> None:
    columns: dict[str, Any] = {"labels": np.full(4, 2, np.int32), "blacklisted": np.zeros(4, np.bool_)}
    columns["truth"] = np.array([[0, 0, 30, 30], [0, 0, 60, 60], [0, 0, 30, 30], [0, 0, 90, 100]], np.int32)
    columns["owner"] = np.array([0, 1, 1, 2], np.int32)
    columns["label_empty"] = np.zeros(4, np.bool_)
    row = read_result(next(small.archive.with_suffix("").glob("*.json")))
    kinds = kinds_of(row, make(0, n=4, **columns), 5)
    assert kinds.sizes.sum(axis=1).tolist() == [2, 0, 1, 0, 1]  # one image has no object at all
    assert kinds.classes.sum(axis=1).tolist() == [0, 0, 4, 0, 0]


def test_holms_correction_never_lets_a_larger_p_become_the_smaller() -> None:
    assert holm([0.04, 0.01, 0.03, 0.9]) == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert holm([]) == []


def test_rows_on_other_images_are_not_compared_and_of_others_the_images_are_counted() -> None:
    one = np.array([True, False, False, True, False])
    other = np.array([False, False, True, True, True])
    ids = tuple("abcde")
    rows = {
        "first": Mistakes(ids, {"loc_top1": one}),
        "second": Mistakes(ids, {"loc_top1": other}),
        "elsewhere": Mistakes(tuple("abcdf"), {"loc_top1": one}),
    }
    (test,) = paired_tests(rows)
    assert (test.first, test.second, test.first_alone, test.second_alone) == ("first", "second", 2, 1)
    assert test.difference.value == pytest.approx(-0.2)
    assert test.p == test.adjusted == pytest.approx(1.0)


def test_a_gallery_shows_the_stored_maps_and_what_was_recorded(small: SmallReport) -> None:
    gallery = details(small).gallery
    assert gallery is not None
    assert [image["id"] for image in gallery["images"]] == [s.image_id for s in small.dataset.samples]
    for image in gallery["images"]:
        picture = Image.open(io.BytesIO(base64.b64decode(image["picture"].partition(",")[2])))
        assert picture.size == tuple(image["size"])  # these are small already
        for row, records in small.records.items():
            place = records.image_ids.index(image["id"])
            own = image["rows"][row]
            assert own["box"] == records.boxes[place, 0].tolist()
            assert own["class"] == records.classes[place, 0]
            assert ("label" in own) == (records.classes[place, 0] != records.labels[place])


def test_the_gallery_filters_by_the_kinds_that_are_counted(small: SmallReport) -> None:
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    limits = {"anatomy": {"touch": 0.45, "inside": 0.9}}
    rows = tuple(replace(row, config={**row.config, "metric": limits}) for row in archived.table.measured)
    table = replace(archived.table, rows=rows)
    found = box_details(
        replace(archived, table=table), small.archive.parents[1], metric_of, small.dataset, 10, 10**7
    )
    assert found is not None
    assert found.gallery is not None
    for row, kinds in found.kinds.items():
        ids, left_out = small.records[row].image_ids, small.records[row].blacklisted
        counted = {image_id for image_id, leave in zip(ids, left_out, strict=True) if not leave}
        images = [image for image in found.gallery["images"] if image["id"] in counted]
        shown = [image["rows"][row]["kind"] for image in images]
        assert [shown.count(kind) for kind in KINDS] == kinds.predicted.tolist()


def test_a_map_on_the_page_draws_the_box_that_was_recorded(small: SmallReport) -> None:
    row = next(row for row in small.records if row.endswith("/grad_cam"))
    (path,) = (small.archive.parents[1] / "runs").glob("*-grad_cam-*")
    gallery = details(small).gallery
    assert gallery is not None
    shown = {image["id"]: image["rows"][row] for image in gallery["images"]}
    boxes = 0
    for file in sorted(path.glob("heatmaps-*.npz")):
        heatmaps = read_heatmaps(file)
        for place, image_id in enumerate(heatmaps.image_ids):
            node, view = shown[image_id]["map"], heatmaps.views[place]
            cells = np.frombuffer(base64.b64decode(node["data"]), np.uint8).reshape(node["shape"][1:])
            box = MaxBox("again", 1, 0.15, grid=())(cells.astype(np.float32), view, None).box
            boxes += np.abs(np.subtract(box, shown[image_id]["box"])).max() <= 1  # of 8 bits
    assert boxes >= len(shown) - 1


def test_a_large_map_is_reduced_and_a_coloured_one_keeps_its_signs() -> None:
    view = View(200, 100, Box(0, 0, 200, 100))
    large = map_node(exhibit(np.arange(100 * 100, dtype=np.float32).reshape(1, 100, 100), view))
    assert large["shape"] == [1, 56, 56]
    signed = map_node(exhibit(np.array([[[2.0]], [[-1.0]], [[0.0]]], np.float32), view))
    assert list(base64.b64decode(signed["data"])) == [255, 64, 128]


def test_a_gallery_without_room_leaves_images_out_evenly(small: SmallReport) -> None:
    whole = details(small).gallery
    assert whole is not None
    room = sum(len(image["picture"]) for image in whole["images"]) // 2
    cut = details(small, room).gallery
    assert cut is not None
    assert 1 < len(cut["images"]) <= 5
    assert cut["images"][0]["id"] == whole["images"][0]["id"]
    assert cut["images"][-1]["id"] == whole["images"][-1]["id"]


def test_other_images_than_the_tables_are_refused(small: SmallReport) -> None:
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    fewer = small.dataset.__class__(small.dataset.samples[:5])
    with pytest.raises(UserError, match=r"its images are others .* such as dataset\.limit"):
        refuse_other_images(archived, fewer)


@pytest.mark.slow
def test_in_a_browser_the_slider_moves_the_errors_and_the_gallery_sorts_and_filters(
    small: SmallReport, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    boxes = details(small)
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    page = tmp_path / "page.html"
    page.write_text(render([Chapter(archived.table, "small.json", {}, boxes)]), encoding="utf-8")
    first, second, _ = small.records

    with chromium(tmp_path) as browser:

        def every(selector: str) -> list[Any]:
            return list(browser.find_elements("css selector", selector))

        def cells() -> dict[tuple[str, str], str]:
            return {
                (td.get_attribute("data-row"), td.get_attribute("data-metric")): td.get_attribute("innerText")
                for td in every("td[data-metric]")
            }

        def choose(name: str, value: str) -> None:
            change = "dispatchEvent(new Event('change', {bubbles: true}))"
            script = f"arguments[0].value = arguments[1]; arguments[0].{change}"
            browser.execute_script(script, every(f".controls .{name}")[0], value)

        def cards() -> list[str]:
            return [card.get_attribute("data-id") for card in every(".card")]

        browser.get(page.as_uri())
        measured = cells()
        for result in archived.table.measured:
            for metric, value in result.metrics.items():
                assert measured[result.row, metric].startswith(shown(metric, value.value))

        (slider,) = every(".slider input")
        slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)  # from 0.2 to 0.5, the last
        assert every(".slider output")[0].text == "0.5"
        for (row, metric), text in cells().items():
            if not metric.startswith(("loc_", "gt_known")):
                assert text == measured[row, metric]
            elif row in small.at_half:
                assert text.startswith(shown(metric, small.at_half[row][metric].value)), (row, metric)
            else:
                assert text.startswith(measured[row, metric])
                assert "no curve" in text
        assert {line.get_attribute("visibility") for line in every(".cursor")} == {"visible"}
        every(".reset")[0].click()
        assert cells() == measured

        overlap = {
            row: {
                image_id: float(iou(records.boxes[place, 0], records.truth[records.owner == place]).max())
                for place, image_id in enumerate(records.image_ids)
            }
            for row, records in small.records.items()
        }
        assert cards() == sorted(small.records[first].image_ids)
        choose("order", "worst")
        assert cards() == sorted(sorted(cards()), key=lambda image_id: round(overlap[first][image_id], 4))
        right = {
            row: {
                image_id
                for place, image_id in enumerate(records.image_ids)
                if records.classes[place, 0] == records.labels[place] and overlap[row][image_id] >= 0.5
            }
            for row, records in small.records.items()
        }
        choose("filter", "wrong")
        assert set(cards()) == set(overlap[first]) - right[first]
        for a, b in ((first, second), (second, first)):
            choose("first", a)
            choose("second", b)
            choose("filter", "only-a")
            assert set(cards()) == right[a] - right[b]
        choose("filter", "misclassified")
        records = small.records[second]
        assert set(cards()) == {
            image_id
            for place, image_id in enumerate(records.image_ids)
            if records.classes[place, 0] != records.labels[place]
        }
        choose("filter", "all")
        choose("class", "1")
        assert set(cards()) == {s.image_id for s in small.dataset.samples if s.label == 1}

        heads = every(".classes thead button")
        heads[1].click()  # the most images first
        counts = [int(td.text) for td in every(".classes tbody td:nth-child(2)")]
        assert counts == sorted(counts, reverse=True)

        for width in (390, 1280):
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = browser.execute_script(ground)
        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        assert browser.execute_script(ground) != light
        silent = ["img:not([alt])", "th:not([scope])", "table:not(:has(caption))"]
        silent += ["svg:not([role]):not([aria-hidden])", "select:not(label select)"]
        assert every(", ".join(silent)) == []
        assert browser.get_log("browser") == []


def test_a_page_without_curves_says_too_that_its_gallery_needs_a_script(small: SmallReport) -> None:
    boxes = replace(details(small), curves={})
    table = read_table(small.archive, lambda name: pytest.fail(name)).table
    assert "need JavaScript" in render([Chapter(table, "small.json", {}, boxes)])


def test_each_of_24_lines_has_a_style_of_its_own(small: SmallReport) -> None:
    boxes = details(small)
    boxes = replace(boxes, curves={f"row/{n}": next(iter(boxes.curves.values())) for n in range(24)})
    table = read_table(small.archive, lambda name: pytest.fail(name)).table
    page = render([Chapter(table, "small.json", {}, boxes)])
    styles = re.findall(r'<polyline class="([^"]+)"', page)
    assert len(styles) % 24 == 0
    assert len(set(styles)) == 24


def test_kinds_of_errors_differ_for_eyes_that_mix_up_red_and_green() -> None:
    """Colours as the 2 x 3 cone responses of deuteranopes (Viénot 1999) see them, light and dark."""
    style = environment().get_template("style.css").render()
    light, dark = (dict(re.findall(r"--(\w+): #(\w{6})", part)) for part in style.split("@media (pref"))
    for colours in (light, light | dark):
        seen = {}
        for kind in KINDS:
            linear = (np.frombuffer(bytes.fromhex(colours[kind]), np.uint8) / 255) ** 2.2
            seen[kind] = np.array([0.293 * linear[0] + 0.707 * linear[1], linear[2]]) ** (1 / 2.2)
        for one, other in itertools.combinations(KINDS, 2):
            assert np.abs(seen[one] - seen[other]).max() > 0.12, (one, other)


def test_a_page_fetches_nothing_and_escapes_what_names_hold(small: SmallReport) -> None:
    archived = read_table(small.archive, lambda name: pytest.fail(name))
    table = replace(archived.table, title="</script><b>bold")
    text = render([Chapter(table, "small.json", dict.fromkeys(small.records, "./scripts/run <x>"))])
    assert "<b>bold" not in text
    assert "./scripts/run &lt;x&gt;" in text
    addresses = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')> ]+)", text)
    assert {one.partition(":")[0] for one in addresses if not one.startswith("#")} <= {"data"}
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}
