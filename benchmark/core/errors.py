"""The one error a person is meant to see."""


class UserError(Exception):
    """Input that cannot be used: one line that names the file or option and says what to do.

    Entry points print the message without a traceback and exit with a non-zero status. Anything else that
    escapes is a defect of this project and keeps its traceback.
    """
