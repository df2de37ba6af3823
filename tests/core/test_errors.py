"""A message is one line of moderate length, whatever the names and contents that it quotes."""

import pickle

import pytest

from benchmark.core.errors import UserError, printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2Jcat\x07", r"\x1b[2Jcat\x07"),
        ("cat\ndog\r\tfox", r"cat\ndog\r\tfox"),
        ("\u202egpj.tac", r"\u202egpj.tac"),
        ("\udcff.jpg", r"\udcff.jpg"),
        ("Wörter … 猫 \\ 🐈", "Wörter … 猫 \\ 🐈"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped_and_all_else_is_kept(name: str, shown: str) -> None:
    assert str(UserError(f"{name}: no image; correct it")) == f"{shown}: no image; correct it"


def test_a_long_message_keeps_its_file_and_its_remedy() -> None:
    message = str(UserError(f"/a/file: {'9' * 1_000_000} is no number; fetch it anew"))
    assert len(message) == 2000
    assert message.startswith("/a/file: 999")
    assert "(1,000,037 characters)" in message
    assert message.endswith("is no number; fetch it anew")


def test_an_error_that_another_process_raised_is_the_same() -> None:
    error = UserError(f"\x1b{'a' * 5000}")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == printable(str(error))
