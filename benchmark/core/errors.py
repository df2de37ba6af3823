"""The one error that is meant for the user."""


class UserError(Exception):
    """An error in the user's input: one line that names the file or option and says what to do.

    Entry points print the message without a traceback and exit with a non-zero status. Anything else that
    escapes is a defect of this project and keeps its traceback.
    """
