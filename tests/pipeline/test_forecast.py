"""The forecast of a run, from invented costs of its stages."""

from pathlib import Path

import pytest

from benchmark.core.stages import Costs
from benchmark.pipeline.exhibits import MOST
from benchmark.pipeline.forecast import Machine, Probe, Stored, forecast, outcome, read_forecast, spread
from benchmark.pipeline.scene import shards_of


def _stored(images: int) -> Stored:
    """A shard of 1000 bytes and 100 for each image; more for a picture sheet, and for the file of all."""
    of_shards = 100 * images + 1000 * len(shards_of(images))
    return Stored(images, of_shards, 5000 * min(images, MOST), 7 * images)


def _probe(*, on_cpu: bool = True) -> Probe:
    costs = Costs(elapsed=12.0, processor=18.0)
    costs.core |= {
        ("net",): 9.0,
        ("net", "decode"): 2.0,
        ("net", "forward"): 1.0,
        ("net", "row", "boxes"): 4.0,
    }
    costs.device |= {("net", "forward"): 6.0}
    costs.operations |= {("net", "forward"): 30 * 10**12}
    return Probe(costs, besides=5.0, few=_stored(2), many=_stored(10), cores=2, on_cpu=on_cpu)


def test_on_this_machine_an_image_takes_as_long_as_one_of_the_probe() -> None:
    found = forecast(_probe(), Machine("here"), images=100)
    assert found.total == pytest.approx(10 * 12.0 + 5.0)
    assert found.processor == pytest.approx(180.0)
    stored = _stored(100)
    assert found.bytes == stored.shards + stored.exhibits + stored.joined


def test_storing_goes_by_the_number_of_shards_which_hold_more_images_of_a_large_dataset() -> None:
    probe = _probe()
    probe.costs.core["net", "store"] = 0.5
    found, shards = forecast(probe, Machine("here"), images=50_000), len(shards_of(50_000))
    stored = 0.5 * shards / len(shards_of(10))
    assert shards < 1000
    assert found.stages[-1].core == pytest.approx(stored)
    assert found.processor == pytest.approx(5000 * (18.0 - 0.5) + stored)
    assert found.total == pytest.approx(5000 * (12.0 - 0.5) + stored + 5.0)


@pytest.mark.parametrize("devices", [1, 3])
def test_more_cores_share_what_all_cores_did_here_on_however_many_hosts(devices: int) -> None:
    found = forecast(_probe(), Machine("wide", cores=6, devices=devices), images=100)
    assert found.seconds == {"net": pytest.approx(10 * 18.0 / 6)}


@pytest.mark.parametrize(
    ("machine", "seconds"),
    [
        (Machine("gpu", cores=16, tflops=10.0, share=0.5), 10 * 30 / 5),  # its operations take longest
        (Machine("gpus", cores=16, tflops=10.0, share=0.5, devices=10), 10 * 30 / 5 / 10),
        (Machine("poor host", cores=1, tflops=100.0, share=1.0), 10 * 6.0),  # decoding and boxes do
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_elsewhere_the_slower_of_devices_and_cores_decides(machine: Machine, seconds: float) -> None:
    assert forecast(_probe(), machine, images=100).seconds == {"net": pytest.approx(seconds)}


def test_a_device_that_is_here_counts_by_its_own_seconds() -> None:
    assert forecast(_probe(on_cpu=False), Machine("here"), images=100).seconds == {"net": pytest.approx(60.0)}


def test_a_forecast_is_kept_and_stands_beside_what_came_of_it(tmp_path: Path) -> None:
    found = forecast(_probe(), Machine("here", images=50), images=100)
    assert found.images == 50
    assert [*found.lines()][-1] == "\ndisk: 0.1 MB"
    found.write(tmp_path / "one.json")
    assert read_forecast(tmp_path / "one.json") == found
    assert read_forecast(tmp_path / "none.json") is None
    told = [*outcome(_probe().costs, found)]
    beside = "the forecast of 50 images on here: its device, 2 cores was 60 s, 90.0 s of cores"
    assert told[0] == f"measured in 12 s, 18.0 s of cores; {beside}"
    assert told[2] == "  net: forward 6.0 s (forecast 30.0 s)"
    assert "forecast" not in " ".join(outcome(_probe().costs, None))


def test_the_images_of_a_probe_are_spread_over_the_dataset() -> None:
    assert spread(range(10), 4) == [0, 2, 5, 7]
    assert spread(range(3), 8) == [0, 1, 2]
