# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sqlite3
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.index import PassageIndex


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "documents.db"


@pytest.fixture
def lease(make_document):
    return make_document(
        "The landlord is Marta Ruiz.", "The deposit is 1,410 pounds.", name="lease.pdf"
    )


def test_a_document_comes_back_as_it_was(path, lease):
    lease = replace(lease, warnings=("page 2 has no text",))
    with_index(path, lambda index: index.add(lease))
    assert with_index(path, lambda index: index.document(lease.content_hash)) == lease


def test_what_was_added_is_found_by_the_next_program(path, lease):
    with_index(path, lambda index: index.add(lease))
    found = with_index(
        path, lambda index: index.search("What is the deposit?", [lease.content_hash])
    )
    assert found[0].passage.page == 2
    assert found[0].matched_terms == ("deposit",)


def test_clearing_leaves_nothing_and_the_next_document_is_found(path, lease):
    index = PassageIndex(path)
    index.add(lease)
    index.clear()
    assert not index.document(lease.content_hash)
    assert index.search("deposit", [lease.content_hash]) == []
    assert all(b"Marta" not in file.read_bytes() for file in path.parent.iterdir())
    index.add(lease)
    assert index.search("deposit", [lease.content_hash])[0].passage.page == 2
    index.close()


def test_unknown_documents_are_none_and_found_nowhere(path):
    index = PassageIndex(path)
    assert index.document("nothing") is None
    assert not index.document("nothing")
    assert index.passages("nothing") == []
    assert index.search("deposit", ["nothing"]) == []
    index.close()


def test_a_picture_is_kept_without_passages(path):
    picture = Document(Path("a.png"), "png", "p", (Page(1, "", "none", 64, 64),), is_picture=True)
    index = PassageIndex(path)
    index.add(picture)
    assert index.document("p")
    assert index.document("p") == picture
    assert index.search("anything red", ["p"]) == []
    index.close()


def test_removing_leaves_nothing_of_the_text_on_the_disk(path, lease):
    index = PassageIndex(path)
    index.add(lease)
    index.remove(lease.content_hash)
    assert not index.document(lease.content_hash)
    assert index.search("deposit", [lease.content_hash]) == []
    index.close()
    assert all(b"Marta" not in file.read_bytes() for file in path.parent.iterdir())


def test_adding_again_replaces(path, lease, make_document):
    index = PassageIndex(path)
    index.add(lease)
    changed = make_document("The deposit is 2,000 pounds.", name="lease.pdf")
    index.add(changed)
    assert index.document(lease.content_hash) == changed
    assert len(index.passages(lease.content_hash)) == 1
    assert len(index.search("deposit", [lease.content_hash])) == 1
    index.close()


def test_strange_characters_survive(path, make_document):
    document = make_document("zero\0character and \ud800 half a pair, deposit \U0001f600 end")
    index = PassageIndex(path)
    index.add(document)
    passage = index.search("deposit", [document.content_hash])[0].passage
    stored = index.document(document.content_hash)
    assert stored.pages[0].text[passage.start : passage.end] == passage.text
    assert len(stored.pages[0].text) == len(document.pages[0].text)
    index.close()


def test_damaged_file_is_put_aside_and_begun_anew(path, lease):
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 500)
    index = PassageIndex(path)
    index.add(lease)
    assert index.memory_reason is None
    index.close()
    assert path.with_name("documents.db.unusable").exists()
    assert with_index(path, lambda i: i.document(lease.content_hash))


def test_damage_that_shows_up_later_loses_no_answer(path, lease, make_document):
    other = make_document("Nothing in here. " * 2000, name="other.pdf")
    with_index(path, lambda index: (index.add(lease), index.add(other)))
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xa5" * (len(content) - 4096 - 8192)
    path.write_bytes(content)
    index = PassageIndex(path)
    if index.document(lease.content_hash) is None:
        index.add(lease)
    assert index.search("deposit", [lease.content_hash])[0].passage.page == 2
    assert index.memory_reason is None
    index.close()
    assert with_index(path, lambda i: i.document(lease.content_hash))


def test_file_of_a_newer_program_is_put_aside(path, lease):
    with_index(path, lambda index: index.add(lease))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 900000000")
    connection.close()
    assert not with_index(path, lambda index: index.document(lease.content_hash))
    assert path.with_name("documents.db.unusable").exists()


def test_file_of_an_older_reader_is_begun_anew_without_a_trace(path, lease):
    with_index(path, lambda index: index.add(lease))
    index = PassageIndex(path, reader_version=2)
    assert not index.document(lease.content_hash)
    index.add(lease)
    index.close()
    assert not path.with_name("documents.db.unusable").exists()


def test_a_place_that_cannot_be_written_means_memory(tmp_path, lease):
    (tmp_path / "file").write_text("in the way")
    index = PassageIndex(tmp_path / "file" / "documents.db")
    assert index.memory_reason is not None
    index.add(lease)
    assert index.search("deposit", [lease.content_hash])
    index.close()


def test_read_only_file_means_memory(path, lease, monkeypatch):
    with_index(path, lambda index: index.add(lease))
    real = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda name, **options: real(
            name if name == ":memory:" else f"file:{name}?mode=ro", uri=True, **options
        ),
    )
    index = PassageIndex(path)
    assert index.memory_reason is not None
    index.add(lease)
    assert index.document(lease.content_hash)
    index.close()


def test_full_disk_carries_the_session_over_to_memory(path, lease, make_document):
    index = PassageIndex(path)
    index.add(lease)
    pages = index._connection.execute("PRAGMA page_count").fetchone()[0]
    index._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = make_document("Something long about repairs. " * 3000, name="large.pdf")
    index.add(large)
    assert index.memory_reason is not None
    hashes = [lease.content_hash, large.content_hash]
    assert index.search("deposit", hashes)[0].passage.page == 2
    assert index.search("repairs", hashes)[0].passage.content_hash == large.content_hash
    index.close()


def test_two_programs_share_the_file(path, make_document):
    first, second = PassageIndex(path), PassageIndex(path)
    failures: list[BaseException] = []

    def add(index: PassageIndex, start: int) -> None:
        try:
            for number in range(start, start + 10):
                index.add(make_document(f"Deposit number {number}.", name=f"{number}.pdf"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(i, s)) for i, s in ((first, 0), (second, 5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for index in (first, second):
        assert all(index.document(f"hash-of-{number}.pdf") for number in range(15))
        found = index.search("deposit number 7", [f"hash-of-{n}.pdf" for n in range(15)])
        assert found[0].passage.content_hash == "hash-of-7.pdf"
        assert index.memory_reason is None
        index.close()


def test_one_index_serves_several_threads(path, lease):
    index = PassageIndex(path)
    index.add(lease)
    found: list[int] = []

    def ask() -> None:
        for _ in range(20):
            found.append(index.search("deposit", [lease.content_hash])[0].passage.page)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.close()
    assert found == [2] * 80


def test_closing_twice_is_harmless(path):
    index = PassageIndex(path)
    index.close()
    index.close()


def with_index(path, work):
    index = PassageIndex(path)
    try:
        return work(index)
    finally:
        index.close()


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
def test_only_the_user_can_read_what_is_kept(tmp_path, lease):
    path = tmp_path / "documents.db"
    index = PassageIndex(path)
    index.add(lease)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("documents.db*")} == {0o600}
    index.close()
