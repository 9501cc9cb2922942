"""Text of others on one line."""

import unicodedata

import pytest

from sense_mqtt.core.plain_text import escape_hidden, without_hidden

SHOWN = "Wärmepumpe ☀ 100 % 'a' \\n"
TEXTS = [
    ("what shows stays", SHOWN, SHOWN, SHOWN),
    ("a line end", "a\nb\r", r"a\nb\r", "ab"),
    ("a terminal's command", "\x1b[2J\x9b", r"\x1b[2J\x9b", "[2J"),
    ("separators of lines and paragraphs", "a\u2028b\u2029", r"a\u2028b\u2029", "ab"),
    ("a turn of the direction", "a\u202eb\u2066", r"a\u202eb\u2066", "ab"),
    ("letters without width", "a\u200bb\ufeff\u3164", r"a\u200bb\ufeff\u3164", "ab"),
    ("marks without width", "a\ufe0f\U000e0101", r"a\ufe0f\U000e0101", "a"),
    ("half of a surrogate pair", "a\ud800", r"a\ud800", "a"),
]


@pytest.mark.parametrize(("text", "escaped", "bare"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_what_does_not_show_is_escaped_or_left_out(text, escaped, bare):
    assert escape_hidden(text) == escaped
    assert without_hidden(text) == bare


def test_every_control_character_and_separator_is_known():
    kinds = ("Cc", "Cs", "Zl", "Zp")
    odd = "".join(letter for letter in map(chr, range(0x11_0000)) if unicodedata.category(letter) in kinds)
    assert len(odd) > 2000
    assert without_hidden(odd) == ""
