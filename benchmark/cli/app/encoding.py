"""Text in any locale: files are UTF-8, and what a terminal cannot show is printed in plain characters."""

import codecs
import io
import locale
import os
import sys

_PLAIN = {
    **{"…": "...", "–": "-", "—": "-", "−": "-", "─": "-", "·": ".", "×": "x", "→": "->", "±": "+-"},
    **{
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "²": "2",
        "§": "section ",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
    },
}


def speak_everywhere() -> None:
    """Make this process print and read in any locale; called once, before anything is printed.

    Under a locale that is not UTF-8, Python would read, write and name files in that locale's encoding, in
    libraries as well. So it is started anew in its own UTF-8 mode, under the same process number; what is
    printed keeps the terminal's encoding.
    """
    if not sys.flags.utf8_mode and codecs.lookup(locale.getencoding()).name != "utf-8":
        terminal = getattr(sys.stdout, "encoding", None) or "utf-8"
        shown = os.environ.get("PYTHONIOENCODING") or f"{terminal}:backslashreplace"
        own = {"PYTHONUTF8": "1", "PYTHONIOENCODING": shown}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | own)
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace what an encoding lacks by plain characters, or else by its number, as a codec's handler."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    shown = "".join(_PLAIN.get(c, c) for c in text)
    return shown.encode("ascii", "backslashreplace").decode("ascii"), error.end
