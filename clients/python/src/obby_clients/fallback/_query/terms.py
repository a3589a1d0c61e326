"""What is looked for: words next to each other, or one text as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .words import Word, is_spaceless, runs_of_spaceless, unfolded, words

__all__ = ["ANYWHERE", "IN_CONTENT", "IN_PATH", "Literal", "Span", "Term", "each_term"]

ANYWHERE, IN_PATH, IN_CONTENT = "", "file_path", "content"
"""Where a term is looked for: a column of the index, or either."""

Span = tuple[int, int]
"""A range of a text."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand next to each other."""

    raw: tuple[str, ...]
    """The words as they were typed."""
    words: tuple[str, ...]
    """The words as the index knows them."""
    place: str = ANYWHERE
    open_start: bool = False
    """The first word may be the end of one."""
    open_end: bool = False
    """The last word may be the beginning of one."""

    @staticmethod
    def of(text: str) -> Term | None:
        """Make a term of the words of a text; None where there is none."""
        found = list(words(text))
        if not found:
            return None
        return Term(tuple(text[w.start : w.end] for w in found), tuple(w.folded for w in found))

    def match(self, place: str | None = None) -> str:
        """Return the FTS5 expression of the term.

        In quotes nothing is an operator, and there is nothing but letters and digits in
        them, at least one: FTS5 finds nothing where a phrase joined by AND is empty
        (case 53).
        """
        place = self.place if place is None else place
        phrase = f'"{" ".join(self.raw)}"{" *" if self.open_end else ""}'
        return f"{place} : {phrase}" if place else phrase

    def stands_in(self, text: str) -> bool:
        """Tell whether the term stands in a text."""
        # Scripts without spaces have no case: no text lacks a run of theirs and has the term.
        pieces = [run for raw in self.raw for run in runs_of_spaceless(raw)]
        if any(piece not in text for piece in pieces):
            return False
        return next(each_term(text, [self]), None) is not None

    def at_start(self) -> Term:
        """Return the term, open where its first and last characters need no space beside them."""
        return replace(
            self,
            open_start=is_spaceless(self.raw[0][0]),
            open_end=is_spaceless(self.raw[-1][-1]),
        )

    def spans(self, text: str, last: Sequence[Word]) -> Iterator[Span]:
        """Give the places of the term that end with the last of the words."""
        found = last[len(last) - len(self.words) :]
        if len(found) < len(self.words) or not all(map(self._fits, range(len(found)), found)):
            return
        if len(found) == 1 and self.open_start and self.open_end:
            yield from _within(text, found[0], self.words[0])
            return
        first, end = found[0], found[-1]
        start = first.start
        if self.open_start:
            start = unfolded(text, first, len(first.folded) - len(self.words[0]))
        # What follows a prefix belongs to the word that was found.
        inside = self.open_end and is_spaceless(self.raw[-1][-1])
        yield start, unfolded(text, end, len(self.words[-1])) if inside else end.end

    def _fits(self, n: int, have: Word) -> bool:
        word = self.words[n]
        start = self.open_start and n == 0
        end = self.open_end and n == len(self.words) - 1
        if start and end:
            return word in have.folded
        if start:
            return have.folded.endswith(word)
        return have.folded.startswith(word) if end else have.folded == word


def _within(text: str, have: Word, word: str) -> Iterator[Span]:
    at = have.folded.find(word)
    while at >= 0:
        end = at + len(word)
        yield unfolded(text, have, at), unfolded(text, have, end)
        at = have.folded.find(word, end)


def each_term(text: str, terms: Sequence[Term]) -> Iterator[Span]:
    """Give every place of a text where one of the terms stands, ordered by their ends."""
    longest = max((len(term.words) for term in terms), default=0)
    if not longest:
        return
    last: list[Word] = []
    for word in words(text):
        last = [*last[-longest + 1 :], word] if longest > 1 else [word]
        for term in terms:
            yield from term.spans(text, last)


class _Folding(dict[int, str]):
    """What all letters that differ by case alone have in common, character by character."""

    def __missing__(self, char: int) -> str:
        letter = chr(char)
        forms = (letter.casefold(), letter.lower(), letter)
        self[char] = next(form for form in forms if len(form) == 1)
        return self[char]


_FOLDING = _Folding()


class Literal:
    """A text that is sought as it is, perhaps without regard to case."""

    def __init__(self, text: str, *, ignore_case: bool) -> None:
        self._ignore_case = ignore_case
        self._text = self._folded(text)

    def _folded(self, text: str) -> str:
        return text.translate(_FOLDING) if self._ignore_case else text

    def spans(self, text: str) -> Iterator[Span]:
        """Give every place of a text where it stands, one behind the other."""
        folded = self._folded(text)
        at = folded.find(self._text)
        while at >= 0:
            end = at + len(self._text)
            yield at, end
            at = folded.find(self._text, end)

    def stands_in(self, text: str) -> bool:
        """Tell whether it stands in a text."""
        return self._text in self._folded(text)

    def count(self, text: str) -> int:
        """Return how often it stands in a text."""
        return self._folded(text).count(self._text)
