"""Words, phrases and operators: the search mode ADVANCED.

    any  = all { OR all }
    all  = part { [ AND ] part }
    part = [ NOT ] one
    one  = [ path: | content: ] ( word | word* | "phrase" | "phrase"* | "(" any ")" )

Operators are upper case. What is read becomes an expression of FTS5, and a function that
tells the same without the index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...errors import InvalidArgumentError
from .._problems import field
from .sought import Sought
from .terms import ANYWHERE, IN_CONTENT, IN_PATH, Term
from .words import is_blank

__all__ = ["parse_advanced"]

# FTS5's own parser is done for at about twice as many.
_MAX_NESTING = 16

_WORD, _AND, _OR, _NOT, _OPEN, _SHUT, _FIELD = "word", "AND", "OR", "NOT", "(", ")", "field"
_PLACES = {"path:": IN_PATH, "content:": IN_CONTENT}


class _Part(NamedTuple):
    match: str
    holds: Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str
    position: int
    text: str = ""
    prefix: bool = False
    """A * follows."""
    place: str = ANYWHERE

    def mistake(self, problem: str) -> InvalidArgumentError:
        return _mistake(self.position, problem)


def _mistake(position: int, problem: str) -> InvalidArgumentError:
    error = field("query", f"position {position}: {problem}")
    error.metadata = {"position": str(position)}
    return error


def parse_advanced(text: str) -> Sought:
    """Read a search text; raise InvalidArgumentError for a mistake, with its position."""
    parser = _Parser(_lexemes(text))
    if not parser.lexemes:
        return Sought()
    found = parser.any(wanted=True)
    if parser.lexemes:
        raise parser.lexemes[0].mistake("a ) without its (")
    return Sought(
        match=found.match,
        in_path=" OR ".join(
            term.match(IN_PATH) for term in parser.terms if term.place != IN_CONTENT
        ),
        terms=tuple(parser.terms),
        holds=found.holds,
    )


class _Parser:
    def __init__(self, lexemes: list[_Lexeme]) -> None:
        self.lexemes = lexemes
        self.terms: list[Term] = []
        """What is to be highlighted: not what NOT leaves out."""
        self._place = ANYWHERE
        self._depth = 0

    def _next(self, *kinds: str) -> bool:
        return bool(self.lexemes) and self.lexemes[0].kind in kinds

    def _operand(self) -> bool:
        """Tell whether something can begin here."""
        return bool(self.lexemes) and not self._next(_OR, _AND, _SHUT)

    def any(self, *, wanted: bool) -> _Part:
        """Read alternatives."""
        parts = [self._all(wanted=wanted)]
        while self._next(_OR):
            operator = self.lexemes.pop(0)
            if not self._operand():
                raise operator.mistake("OR stands between two words, phrases or groups")
            parts.append(self._all(wanted=wanted))
        return _either(parts)

    def _all(self, *, wanted: bool) -> _Part:
        """Read what must occur together, and what must not beside it."""
        start = self.lexemes[0]
        have: list[_Part] = []
        lack: list[_Part] = []
        first = True
        while first or self._operand() or self._next(_AND):
            if self._next(_AND):
                operator = self.lexemes.pop(0)
                if first or not self._operand():
                    raise operator.mistake("AND stands between two words, phrases or groups")
            first = False
            if not self._next(_NOT):
                have.append(self._one(wanted=wanted))
                continue
            operator = self.lexemes.pop(0)
            if not self._operand() or self._next(_NOT):
                raise operator.mistake("NOT stands before a word, phrase or group")
            lack.append(self._one(wanted=False))
        if not have:
            raise start.mistake(
                "NOT leaves out of what is found, so something must be asked for beside it:"
                " milk NOT bread"
            )
        return _without(_together(have), _either(lack)) if lack else _together(have)

    def _one(self, *, wanted: bool) -> _Part:
        """Read a word, a phrase or a group."""
        lexeme = self.lexemes.pop(0)
        if lexeme.kind in {_OR, _SHUT}:
            raise lexeme.mistake("a word, phrase or group is missing before it")
        if lexeme.kind == _OPEN:
            return self._parentheses(lexeme, wanted=wanted)
        if lexeme.kind != _FIELD:
            return self._leaf(lexeme, wanted=wanted)
        if self._place != ANYWHERE:
            raise lexeme.mistake("path: and content: do not stand inside of each other")
        if not self._operand() or self._next(_NOT, _FIELD):
            raise lexeme.mistake("path: and content: stand before a word, phrase or group")
        self._place = lexeme.place
        found = self._one(wanted=wanted)
        self._place = ANYWHERE
        return found

    def _parentheses(self, lexeme: _Lexeme, *, wanted: bool) -> _Part:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise lexeme.mistake(f"more than {_MAX_NESTING} parentheses inside of each other")
        if not self._operand():
            raise lexeme.mistake("a word, phrase or group is missing behind it")
        found = self.any(wanted=wanted)
        if not self._next(_SHUT):
            raise lexeme.mistake("a ( without its )")
        self.lexemes.pop(0)
        self._depth -= 1
        return found

    def _leaf(self, lexeme: _Lexeme, *, wanted: bool) -> _Part:
        term = Term.of(lexeme.text)
        if term is None:
            raise lexeme.mistake("without a letter or a digit nothing can be found by words")
        term = replace(term, place=self._place, open_end=lexeme.prefix)
        if wanted:
            self.terms.append(term)
        return _Part(term.match(), lambda path, content: _stands(term, path, content))


def _stands(term: Term, path: str, content: str) -> bool:
    return (term.place != IN_CONTENT and term.stands_in(path)) or (
        term.place != IN_PATH and term.stands_in(content)
    )


def _group(parts: list[_Part], operator: str) -> str:
    if len(parts) == 1:
        return parts[0].match
    return f"({operator.join(part.match for part in parts)})"


def _either(parts: list[_Part]) -> _Part:
    return _Part(
        _group(parts, " OR "),
        lambda path, content: any(part.holds(path, content) for part in parts),
    )


def _together(parts: list[_Part]) -> _Part:
    return _Part(
        _group(parts, " AND "),
        lambda path, content: all(part.holds(path, content) for part in parts),
    )


def _without(have: _Part, lack: _Part) -> _Part:
    return _Part(
        f"({have.match} NOT {lack.match})",
        lambda path, content: have.holds(path, content) and not lack.holds(path, content),
    )


def _lexemes(text: str) -> list[_Lexeme]:
    """Cut a text to pieces."""
    found = []
    at = 0
    while at < len(text):
        if is_blank(text[at]):
            at += 1
            continue
        lexeme, at = _lexeme(text, at)
        found.append(lexeme)
    return found


def _lexeme(text: str, at: int) -> tuple[_Lexeme, int]:
    """Read the piece that begins at a character; return where the next may begin."""
    if text[at] in "()":
        return _Lexeme(text[at], at), at + 1
    if text[at] == '"':
        end = text.find('"', at + 1)
        if end < 0:
            raise _mistake(at, 'a " without the one that ends the phrase')
        prefix = text.startswith("*", end + 1)
        return _Lexeme(_WORD, at, text[at + 1 : end], prefix), end + 1 + prefix
    for name, place in _PLACES.items():
        if text.startswith(name, at):
            return _Lexeme(_FIELD, at, place=place), at + len(name)
    end = at
    while end < len(text) and not is_blank(text[end]) and text[end] not in '()"':
        end += 1
    word = text[at:end]
    if word in {_AND, _OR, _NOT}:
        return _Lexeme(word, at), end
    bare = word.removesuffix("*")
    if "*" in bare:
        raise _mistake(
            at + bare.index("*"),
            "a * stands behind a word or a phrase, and alone: use the mode SUBSTRING for parts"
            " of words",
        )
    return _Lexeme(_WORD, at, bare, bare != word), end
