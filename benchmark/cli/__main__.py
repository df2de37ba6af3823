"""``gradcam-benchmark COMMAND``, the same as ``scripts/COMMAND`` of a checkout."""

import difflib
import sys

from benchmark.cli.app.encoding import speak_everywhere
from benchmark.core.exit_codes import ExitCode

COMMANDS = {
    "run": "measure what is missing, then make the table from what is stored",
    "explain": "show heatmaps and boxes of any image, with any model and methods",
    "doctor": "say what a dataset, a weights file or an image is, and what would make a run fail",
    "fetch": "bring the weights of an experiment, for runs without a network",
    "status": "how far an experiment is, and who is making it",
    "clean": "show and remove what no table refers to, and what dead processes left",
    "table": "print and write a table again from its results",
    "report": "make one HTML page of finished tables, from stored records",
    "verify": "derive each printed number again from the stored records",
    "score": "score anybody's boxes by the devkit's rule",
    "cues": "score published segmentation seeds",
    "export": "write stored boxes in the devkit's form",
    "sync": "log a finished table to MLflow",
    "study": "what people answered in the forms of experiment=study",
    "matrix": "methods by box protocols for one model",
    "explain-gap": "what lies between a published number and the measured one",
    "train": "train a classifier",
    "neurons": "recompute a csv of neuron names from its counts",
    "selftest": "try truths that need no images, on this device",
    "stability": "how far heatmaps and boxes move with precision, threads and batches",
    "bench": "time the methods of a model",
    "gpu-check": "try a new device with these commands, within minutes",
}


def main() -> None:
    """Start the command that the first word names."""
    speak_everywhere()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print("Usage: gradcam-benchmark COMMAND [options]; COMMAND --help shows its options\n")
        print(*(f"  {command:<12} {what}" for command, what in COMMANDS.items()), sep="\n")
        return
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(COMMANDS)}"
        print(f"error: {name}: there is no such command; {hint}", file=sys.stderr)
        sys.exit(ExitCode.MISTAKE)
    from benchmark.cli.app.entry_point import start

    del sys.argv[1]
    start(name)


if __name__ == "__main__":
    main()
