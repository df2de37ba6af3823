"""The rows of Table 1: which network, method and box protocol each is."""

from collections.abc import Mapping

from facts.shipped import TABLE, Fact
from facts.values import Stated, values

_PAPER = "Selvaraju et al. 2017"


def _row(net: str, method: str, localizer: str) -> tuple[str, list[str]]:
    row = f"table.rows.{net.removesuffix('_cam')}/{method}"
    return row, [f"model=${{nets.{net}}}", f"method={method}", f"localizer={localizer}"]


VALUES: Mapping[str, Stated] = {
    TABLE: {
        f"{_PAPER}, Table 1": {"table.published": "table1"},
        f"{_PAPER}, §4.1: Simonyan et al. use GrabCut": dict([_row("vgg16", "backprop", "grabcut")]),
        "own choice, Grad-CAM's rule; theirs was GrabCut of unknown parameters": dict(
            _row(net, "c_mwp", "gradcam_15") for net in ("vgg16", "alexnet")
        ),
        f"{_PAPER}, §4.1: 15 % of the maximum": dict(
            _row(net, "grad_cam", "gradcam_15") for net in ("vgg16", "alexnet", "googlenet")
        ),
        "Zhou et al. 2016, §3.2: 20 % of the maximum, on nets with global average pooling": dict(
            _row(net, "cam", "cam_20") for net in ("vgg16_cam", "googlenet")
        ),
        f"{_PAPER}, §3.1: on such a net Grad-CAM is CAM": {
            "table.same_boxes": [["googlenet/grad_cam", "googlenet/cam"]]
        },
    },
}
FACTS: list[Fact] = [*values(VALUES)]
