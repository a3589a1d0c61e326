"""Words, as SQLite's full-text index reads them: tokenizer unicode61, remove_diacritics 2.

A word is a run of letters and digits; case and accents do not count. unicode61.txt says
what SQLite makes of each character: `+ lo hi` are letters, `= from to` what one is folded
to, `- char` what is dropped inside of a word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Word", "is_blank", "is_spaceless", "runs_of_spaceless", "unfolded", "words"]


class Word(NamedTuple):
    """A word of a text."""

    start: int
    """First character."""
    end: int
    """Character after the last."""
    folded: str
    """What it counts as."""


class _Table:
    """unicode61.txt, for look-up."""

    def __init__(self, text: str) -> None:
        letters, marks = [], []
        self.folded: dict[int, int | None] = {}
        for kind, *numbers in map(str.split, text.splitlines()):
            first, last = int(numbers[0], 16), int(numbers[-1], 16)
            if kind == "+":
                letters.append(f"{_escaped(first)}-{_escaped(last)}")
            elif kind == "=":
                self.folded[first] = last
            else:
                marks.append(first)
        is_letter = re.compile(f"[{''.join(letters)}]")
        # A mark that is a letter to SQLite begins words and stays in them.
        marks = [mark for mark in marks if not is_letter.match(chr(mark))]
        self.folded |= dict.fromkeys(marks)
        dropped = "".join(map(_escaped, marks))
        self.words = re.compile(f"[{''.join(letters)}][{''.join(letters)}{dropped}]*")


def _escaped(char: int) -> str:
    return f"\\U{char:08x}"


@functools.cache
def _table() -> _Table:
    return _Table(Path(__file__).with_name("unicode61.txt").read_text("ascii"))


def words(text: str) -> Iterator[Word]:
    """Give the words of a text, one after the other."""
    table = _table()
    for match in table.words.finditer(text):
        yield Word(match.start(), match.end(), match[0].translate(table.folded))


def unfolded(text: str, word: Word, size: int) -> int:
    """Return where so many characters of a word's folded form end in the text.

    The marks that were dropped behind them belong to them.
    """
    folded = _table().folded
    for at in range(word.start, word.end):
        if folded.get(ord(text[at]), 0) is None:
            continue
        if size <= 0:
            return at
        size -= 1
    return word.end


# Unicode's White_Space, which Go's unicode.IsSpace has; Python's isspace has four more.
_BLANK = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(char) for char in range(0x2000, 0x200B)
}


def is_blank(char: str) -> bool:
    """Tell whether a character stands between words; NUL, which ends FTS5's text, does."""
    return char == "\0" or char in _BLANK


# The characters of scripts that are written without spaces between words (Thai, Lao,
# Tibetan, Myanmar, Khmer, Bopomofo, Kana, Han, Yi), by Unicode's Script property, and the
# sound mark that both kana use.
_SPACELESS = (
    "e01-e3a e40-e5b e81-e82 e84 e86-e8a e8c-ea3 ea5 ea7-ebd ec0-ec4 ec6 ec8-ece ed0-ed9 edc-edf "
    "f00-f47 f49-f6c f71-f97 f99-fbc fbe-fcc fce-fd4 fd9-fda 1000-109f 1780-17dd 17e0-17e9 "
    "17f0-17f9 19e0-19ff 2e80-2e99 2e9b-2ef3 2f00-2fd5 3005 3007 3021-3029 3038-303b 3041-3096 "
    "309d-309f 30a1-30fa 30fc-30ff 3105-312f 31a0-31bf 31f0-31ff 32d0-32fe 3300-3357 3400-4dbf "
    "4e00-a48c a490-a4c6 a9e0-a9fe aa60-aa7f f900-fa6d fa70-fad9 ff66-ff6f ff71-ff9d 16fe2-16fe3 "
    "16ff0-16ff1 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b000-1b122 1b132 1b150-1b152 1b155 "
    "1b164-1b167 1f200 20000-2a6df 2a700-2b739 2b740-2b81d 2b820-2cea1 2ceb0-2ebe0 2f800-2fa1d "
    "30000-3134a 31350-323af"
)


def _range(text: str) -> str:
    return "-".join(_escaped(int(char, 16)) for char in text.split("-"))


_RUNS = re.compile(f"[{''.join(map(_range, _SPACELESS.split()))}]+")


def is_spaceless(char: str) -> bool:
    """Tell whether a character is of a script that is written without spaces."""
    return _RUNS.match(char) is not None


def runs_of_spaceless(text: str) -> list[str]:
    """Return the runs of such characters in a text."""
    return _RUNS.findall(text)
