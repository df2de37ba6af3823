"""What the exit code of every command means; ``docs/install.md`` has the same list."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The end of a command, as a number for scripts and schedulers.

    Attributes:
        COMPLETE: All that was asked for is done.
        DEFECT: An unexpected failure, with its traceback, or a launcher's, such as a job lost.
        MISTAKE: Something that the user can mend, named in one line: a word, a file, a folder.
        CHECKS_FAILED: The work is done and written, but a check of it failed, as the output says.
        ROWS_OPEN: The table is written, but rows of it could not be measured, for the reasons that it states.
        UNFINISHED: This worker is done, the table is not: other workers have not made all of its parts.
        INTERRUPTED: Ended by Ctrl-C; what was finished is kept.
        TERMINATED: Ended by a termination signal, such as a scheduler's; what was finished is kept.
    """

    COMPLETE = 0
    DEFECT = 1
    MISTAKE = 2
    CHECKS_FAILED = 3
    ROWS_OPEN = 4
    UNFINISHED = 5
    INTERRUPTED = 130
    TERMINATED = 143


_BY_GRAVITY = (
    *(ExitCode.COMPLETE, ExitCode.UNFINISHED, ExitCode.ROWS_OPEN, ExitCode.CHECKS_FAILED),
    *(ExitCode.MISTAKE, ExitCode.DEFECT, ExitCode.TERMINATED, ExitCode.INTERRUPTED),
)


def worst(codes: Iterable[int]) -> ExitCode:
    """Return the gravest of several codes, such as of a sweep's jobs; ``COMPLETE`` if there is none."""
    return max(map(ExitCode, codes), key=_BY_GRAVITY.index, default=ExitCode.COMPLETE)
