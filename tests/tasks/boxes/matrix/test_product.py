"""Rows as the product of axes: their names, the user's overrides over them, and what is refused."""

from collections.abc import Iterator
from typing import Any

import hydra
import pytest

from benchmark.cli.app.config import CONF, Row, product
from benchmark.core.errors import UserError


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def rows(overrides: list[str], *axes: dict[str, list[Any]]) -> dict[str, Row]:
    return {row.name: row for row in product("config", overrides, *axes)}


def test_every_combination_is_a_row_and_the_last_axis_is_the_fastest() -> None:
    made = rows([], {"method": ["cam", "mwp"], "localizer": ["cam_20", "fong_mean"]})
    assert list(made) == ["cam/cam_20", "cam/fong_mean", "mwp/cam_20", "mwp/fong_mean"]
    for name, row in made.items():
        assert f"{row.cfg.method.name}/{row.cfg.localizer.name}" == name
        assert row.changes == ()


def test_an_option_is_an_axis_too_and_a_row_says_its_value() -> None:
    made = rows([], {"method": ["cam"], "localizer.threshold": [0.1, 0.3]})
    assert {name: row.cfg.localizer.threshold for name, row in made.items()} == {
        "cam/threshold=0.1": 0.1,
        "cam/threshold=0.3": 0.3,
    }
    assert made["cam/threshold=0.3"].changes == ("threshold=0.3",)


def test_null_truth_and_text_keep_their_type_on_an_axis() -> None:
    values = [row.cfg.dataset.limit for row in product("config", [], {"dataset.limit": [None, 3]})]
    assert values == [None, 3]
    assert [row.cfg.method.relu for row in product("config", [], {"method.relu": [True, False]})] == [
        True,
        False,
    ]


def test_the_users_overrides_lie_over_the_rows_that_have_them() -> None:
    made = rows(
        ["localizer.threshold=0.4", "dataset.limit=7", "model=alexnet"],
        {"method": ["cam"], "localizer": ["gradcam_15", "fong_mean"]},
    )
    assert {row.cfg.dataset.limit for row in made.values()} == {7}
    assert {row.cfg.model.name for row in made.values()} == {"alexnet"}
    assert made["cam/gradcam_15"].cfg.localizer.threshold == 0.4
    assert made["cam/gradcam_15"].changes == ("threshold=0.4",)
    assert made["cam/fong_mean"].changes == ()


def test_several_products_follow_one_another_and_share_the_users_overrides() -> None:
    made = rows(
        ["localizer.fraction=0.5"],
        {"method": ["cam"], "localizer": ["cam_20"]},
        {"localizer": ["center_box"]},
    )
    assert list(made) == ["cam/cam_20", "center_box"]
    assert made["center_box"].cfg.localizer.fraction == 0.5


@pytest.mark.parametrize(
    ("overrides", "axes", "says"),
    [
        ([], {"method": ["grad_cma"]}, r"grad_cma: there is no such method; did you mean grad_cam"),
        ([], {"localizer": ["zzz"]}, r"zzz: there is no such localizer; choose of cam_20, "),
        (["method=cam"], {"method": ["mwp"]}, r"method=cam: the rows go over a list"),
        (["localizer.threshold=0.5"], {"localizer": ["fong_mean"]}, r"localizer.threshold=0.5: no row"),
    ],
)
def test_what_does_not_fit_is_one_line(overrides: list[str], axes: dict[str, list[Any]], says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        product("config", overrides, axes)
    assert "\n" not in str(refused.value)
