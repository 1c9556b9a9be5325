# SPDX-License-Identifier: Apache-2.0
"""What the store keeps and gives back."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.store.store import Store


def _invoice(store: Store, conversation_id: int) -> int:
    return store.add_attachment(
        conversation_id, Path("/home/me/Überweisung.pdf"), "ab" * 32, "pdf", 7, False
    )


def _ask(store: Store, conversation_id: int, text: str = "What is the total due?") -> int:
    question = store.add_question(conversation_id, text)
    return store.start_answer(conversation_id, question, "SmolLM2")


def test_a_conversation_comes_back_after_closing_the_file(store, database_file, answer):
    conversation = store.create_conversation()
    _invoice(store, conversation)
    question = store.add_question(conversation, "What is the total due?", [Path("/home/me/a.pdf")])
    answer_id = store.start_answer(conversation, question, "")
    store.finish_answer(answer_id, answer, "finished")
    store.close()

    again = Store(database_file)
    [summary] = again.conversations()
    asked, answered = again.messages(conversation)
    [attachment] = again.attachments(conversation)
    again.close()

    assert summary.title == "What is the total due?"
    assert summary.attachment_names == ("Überweisung.pdf",)
    assert (asked.role, asked.status, asked.text) == ("user", "saved", "What is the total due?")
    assert asked.attachments == (Path("/home/me/a.pdf"),)
    assert (answered.role, answered.status) == ("assistant", "finished")
    assert answered.text == "The total due is 300.90 EUR."
    assert answered.answer == answer
    assert answered.question_id == question
    assert answered.model_name == "SmolLM2-135M-Instruct"
    assert (attachment.page_count, attachment.is_picture) == (7, False)
    assert again.notice == ""


def test_the_title_is_the_first_words_of_the_first_question(store):
    conversation = store.create_conversation()
    store.add_question(conversation, "What is\nthe total " + "of all the positions " * 10)
    store.add_question(conversation, "And the date?")
    title = store.conversations()[0].title
    assert title.startswith("What is the total of all")
    assert title.endswith("…")
    assert len(title) <= 61


def test_a_title_of_the_users_own_stays(store):
    conversation = store.create_conversation("Taxes")
    store.add_question(conversation, "What is due?")
    assert store.conversations()[0].title == "Taxes"
    store.rename_conversation(conversation, "  Taxes 2026 ")
    assert store.conversations()[0].title == "Taxes 2026"


def test_a_question_without_words_is_titled_by_its_file(store):
    conversation = store.create_conversation()
    store.add_question(conversation, "  ", [Path("/home/me/holiday.jpg")])
    assert store.conversations()[0].title == "holiday.jpg"


def test_the_conversation_used_last_comes_first(store, answer):
    first, second = store.create_conversation("first"), store.create_conversation("second")
    assert [item.id for item in store.conversations()] == [second, first]
    answer_id = _ask(store, first)
    assert [item.id for item in store.conversations()] == [first, second]
    store.add_question(second, "Later")
    store.finish_answer(answer_id, answer, "finished")
    assert [item.id for item in store.conversations()] == [first, second]


@pytest.mark.parametrize(
    "search",
    ["total", "TOTAL due", "300.90", "uberweis", "Überweisung.pdf", "合計", "due eur überweisung"],
)
def test_search_finds_words_in_questions_answers_and_file_names(store, answer, search):
    other = store.create_conversation("Holiday")
    store.add_question(other, "Where was this?")
    conversation = store.create_conversation()
    _invoice(store, conversation)
    answer_id = _ask(store, conversation, "What is the total due? 合計金額")
    store.finish_answer(answer_id, answer, "finished")
    assert [item.id for item in store.conversations(search)] == [conversation]


@pytest.mark.parametrize("search", ["nowhere", "total nowhere", "100%_", "' OR 1=1 --"])
def test_search_finds_nothing_where_a_word_is_missing(store, search):
    conversation = store.create_conversation()
    store.add_question(conversation, "What is the total due?")
    assert store.conversations(search) == []


def test_search_is_quick_in_a_long_history(store, answer):
    text = "The quick brown fox jumps over the lazy dog and reads every page of it. " * 8
    with store._database.writing() as connection:
        for _ in range(300):
            key = connection.execute(
                "INSERT INTO conversations (title, title_folded, created_at, updated_at) "
                "VALUES ('a', 'a', 1, 1)"
            ).lastrowid
            connection.executemany(
                "INSERT INTO messages (conversation_id, role, text, text_folded, status, "
                "created_at) VALUES (?, 'user', ?, ?, 'saved', 1)",
                [(key, text, text.casefold())] * 30,
            )
    started = time.perf_counter()
    assert store.conversations("fox nowhere") == []
    # 9000 messages, 5 MB of text: measured 10 ms on 2 cores; the limit is for a busy machine.
    assert time.perf_counter() - started < 0.5


def test_a_deleted_conversation_can_be_restored_until_it_is_purged(store, answer, database_file):
    conversation = store.create_conversation("Secret plan")
    answer_id = _ask(store, conversation, "Mountain hideout")
    store.finish_answer(answer_id, answer, "finished")
    store.save_draft(conversation, "and where")

    store.delete_conversation(conversation)
    assert store.conversations() == []
    assert store.conversation(conversation) is None
    assert store.purge_deleted(older_than_s=3600) == 0
    store.restore_conversation(conversation)
    assert len(store.messages(conversation)) == 2

    store.delete_conversation(conversation)
    assert store.purge_deleted() == 1
    store.restore_conversation(conversation)
    assert store.conversations() == []
    assert store.messages(conversation) == []
    assert store.draft(conversation) == ""
    files = database_file.parent.iterdir()
    assert not any(b"hideout" in file.read_bytes() for file in files), "still in the file"


def test_an_attachment_added_twice_is_one_with_the_newer_content(store):
    conversation = store.create_conversation()
    first = _invoice(store, conversation)
    again = store.add_attachment(
        conversation, Path("/home/me/Überweisung.pdf"), "cd" * 32, "pdf", 8, False
    )
    assert again == first
    [attachment] = store.attachments(conversation)
    assert (attachment.content_hash, attachment.page_count) == ("cd" * 32, 8)
    store.remove_attachment(first)
    assert store.attachments(conversation) == []


def test_an_answer_can_be_saved_while_it_is_written(store, answer):
    conversation = store.create_conversation()
    answer_id = _ask(store, conversation)
    assert store.messages(conversation)[1].status == "writing"
    store.save_partial(answer_id, "The total")
    assert store.messages(conversation)[1].text == "The total"
    store.finish_answer(answer_id, answer, "finished")
    store.save_partial(answer_id, "too late")
    assert store.messages(conversation)[1].text == "The total due is 300.90 EUR."


def test_a_failed_answer_keeps_its_beginning_and_its_error(store):
    conversation = store.create_conversation()
    answer_id = _ask(store, conversation)
    store.save_partial(answer_id, "The total")
    error = {"kind": "EngineCrashedError", "message": "The engine stopped.", "hint": "Ask again."}
    store.finish_answer(answer_id, None, "failed", error)
    message = store.messages(conversation)[1]
    assert (message.status, message.text, message.error) == ("failed", "The total", error)
    assert message.answer is None
    assert store.ledger() == []


def test_an_answer_that_another_thread_of_this_program_writes_is_not_interrupted(store):
    conversation = store.create_conversation()
    _ask(store, conversation)
    assert store.mark_interrupted() == 0
    assert store.messages(conversation)[1].status == "writing"


def test_the_ledger_keeps_costs_without_words_after_the_conversation_is_gone(store, answer):
    conversation = store.create_conversation()
    answer_id = _ask(store, conversation)
    store.finish_answer(answer_id, answer, "finished")
    store.finish_answer(answer_id, answer, "finished")
    [row] = store.ledger()
    assert (row.answer_id, row.energy_j, row.above_idle_j) == (answer_id, 12.1, 8.0)
    assert (row.kind, row.source, row.carbon_g) == ("estimated", "cpu time model", 0.002)
    assert row.duration_s == pytest.approx(1.2)
    assert (row.prompt_tokens, row.cached_tokens, row.completion_tokens) == (812, 790, 21)
    assert row.model_name == "SmolLM2-135M-Instruct"
    store.delete_conversation(conversation)
    store.purge_deleted()
    [row] = store.ledger()
    assert (row.answer_id, row.energy_j) == (None, 12.1)
    assert store.ledger(since=time.time() + 1) == []


def test_an_unknown_energy_stays_unknown_in_the_ledger(store, answer):
    answer["energy"] = {"energy_j": None, "kind": "not available", "source": "none"}
    answer["timings"] = {}
    answer_id = _ask(store, store.create_conversation())
    store.finish_answer(answer_id, answer, "finished")
    [row] = store.ledger()
    assert (row.energy_j, row.carbon_g, row.duration_s) == (None, None, None)


def test_drafts_are_kept_for_each_conversation_and_for_a_new_one(store, database_file):
    conversation = store.create_conversation()
    store.save_draft(conversation, "And who")
    store.save_draft(None, "What if")
    store.close()
    again = Store(database_file)
    assert (again.draft(conversation), again.draft(None)) == ("And who", "What if")
    again.save_draft(conversation, "")
    assert again.draft(conversation) == ""
    again.close()


def test_the_export_shows_where_an_answer_comes_from(store, answer):
    conversation = store.create_conversation()
    _invoice(store, conversation)
    store.finish_answer(_ask(store, conversation), answer, "finished")
    stopped = _ask(store, conversation, "And the date?")
    store.save_partial(stopped, "It is")
    store.finish_answer(stopped, None, "cancelled")
    text = store.export_markdown(conversation)
    assert text.startswith("# What is the total due?\n")
    assert "- `Überweisung.pdf`, 7 pages" in text
    assert "1. `invoice.pdf`, page 7: “Total due 300.90 EUR”" in text
    assert "“Invoice”" not in text, "what was merely near is not a citation"
    assert "12.1 J (estimated)" in text
    assert "It is\n\n*(stopped by you)*" in text


def test_the_export_of_a_missing_conversation_says_so(store):
    with pytest.raises(HistoryError, match="not there any more"):
        store.export_markdown(99)


def test_a_question_for_a_missing_conversation_is_refused(store):
    with pytest.raises(HistoryError, match="not there any more"):
        store.add_question(99, "Hello?")
    assert store.create_conversation() > 0, "the store works on"


def test_an_answer_whose_conversation_was_purged_still_counts_its_energy(store, answer):
    conversation = store.create_conversation()
    answer_id = _ask(store, conversation)
    store.delete_conversation(conversation)
    store.purge_deleted()
    store.save_partial(answer_id, "The")
    store.finish_answer(answer_id, answer, "finished")
    assert [row.energy_j for row in store.ledger()] == [12.1]


def test_texts_that_are_not_valid_unicode_do_no_harm(store, answer):
    conversation = store.create_conversation("a\ud800b")
    path = Path(os.fsdecode(b"/home/me/caf\xe9.pdf"))
    store.add_attachment(conversation, path, "", "pdf", None, False)
    question = store.add_question(conversation, "lone \udcff and nul \x00 end", [path])
    answer["answer"] = "half \ud83d"
    answer_id = store.start_answer(conversation, question, "m\udc80")
    store.save_partial(answer_id, "half \ud83d")
    store.finish_answer(answer_id, answer, "finished")
    assert store.attachments(conversation)[0].path == path
    asked, answered = store.messages(conversation)
    assert asked.attachments == (path,)
    assert asked.text == "lone ? and nul \x00 end"
    assert answered.text == "half ?"
    assert store.export_markdown(conversation).encode("utf-8")
    assert len(store.conversations("half")) == 1


def test_a_damaged_field_does_not_hide_the_conversation(store, answer, database_file):
    conversation = store.create_conversation()
    answer_id = _ask(store, conversation)
    store.finish_answer(answer_id, answer, "finished")
    with sqlite3.connect(database_file) as other:
        other.execute("UPDATE messages SET answer = '{\"answer\": ', attachments = 'x'")
    other.close()
    asked, answered = store.messages(conversation)
    assert answered.text == "The total due is 300.90 EUR."
    assert answered.answer is None
    assert asked.attachments == ()


def test_threads_may_use_one_store_at_once(store, answer):
    conversation = store.create_conversation("all")
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(25):
                answer_id = _ask(store, conversation, f"{name} {number}")
                store.save_partial(answer_id, "The")
                store.finish_answer(answer_id, answer, "finished")
                store.conversations("total")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.messages(conversation)) == 200
    assert len(store.ledger()) == 100


def test_a_store_in_memory_works_and_says_that_it_saves_nothing(answer):
    store = Store.in_memory()
    assert not store.is_saving
    conversation = store.create_conversation()
    store.finish_answer(_ask(store, conversation), answer, "finished")
    assert len(store.messages(conversation)) == 2
    store.delete_conversation(conversation)
    assert store.purge_deleted() == 1
    store.close()


def test_copies_made_before_an_update_are_deleted_after_their_time(tmp_path):
    path = tmp_path / "conversations.db"
    copies = [tmp_path / f"conversations.db.version-{number}.backup" for number in (1, 2)]
    for copy in copies:
        copy.write_bytes(b"x")
    os.utime(copies[0], (1000, 1000))
    store = Store(path)
    store.purge_backups(3600)
    store.close()
    assert [copy.exists() for copy in copies] == [False, True]
