"""A command from its command line to its exit status, with every mistake of the user as one line."""

import logging
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig

from benchmark.cli.app.jobs import Sweep, record
from benchmark.cli.app.known import refuse_lists
from benchmark.cli.app.launched import listen, take_place
from benchmark.cli.app.mistakes import CONFIGURATION, guarded, one_line
from benchmark.cli.app.places import CONF
from benchmark.cli.app.words import FORMS, Typed, completed
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.options import check


def start(command: str) -> None:
    """Run a command with the words of ``sys.argv`` and end with its status.

    A :class:`UserError`, a misspelt option or Ctrl-C ends it with one line on stderr and its
    :class:`ExitCode`; a defect of ours shows its traceback. Nothing but Hydra is imported before the
    configuration is in order.

    Args:
        command: The command's name, such as ``run``: its module in :mod:`benchmark.cli` and its yaml in
            ``conf``.
    """
    listen()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us, not a report on stderr
    logging.raiseExceptions = False  # else --info | head would end in logging's own traceback
    config_name = "config" if command == "run" else command
    typed = Typed({}, ())

    def action() -> int:
        nonlocal typed
        typed = Typed.of(sys.argv[1:], FORMS.get(command))
        typed = completed(typed, config_name)
        sys.argv[1:] = typed.line
        hydra_main = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)
        refuse_lists(typed, config_name)
        Sweep.begun = None
        try:
            hydra_main(Command(command))()
        except (UserError, *CONFIGURATION, BrokenPipeError):  # a missing yaml is an OSError as well
            raise
        except (
            Exception
        ) as error:  # Hydra's or a launcher's: what fails inside the command does not come here
            if Sweep.begun is not None:
                with typed.opened():  # again, since Hydra has closed it
                    Sweep.begun.end(
                        f"hydra/launcher: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
                    )
            raise UserError(one_line(error, typed, config_name)) from error
        return 0

    status, _ = guarded(action, lambda error: one_line(error, typed, config_name))
    sys.exit(status)


@dataclass(frozen=True)
class Command:
    """The function that Hydra calls with a composed configuration, perhaps in a launcher's process."""

    name: str

    def __call__(self, cfg: DictConfig) -> int:
        """Import the command's module and run it; a job of a sweep keeps how it ended, and others run on."""
        config_name = str(HydraConfig.get().job.config_name)
        words = tuple(HydraConfig.get().overrides.task)
        multirun = HydraConfig.get().mode == RunMode.MULTIRUN

        if multirun:
            listen()
            take_place(HydraConfig.get().job.num, cfg.get("run", {}).get("workers", 1))
            print(f"job {HydraConfig.get().job.num}: {' '.join(words)}", file=sys.stderr)
            record(words)

        def action() -> int:
            _refuse_unread(cfg)
            status: int = _module(self.name).main(cfg)
            return status

        status, message = guarded(action, lambda error: one_line(error, Typed({}, words), config_name))
        if multirun and status not in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
            record(words, status, message)
        elif status:
            # SystemExit passes through Hydra unharmed, where an exception would be reported in Hydra's words.
            sys.exit(status)
        return status


def _refuse_unread(cfg: DictConfig) -> None:
    """Refuse what composes and would be ignored without a word.

    Raises:
        UserError: Naming the choice or the option.
    """
    for group, choice in HydraConfig.get().runtime.choices.items():
        node = cfg.get(group) if choice is not None else None
        if isinstance(node, ListConfig):
            raise UserError(f"{group}={choice}: its yaml is a list; it must be of lines KEY: VALUE")
        if group == "experiment" and node is not None:
            raise UserError(f"{group}={choice}: its yaml sets nothing; begin it with # @package _global_")
        place = group.partition("@")[2]  # model@features is chosen by that whole name
        if isinstance(cfg.get(place), str):
            raise UserError(f"{place}={cfg[place]}: choose it by the whole name, {group}={cfg[place]}")
    alone = HydraConfig.get().mode != RunMode.MULTIRUN
    for word in HydraConfig.get().overrides.hydra if alone else ():
        if word.startswith(("hydra/launcher", "hydra.launcher")):
            raise UserError(f"{word}: a launcher starts the jobs of a sweep; type -m as well")
    if "notes" in cfg:
        check("notes", cfg.notes, bool)


def _module(command: str) -> Any:
    return import_module(f"benchmark.cli.{command.replace('-', '_')}")
