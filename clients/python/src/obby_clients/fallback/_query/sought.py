"""A search text as it was understood: words, or one text anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...query.values import SearchMode
from .._paths import shown
from .._problems import field
from .arguments import MAX_TEXT
from .terms import ANYWHERE, IN_PATH, Literal, Span, Term, each_term
from .words import is_blank

__all__ = ["Sought", "parse", "plain"]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is sought.

    The index knows words alone. What it cannot tell is read out of the contents: a text
    anywhere, and words of scripts without spaces, of which it knows only whole runs
    (case 54).
    """

    match: str = ""
    """The FTS5 expression that every file found satisfies; empty: the index says nothing."""
    in_path: str = ""
    """The expression for a word of it in the path; empty: none counts there."""
    terms: tuple[Term, ...] = ()
    """What to highlight."""
    inside: tuple[Term, ...] = ()
    """Of these, what the index cannot tell: all must be found."""
    literal: Literal | None = None
    """A text anywhere, instead of terms."""
    holds: Callable[[str, str], bool] = lambda _path, _content: False
    """Tells, without the index, whether a path and its content have it all."""

    @property
    def empty(self) -> bool:
        """Nothing is sought, so that nothing is found."""
        return not self.terms and self.literal is None

    @property
    def indexed(self) -> bool:
        """The index alone says which files are found."""
        return self.literal is None and not self.inside

    def inside_of(self, path: str, content: str) -> bool:
        """Tell whether a file has what the index cannot tell."""
        if self.literal is not None:
            return self.literal.stands_in(content) or self.literal.stands_in(path)
        return all(term.stands_in(content) or term.stands_in(path) for term in self.inside)

    def spans(self, text: str, place: str) -> Iterator[Span]:
        """Give where it stands at a place, ordered by the ends."""
        if self.literal is not None:
            return self.literal.spans(text)
        return each_term(text, [term for term in self.terms if term.place in {ANYWHERE, place}])


def parse(mode: SearchMode, text: str) -> Sought:
    """Read a search text.

    Raises InvalidArgumentError for more than 1,000 characters, and with ADVANCED for a
    mistake.
    """
    if len(text) > MAX_TEXT:
        raise field("query", "more than 1,000 characters")
    if not mode.known:
        raise field("mode", f"{int(mode)} is not a mode")
    text = shown(text)
    if mode is SearchMode.ADVANCED:
        from .advanced import parse_advanced  # noqa: PLC0415 (it makes of a text a Sought)

        return parse_advanced(text)
    if mode is not SearchMode.SUBSTRING:
        return plain(text)
    if not text:
        return Sought()
    literal = Literal(text, ignore_case=True)
    return Sought(
        literal=literal,
        holds=lambda path, content: literal.stands_in(content) or literal.stands_in(path),
    )


def plain(text: str) -> Sought:
    """Take what stands between blanks for a word, and of a word its runs of letters and digits.

    A word without any, such as ---, counts for nothing (cases 52 and 53).
    """
    terms: dict[tuple[str, ...], Term] = {}
    for word in "".join(" " if is_blank(char) else char for char in text).split(" "):
        term = Term.of(word)
        if term is not None:
            terms.setdefault(term.words, term.at_start())
    inside = tuple(term for term in terms.values() if term.open_start or term.open_end)
    closed = [term for term in terms.values() if term not in inside]
    return Sought(
        match=" AND ".join(term.match() for term in closed),
        in_path=" OR ".join(term.match(IN_PATH) for term in closed),
        terms=tuple(terms.values()),
        inside=inside,
        holds=lambda path, content: all(
            term.stands_in(path) or term.stands_in(content) for term in terms.values()
        ),
    )
