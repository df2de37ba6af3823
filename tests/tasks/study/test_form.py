"""The form, filled in by a browser from the disk: downloaded is what was chosen, also after a break."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.browsers import chromium
from helpers.small_study import manifest, write

from benchmark.core.errors import UserError
from benchmark.tasks.study.answers import read_answers
from benchmark.tasks.study.forms import label_studio, page, refuse_answered
from benchmark.tasks.study.manifest import Pack
from benchmark.tasks.study.task import StudyOptions


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A real browser without a window."""
    with chromium(tmp_path) as one:
        yield one


def downloaded(folder: Path, count: int) -> Path:
    """Wait until a download is whole: the browser writes it under another name before."""
    for _ in range(200):
        found = sorted(folder.glob("*.csv"), key=lambda path: path.stat().st_mtime)
        if len(found) == count:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"{folder} has no {count} downloads")


@pytest.mark.slow
def test_a_browser_fills_the_form_in_stops_and_goes_on(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    study = manifest(images=2)
    form = write(tmp_path / "form", study)

    def every(selector: str) -> list[Any]:
        return list(browser.find_elements(By.CSS_SELECTOR, selector))

    def start(pack: str) -> None:
        browser.get(form.with_name(f"{pack}.html").as_uri() + "?worker=7")
        every("#who button")[0].click()

    chosen = {}
    start("discrimination")
    for number in range(4):
        if number == 2:
            start("discrimination")  # as after a break: two are answered
            assert "Question 3 of 4" in every("#place")[0].text
        assert browser.execute_script("return document.querySelector('#pictures img').naturalWidth") == 32
        picture = every("#pictures img")[0].get_attribute("src").rpartition("/")[2]
        button = every("#answers button")[number % 2]
        chosen[number] = picture, button.get_attribute("data-answer")
        if number == 3:  # by the keyboard, after a look back
            every("#back")[0].click()
            assert "Question 3 of 4" in every("#place")[0].text
            pressed = every("#answers button[aria-pressed=true]")[0]
            assert pressed.get_attribute("data-answer") == chosen[2][1]
            pressed.click()
            every("body")[0].send_keys(str(number % 2 + 1))
        else:
            button.click()
    every("#download")[0].click()
    path = downloaded(tmp_path / "downloads", 1)
    answers = read_answers([path], study)
    assert [(a.item.pictures[0].rpartition("/")[2], a.value) for a in answers] == list(chosen.values())
    assert {a.worker for a in answers} == {"7"}
    assert not answers[0].simulated
    assert len({a.item.group for a in answers}) == 4
    assert {(a.item.variant - a.item.group) % 4 for a in answers} == {7 % 4}

    start("trust")
    for _ in range(2):
        every("#answers button")[0].click()  # robot 1, whichever network that is
    every("#download")[0].click()
    path = downloaded(tmp_path / "downloads", 2)
    with path.open() as file:
        swapped = {row["item"]: row["swapped"] for row in csv.DictReader(file)}
    for answer in read_answers([path], study):
        assert answer.value == ("-2" if swapped[answer.item.id] == "true" else "2")


def test_a_page_is_whole_and_tells_neither_answer_nor_method() -> None:
    study = manifest(images=2)
    packs: tuple[Pack, ...] = ("discrimination", "trust")
    for pack in packs:
        text = page(study, pack)
        assert "{{" not in text
        assert "http" not in text
        for word in ("vgg", "alexnet", "guided", "deconv", "grad_cam"):
            assert word not in text.replace("gradcam-study/", "")
    assert '"label": "dog, tame"' not in page(study, "discrimination")
    (first, *_) = label_studio(study, "discrimination")
    assert first["data"]["choices"] == [{"value": 'cat "x"'}, {"value": "dog, tame"}]
    assert first["data"]["picture1"].endswith("?d=pictures/0.jpg")


def test_a_form_that_people_have_answered_keeps_its_manifest(tmp_path: Path) -> None:
    write(tmp_path, manifest(images=2))
    refuse_answered(tmp_path, manifest(images=3))
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "worker.csv").write_text("")
    refuse_answered(tmp_path, manifest(images=2))
    with pytest.raises(UserError, match=r"holds answers to the study .*; move the folder away"):
        refuse_answered(tmp_path, manifest(images=3))


def test_a_study_of_one_pair_is_refused_since_an_image_is_asked_about_twice() -> None:
    with pytest.raises(UserError, match=r"study\.pairs=1: must be a whole number"):
        StudyOptions(pairs=1)
