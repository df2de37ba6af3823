"""The Markdown of every option and of every command."""

import re

import yaml
from every_option import CONF, Option, choices, of_command

GROUPS = {
    "dataset": "Images, their labels and boxes: [data](../data.md).",
    "model": "A classifier, its weights, and the layers that methods read: [weights](../weights.md).",
    "method": "How the heatmap of a class is made.",
    "localizer": "How a heatmap becomes a box: [protocols](../protocols.md).",
    "transform": "How an image becomes the network's input.",
    "metric": "Numbers made of the records of boxes; a list, `metric=[classification,gt_known]`.",
    "run": "How the forward passes are computed.",
    "experiment": "A table or a training by name: words that stand before those that you type.",
    "task": "What is done with the heatmaps; an experiment chooses it.",
    "classes": "The classes of an image for which maps are made, where the task is one of pairs.",
    "reading": "What is stored of a pair of image and class; a list, `reading=[summary,box]`.",
    "pair_metric": "Numbers made of stored pairs; a list, `pair_metric=[rank_correlation,pointing_game]`.",
    "concepts": "Masks of concepts for the names of neurons: [neurons](../neurons.md).",
    "segmenter": "What SEC trains, `segmenter@task.training=NAME`: [segmentation](../segmentation.md).",
    "nets": "Which model a row of a table means by `vgg16`, `vgg16_cam`, `alexnet` and `googlenet`.",
    "train": "How `./scripts/train` trains: [training](../training.md).",
    "tracking": "Where finished tables are logged: [results](../results.md#mlflow).",
    "forecast": "What a run would take, from a few images: [speed](../speed.md#what-a-run-will-take).",
    "hydra/launcher": "How the jobs of a sweep are started: [a cluster](../cluster.md).",
}
"""Folder of ``conf/`` to a sentence about it."""


def pages() -> dict[str, str]:
    """Return the name of each generated page, such as ``options/localizer.md``, with its Markdown."""
    made = {f"options/{group.replace('/', '-')}.md": page(group) for group in GROUPS}
    return {"options/commands.md": _commands(), **made}


def page(group: str) -> str:
    """Return the page of a group, a section a choice."""
    parts = [f"# {group}", GROUPS[group], f"`{group}=NAME` chooses one of these; below each are its options."]
    for choice in choices(group).values():
        parts += [f"## {choice.name}", _introduction(choice.about)]
        parts += [f"It chooses {', '.join(f'`{word}`' for word in choice.words)}."] if choice.words else []
        for place, other in choice.within.items():
            at = f" below `{place}`" if place else ""
            only = ", and these:" if choice.options else "."
            named = f"[`{other}`](#{other})" if other in choices(group) else f"`{other}`"
            parts.append(f"It has the options of {named}{at}{only}")
        parts += [_table(choice.options)] if choice.options else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _commands() -> str:
    parts = [
        "# Commands",
        "Each has the options of the groups that it names, which have pages of their own, and these.",
    ]
    for path in sorted(CONF.glob("*.yaml"), key=lambda path: (path.stem != "config", path.stem)):
        text = path.read_text(encoding="utf-8")
        helped = (yaml.safe_load(text).get("hydra") or {}).get("help")
        if not helped:
            continue
        said = re.split(
            r"\n\n(?:Choices \(|Options)", helped["template"].replace("${hydra.help.header}\n\n", "")
        )[0]
        options = of_command(text)
        parts += [f"## {helped['app_name']}", helped["header"], f"```text\n{said.strip()}\n```"]
        parts += [_table(options)] if options else []
    return "\n\n".join(parts) + "\n"


def _table(options: tuple[Option, ...]) -> str:
    rows = [
        f"| `{one.name}` | {_escaped(one.kind)} | {_code(one.default)} | {_escaped(one.meaning)} |"
        for one in options
    ]
    return "\n".join(["| option | is | default | means |", "|---|---|---|---|", *rows])


def _code(text: str) -> str:
    return f"`{text}`" if "`" not in text else _escaped(text)


def _escaped(text: str) -> str:
    """Return plain text as Markdown; what stands between backticks stays."""
    text = re.sub(r":\w+:`~?[\w.]*?(\w+)`", r"`\1`", text)
    return re.sub(r"(`[^`]+`)|([\\*<>|\[\]])", lambda found: found[1] or f"\\{found[2]}", text)


def _introduction(text: str) -> str:
    """Return a comment as Markdown: lines that are set in are commands."""
    lines = [f"    {line.strip()}" if line.startswith("  ") else _escaped(line) for line in text.splitlines()]
    return re.sub(r"(?m)^((?! {4}).+)\n(?= {4})", r"\1\n\n", "\n".join(lines))
