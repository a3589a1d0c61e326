"""Searching in pure Python, with an index and without."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.fallback import ContentTracker, QueryService
from obby_clients.query import SearchMode, TopicSource

from .rows import Rows


@pytest.fixture
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[QueryService, Path]]:
    """Give a database with an index, of some contents, and the folder that it is of."""
    # Not tmp_path: it has the words of the test in it.
    folder = (tmp_path_factory.mktemp("x") / "notes").resolve()
    folder.mkdir()
    (folder / ".obbywatch").write_text("*.md\n*.txt\n")
    for name, text in CONTENTS.items():
        (folder / name).write_text(text)
    with ContentTracker(folder.with_name("indexed.db"), [folder]) as tracker:
        list(tracker.reconcile(folder))
    with QueryService(folder.with_name("indexed.db")) as service:
        yield service, folder


CONTENTS = {
    "shopping.md": "buy milk\nand eggs\n",
    "caf\u00e9.md": "un caf\u00e9 noir, cafe\u0301 au lait\n",
    "japan.md": "\u65e5\u672c\u8a9e\u306e\u691c\u7d22\u3067\u3059\n",
    "code.txt": "C++ foo.bar it's x=1\n<script>alert(1)</script>\n",
    "party.md": "\U0001f389 party, and milk\nmilk again\n",
    "milk.txt": "nothing\n",
}


def names(results: Any) -> list[str]:
    return [os.path.basename(result.path) for result in results]


@pytest.mark.parametrize(
    "text",
    [
        *("", " \t\u3000", '"', "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "*", "---", "-> ^"),
        *("foo.bar", "it's", "a/b", "C++", "x=1", "x-y", "a:b", "a\0b", "\U0001f389"),
    ],
)
def test_cases_52_and_53_plain_words_are_never_an_error(
    indexed: tuple[QueryService, Path], ask: QueryService, text: str
) -> None:
    for service in (indexed[0], ask):
        for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING):
            list(service.search_content(text, mode=mode))


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [
        ("C++", SearchMode.PLAIN, ["code.txt"]),  # case 53
        ("--- party", SearchMode.PLAIN, ["party.md"]),
        ("\u691c\u7d22", SearchMode.PLAIN, ["japan.md"]),  # case 54: inside of a run
        ("\u672c", SearchMode.SUBSTRING, ["japan.md"]),
        ("cafe", SearchMode.PLAIN, ["caf\u00e9.md"]),  # case 56
        ("CAFE\u0301", SearchMode.PLAIN, ["caf\u00e9.md"]),
        ("\U0001f389", SearchMode.SUBSTRING, ["party.md"]),
        ("ILK AG", SearchMode.SUBSTRING, ["party.md"]),
        ("milk", SearchMode.PLAIN, ["milk.txt", "party.md", "shopping.md"]),
        ("milk NOT eggs", SearchMode.ADVANCED, ["milk.txt", "party.md"]),
        ("path:mil* OR egg*", SearchMode.ADVANCED, ["milk.txt", "shopping.md"]),
        ('content:("milk again")', SearchMode.ADVANCED, ["party.md"]),
    ],
)
def test_searches(
    indexed: tuple[QueryService, Path], text: str, mode: SearchMode, found: list[str]
) -> None:
    ask, folder = indexed
    assert sorted(names(ask.search_content(text, mode=mode))) == found
    assert names(ask.search_content(text, mode=mode, path_prefix=folder / "none")) == []
    assert sorted(names(ask.search_content(text, mode=mode, extensions="md"))) == [
        name for name in found if name.endswith(".md")
    ]


def test_without_an_index_contents_are_read_by_the_same_rules(
    indexed: tuple[QueryService, Path], rows: Rows, ask: QueryService
) -> None:
    for version in sorted(indexed[0].files(indexed[1]), key=lambda version: version.version_id):
        rows.version(version.path, CONTENTS[os.path.basename(version.path)])
    for text, mode in (
        *((text, SearchMode.PLAIN) for text in ("milk", "cafe", "\u691c\u7d22", "and milk", "md")),
        *((text, SearchMode.ADVANCED) for text in ("milk NOT eggs", "path:milk OR noir", "mil*")),
        ("ilk", SearchMode.SUBSTRING),
    ):
        with_index, without = (
            [
                (r.path, r.snippet, r.highlights, r.lines)
                for r in service.search_content(text, mode=mode)
            ]
            for service in (indexed[0], ask)
        )
        assert with_index == without
        assert with_index


def test_case_57_nothing_is_escaped_and_places_are_told(
    indexed: tuple[QueryService, Path],
) -> None:
    (found,) = indexed[0].search_content("alert", max_lines=1, context_lines=1)
    assert "<script>alert(1)</script>" in found.snippet
    assert [found.snippet[mark.start : mark.end] for mark in found.highlights] == ["alert"]
    assert [(line.line_number, len(line.highlights)) for line in found.lines] == [(1, 0), (2, 1)]


def test_a_mistake_in_an_advanced_search_has_its_place(ask: QueryService) -> None:
    with pytest.raises(oc.InvalidArgumentError) as error:
        list(ask.search_content("caf\u00e9 AND", mode=SearchMode.ADVANCED))
    assert error.value.metadata == {"position": "5"}


def test_case_58_topics_are_compared_exactly(rows: Rows, ask: QueryService) -> None:
    for path, topic in (("/a", "go"), ("/b", "golang"), ("/c", "100%"), ("/d", "GO"), ("/%", "x")):
        rows.topic(path, topic)
    rows.run(
        "INSERT INTO semantic_analysis (file_path, summary, topics, timestamp)"
        """ VALUES ('/e', 's', 'go, b', 1), ('/f', 's', '["go"]', 2), ('/g', 's', '[go', 3)"""
    )
    assert [file.path for file in ask.topic_files("go")] == ["/a", "/d", "/f", "/e"]
    assert [file.path for file in ask.topic_files("100%")] == ["/c"]
    assert {file.source for file in ask.topic_files("go")} == {TopicSource.SUMMARIES}
    assert list(ask.recent_diffs(path_prefix="/%")) == []


def test_topics_by_content_where_there_are_no_summaries(
    indexed: tuple[QueryService, Path],
) -> None:
    found = list(indexed[0].topic_files("milk"))
    assert sorted(names(found)) == ["milk.txt", "party.md", "shopping.md"]
    assert {(file.source, file.entry_count) for file in found} == {(TopicSource.CONTENT, 0)}


def test_case_59_what_is_gone_is_not_found(indexed: tuple[QueryService, Path]) -> None:
    ask, folder = indexed
    (folder / "shopping.md").unlink()
    database = folder.with_name("indexed.db")
    with ContentTracker(database, [folder]) as tracker:
        tracker.track_change(folder / "shopping.md")
    with closing(sqlite3.connect(database)) as connection:  # which leaves its entry dangling
        connection.execute("DELETE FROM file_versions WHERE file_path LIKE '%party.md'")
        connection.commit()
    assert names(ask.search_content("milk")) == ["milk.txt"]


def test_places_in_a_path_that_is_not_utf8(rows: Rows, ask: QueryService) -> None:
    name = "/caf\udce9\udce8 milk.md"  # os.fsdecode's form
    rows.version("/caf\uefe9\uefe8 milk.md", "bread\n")
    for text, mode in (("milk", SearchMode.PLAIN), ("ILK", SearchMode.SUBSTRING)):
        (found,) = ask.search_content(text, mode=mode)
        assert found.path == name
        assert [name[mark.start : mark.end].upper() for mark in found.path_highlights] == [
            text.upper()
        ]
