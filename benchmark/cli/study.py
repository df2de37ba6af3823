"""``./scripts/study``: what people answered in a study's forms; or made-up answers, to try that."""

from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import build, plain, published
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.files import write_atomically
from benchmark.core.text_lists import read_text
from benchmark.reporting.archive import Archived, read_table, write_table
from benchmark.reporting.render import show, write_all
from benchmark.tasks.study.analysis import analyse
from benchmark.tasks.study.answers import SIMULATED, files_in, read_answers
from benchmark.tasks.study.manifest import FILE, Manifest, read_manifest
from benchmark.tasks.study.simulate import Simulation

_PUBLISHED = "study"


def main(cfg: DictConfig) -> int:
    """Do what the first word says."""
    action = {"analyse": _analyse, "simulate": _simulate}.get(cfg.action)
    if action is None:
        said = "" if cfg.action is None else f"{cfg.action}: "
        raise UserError(f"{said}choose analyse or simulate, such as ./scripts/study analyse answers.csv")
    answers = plain(cfg.answers)
    if not isinstance(answers, list) or not answers:
        raise UserError(f"answers: name a csv, such as ./scripts/study {cfg.action} answers.csv")
    return action(cfg, [str(one) for one in answers])


def _analyse(cfg: DictConfig, answers: list[str]) -> int:
    bootstrap = build(cfg.bootstrap)
    files = files_in(answers)
    path, manifest = _manifest(cfg, files[0])
    found = analyse(read_answers(files, manifest), manifest, bootstrap, published(_PUBLISHED))
    folder = path.parent.parent if path.parent.name.endswith("-form") else path.parent
    archive = write_table(folder, Archived(found, _PUBLISHED if found.published else None, {}))
    table = read_table(archive, published).table
    show(table, notes=cfg.notes)
    print("\nwritten, with all notes:", archive, *write_all(table, folder, table.name), sep="\n  ")
    return ExitCode.COMPLETE


def _simulate(cfg: DictConfig, answers: list[str]) -> int:
    simulation: Simulation = build(cfg.simulated)
    if len(answers) > 1:
        raise UserError("answers: simulate writes one file; name one")
    path = Path(answers[0]).expanduser()
    _, manifest = _manifest(cfg, path)
    if path.exists() and f",{SIMULATED}" not in read_text(path):
        raise UserError(f"{path}: is there and holds no simulated answers; name a new file")
    write_atomically(path, simulation.text(manifest))
    print(f"{path}: simulated answers of {simulation.workers} workers that do not exist")
    return ExitCode.COMPLETE


def _manifest(cfg: DictConfig, answers: Path) -> tuple[Path, Manifest]:
    """Read the manifest that is named, or that lies beside the answers or one folder above."""
    if cfg.manifest is not None:
        path = Path(cfg.manifest).expanduser()
    else:
        near = [folder / FILE for folder in (answers.absolute().parent, answers.absolute().parent.parent)]
        path = next((one for one in near if one.is_file()), near[0])
    return path, read_manifest(path)
