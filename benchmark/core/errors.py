"""The one error that is meant for the user."""

_LONGEST = 2000  # characters: a command with two long paths in it still fits
_ENDING = 500


class UserError(Exception):
    """An error in the user's input: one line that names the file or option and says what to do.

    Entry points print the message without a traceback and exit with a non-zero status. Anything else that
    escapes is a defect of this project and keeps its traceback. Names and contents of files may stand in the
    message as they are: it is made :func:`printable`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    r"""Return a text as one line that no terminal takes for commands, shortened in its middle if it is long.

    >>> print(printable("a\x1b[2J\nb"))
    a\x1b[2J\nb
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) <= _LONGEST:
        return text
    left_out = f" … ({len(text):,} characters) … "
    return text[: _LONGEST - _ENDING - len(left_out)] + left_out + text[-_ENDING:]
