# SPDX-License-Identifier: Apache-2.0
"""The reader's process: kept warm, ended by limits and cancel, survived when it crashes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import misbehaving_reader
import psutil
import pytest
from mini_pdf import MiniPage, write_pdf
from PIL import Image

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import (
    Cancelled,
    DocumentError,
    DocumentTooLargeError,
    DocumentUnreadableError,
    MolmoDesktopError,
)
from molmo_desktop.core.files import content_hash
from molmo_desktop.core.pages import Page, WordBox
from molmo_desktop.core.wire import MalformedMessageError
from molmo_desktop.documents import child as child_module
from molmo_desktop.documents.child import Child, ChildGreedyError, ChildSilentError
from molmo_desktop.documents.messages import pack_page, unpack_image, unpack_page
from molmo_desktop.documents.quarantine import Quarantine

PAGES = 120
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of Unix")


@pytest.fixture(scope="module")
def long_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PDF that takes some tenths of a second to read."""
    lines = [f"Sentence {number} of a long and winding page of prose." for number in range(45)]
    path = tmp_path_factory.mktemp("long") / "long.pdf"
    return write_pdf(path, [MiniPage().lines(50, 800, lines)] * PAGES)


def signal_at_page(reader, page_number: int, number: int):
    """Return a progress callback that sends the reader's process a signal at a page."""

    def report(done: int, total: int | None) -> None:
        if done == page_number:
            for pid in reader.pids:
                os.kill(pid, number)

    return report


def test_a_document_comes_back_whole(make_reader, files):
    seen = []
    document = make_reader().read(
        files / "orchard.pdf", on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert document.path == files / "orchard.pdf"
    assert document.content_hash == content_hash(files / "orchard.pdf")
    assert [page.number for page in document.pages] == [1, 2, 3]
    word = document.pages[0].words[5]
    assert document.pages[0].text[word.start : word.end] == "412"


def test_pictures_come_back_as_pixels(make_reader, files):
    reader = make_reader()
    assert reader.read(files / "turned.jpeg").is_picture
    image = reader.full_image(files / "turned.jpeg")
    assert (image.width_px, image.height_px, len(image.rgb)) == (32, 64, 32 * 64 * 3)
    small = reader.render(files / "word.png", 1, max_px=100)
    assert (small.width_px, small.height_px) == (100, 27)
    page = reader.full_image(files / "orchard.pdf", 2)
    assert page.scale == pytest.approx(150 / 72, rel=0.01)


def test_the_process_is_kept_warm(make_reader, files):
    reader = make_reader()
    assert reader.pids == ()
    reader.read(files / "notes.md")
    first = reader.pids
    assert len(first) == 1
    reader.read(files / "orchard.pdf")
    reader.render(files / "orchard.pdf", 1, max_px=50)
    assert reader.pids == first
    reader.close()
    assert not psutil.pid_exists(first[0])


@posix_only
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_one_sentence_and_the_next_file_is_read(make_reader, files, long_pdf, number):
    reader = make_reader()
    with pytest.raises(DocumentUnreadableError, match="it made the reader stop") as caught:
        reader.read(long_pdf, on_progress=signal_at_page(reader, 2, number))
    assert caught.value.data["quarantined"]
    assert f"exit code {-number}" in caught.value.detail
    assert "pond" in reader.read(files / "notes.md").pages[0].text


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_reader_that_was_ended_from_outside_is_not_held_against_the_file(
    make_reader, long_pdf, tmp_path, number
):
    reader = make_reader(quarantine_file=tmp_path / "quarantine.json")
    with pytest.raises(DocumentUnreadableError, match="ended from outside") as caught:
        reader.read(long_pdf, on_progress=signal_at_page(reader, 2, number))
    assert "quarantined" not in caught.value.data
    assert not (tmp_path / "quarantine.json").exists()
    assert len(reader.read(long_pdf).pages) == PAGES


@posix_only
def test_a_file_that_crashed_a_reader_is_not_tried_again_unless_forced(
    make_reader, long_pdf, tmp_path
):
    list_file = tmp_path / "config" / "quarantine.json"
    reader = make_reader(quarantine_file=list_file)
    with pytest.raises(DocumentUnreadableError):
        reader.read(long_pdf, on_progress=signal_at_page(reader, 1, signal.SIGSEGV))
    entry = json.loads(list_file.read_text())["files"][0]
    assert entry["content_hash"] == content_hash(long_pdf)
    later = make_reader(quarantine_file=list_file)
    with pytest.raises(DocumentUnreadableError, match="it made the reader stop before") as caught:
        later.read(long_pdf)
    assert caught.value.data["quarantined"]
    assert later.pids == ()
    # Drawing a page is another matter, and so is a file that only has the same size.
    assert later.render(long_pdf, 1, max_px=40).height_px == 40
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(long_pdf.read_bytes()[:-1] + b" ")
    assert len(later.read(changed).pages) == PAGES
    assert len(later.read(long_pdf, force=True).pages) == PAGES
    assert len(later.read(long_pdf).pages) == PAGES
    assert json.loads(list_file.read_text())["files"] == []


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"program_version": "0", "files": []}', '{"program_version": 1, "files": 2}'],
)
def test_a_damaged_quarantine_list_is_started_anew(make_reader, files, tmp_path, content):
    (tmp_path / "quarantine.json").write_text(content)
    reader = make_reader(quarantine_file=tmp_path / "quarantine.json")
    assert reader.read(files / "notes.md").format == "markdown"


@posix_only
def test_a_reader_that_hangs_is_given_up(make_reader, files, long_pdf):
    reader = make_reader(timeout_s=1.0)
    reader.read(files / "notes.md")
    started = time.monotonic()
    with pytest.raises(DocumentUnreadableError, match="could not be read within 1 seconds"):
        reader.read(long_pdf, on_progress=signal_at_page(reader, 2, signal.SIGSTOP))
    assert time.monotonic() - started < 10
    assert "pond" in reader.read(files / "notes.md").pages[0].text


def test_cancel_ends_the_reading_at_once(make_reader, files, long_pdf):
    reader = make_reader()
    token = CancelToken()

    def stop(done: int, total: int | None) -> None:
        if done == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        reader.read(long_pdf, on_progress=stop, cancel=token)
    with pytest.raises(Cancelled):
        reader.read(files / "notes.md", cancel=token)
    assert reader.read(files / "notes.md").format == "markdown"
    assert len(reader.read(long_pdf).pages) == PAGES  # a cancelled file is not in quarantine


@posix_only
def test_cancel_from_another_thread_ends_a_reader_that_hangs(make_reader, long_pdf):
    reader = make_reader()
    token = CancelToken()
    timer = threading.Timer(0.5, token.cancel)

    def hang(done: int, total: int | None) -> None:
        if done == 1:
            os.kill(reader.pids[0], signal.SIGSTOP)
            timer.start()

    with pytest.raises(Cancelled):
        reader.read(long_pdf, on_progress=hang, cancel=token)
    timer.join()


def test_an_error_of_the_caller_s_own_passes_through(make_reader, files):
    reader = make_reader()

    def fail(done: int, total: int | None) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reader.read(files / "orchard.pdf", on_progress=fail)
    assert len(reader.read(files / "orchard.pdf").pages) == 3


@posix_only
def test_a_process_that_ended_while_idle_is_replaced_without_a_word(make_reader, files):
    reader = make_reader()
    reader.read(files / "notes.md")
    os.kill(reader.pids[0], signal.SIGKILL)
    assert reader.read(files / "notes.md").format == "markdown"


def test_two_threads_read_at_once_and_a_third_waits(make_reader, files, long_pdf):
    reader = make_reader()
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(len(reader.read(long_pdf).pages)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [PAGES] * 3
    assert len(reader.pids) == 2


def test_closing_ends_a_reading_in_flight(make_reader, long_pdf):
    reader = make_reader()
    with pytest.raises(DocumentError, match="the program is closing"):
        reader.read(long_pdf, on_progress=lambda done, total: done == 2 and reader.close())


def test_nothing_is_read_after_closing(make_reader, files):
    reader = make_reader()
    reader.close()
    with pytest.raises(DocumentError, match="the program is closing"):
        reader.read(files / "notes.md")
    assert reader.pids == ()


def test_another_process_s_word_on_a_file_is_heard(make_reader, long_pdf, tmp_path):
    window = Quarantine(tmp_path / "quarantine.json")
    command_line = Quarantine(tmp_path / "quarantine.json")
    window.add(long_pdf, "read")
    assert command_line.holds(long_pdf, "read")
    command_line.remove(long_pdf, "read")
    assert not window.holds(long_pdf, "read")


def test_a_reader_that_cannot_be_started_is_told(make_reader, files, monkeypatch):
    def fail(_pid=None):
        raise psutil.NoSuchProcess(1)

    reader = make_reader()
    monkeypatch.setattr(child_module.psutil, "Process", fail)
    with pytest.raises(DocumentUnreadableError, match="could not be started"):
        reader.read(files / "notes.md")
    monkeypatch.undo()
    assert reader.read(files / "notes.md").format == "markdown"


@posix_only
@pytest.mark.parametrize(
    ("behaviour", "sentence", "is_quarantined"),
    [
        (misbehaving_reader.die_at_once, "could not be started", False),
        (misbehaving_reader.stop_in_a_message, "could not be read within 1 seconds", False),
        (misbehaving_reader.announce_a_terabyte, "it made the reader stop", True),
        (misbehaving_reader.send_many_blobs, "it made the reader stop", True),
        (misbehaving_reader.send_no_json, "it made the reader stop", True),
        (misbehaving_reader.send_a_list, "it made the reader stop", True),
        (misbehaving_reader.expect_nothing, "it made the reader stop", True),
        (misbehaving_reader.be_done_with_nothing, "it made the reader stop", True),
        (misbehaving_reader.report_nonsense, "Something went wrong", False),
    ],
)
def test_whatever_a_reader_says_it_ends_in_one_sentence(
    make_reader, files, monkeypatch, behaviour, sentence, is_quarantined
):
    reader = make_reader(timeout_s=1)
    monkeypatch.setattr(child_module, "run", behaviour)
    with pytest.raises(MolmoDesktopError, match=sentence) as caught:
        reader.read(files / "notes.md")
    assert caught.value.data.get("quarantined", False) == is_quarantined


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS is Linux's")
def test_a_file_that_needs_more_memory_than_allowed_is_told(make_reader, files, tmp_path):
    Image.new("RGB", (10_000, 10_000)).save(tmp_path / "large.png", compress_level=1)
    reader = make_reader(memory_limit_bytes=400 << 20)
    with pytest.raises(DocumentTooLargeError, match="more memory than the 400 MiB"):
        reader.full_image(tmp_path / "large.png")
    assert reader.read(files / "notes.md").format == "markdown"


def test_memory_is_watched_where_the_system_sets_no_limit(long_pdf):
    child = Child(memory_limit_bytes=1 << 30, hard_stop_s=60, idle_s=60)
    try:
        ignore = {"operation": "render", "path": str(long_pdf), "page_number": 1, "max_px": 20}
        child.ask(ignore, timeout_s=60, on_message=lambda head, blobs: None)
        child._is_memory_limited = False  # as on Windows and macOS
        child._memory_limit_bytes = 1 << 20
        request = {"operation": "render", "path": str(long_pdf), "page_number": 1, "max_px": 9000}
        with pytest.raises(ChildGreedyError):
            child.ask(request, timeout_s=60, on_message=lambda head, blobs: None)
    finally:
        child.end()


def test_a_reading_without_end_is_stopped_although_it_goes_on(long_pdf):
    child = Child(memory_limit_bytes=1 << 30, hard_stop_s=0.05, idle_s=60)
    try:
        with pytest.raises(ChildSilentError):
            child.ask(
                {"operation": "read", "path": str(long_pdf)},
                timeout_s=60,
                on_message=lambda head, blobs: None,
            )
    finally:
        child.end()


def test_an_idle_process_ends_by_itself(files):
    child = Child(memory_limit_bytes=1 << 30, hard_stop_s=60, idle_s=0.2)
    try:
        deadline = time.monotonic() + 10
        while child.is_alive and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not child.is_alive
    finally:
        child.end()


def test_a_process_can_be_started_before_the_first_file(make_reader, files):
    reader = make_reader()
    reader.warm_up()
    reader.warm_up()
    first = reader.pids
    assert len(first) == 1
    reader.read(files / "notes.md")
    assert reader.pids == first


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are bytes on Linux")
def test_a_name_in_no_known_encoding_is_read_and_printed(make_reader, files, tmp_path):
    reader = make_reader()
    for sample, ending in (("orchard.pdf", b".pdf"), ("square.png", b".png")):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9" + ending))
        path.write_bytes((files / sample).read_bytes())
        assert reader.read(path).pages
        assert reader.render(path, 1, max_px=20).width_px <= 20
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(DocumentUnreadableError) as caught:
            reader.read(path)
        assert "caf?" in caught.value.message.encode().decode()


@posix_only
def test_the_process_ends_with_its_parent(files):
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from molmo_desktop.documents.reader import DocumentReader\n"
        "if __name__ == '__main__':\n"
        "    reader = DocumentReader()\n"
        f"    reader.read(Path({str(files / 'notes.md')!r}))\n"
        "    print(reader.pids[0], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)


@posix_only
def test_what_libraries_print_goes_nowhere(files, tmp_path):
    broken = bytearray((files / "fax.tiff").read_bytes())
    for place in range(200, len(broken), 7):
        broken[place] ^= 0xFF
    (tmp_path / "broken.tiff").write_bytes(broken)
    script = (
        "from pathlib import Path\n"
        "from molmo_desktop.documents.reader import DocumentReader\n"
        "if __name__ == '__main__':\n"
        "    reader = DocumentReader()\n"
        "    try:\n"
        f"        reader.read(Path({str(tmp_path / 'broken.tiff')!r}))\n"
        "    except Exception:\n"
        "        pass\n"
        "    reader.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_pages_survive_the_way_between_processes():
    page = Page(
        3, "a b", "ocr", 10.5, 20.25, (WordBox(0, 1, 1, 2, 3, 4), WordBox(2, 3, 5, 6, 7, 8))
    )
    head, blobs = pack_page(page)
    assert unpack_page(json.loads(json.dumps(head)), blobs) == page


@pytest.mark.parametrize(
    "changes",
    [{"text": 5}, {"origin": "magic"}, {"width_pt": "wide"}, {"width_pt": float("nan")},
     {"number": None}, {"label": []}, {"text": "a"}],
)  # fmt: skip
def test_a_message_that_no_healthy_reader_sends_is_refused(changes):
    head, blobs = pack_page(Page(1, "a b", "ocr", 10, 10, (WordBox(2, 3, 1, 1, 2, 2),)))
    with pytest.raises(MalformedMessageError):
        unpack_page({**head, **changes}, blobs)
    with pytest.raises(MalformedMessageError):
        unpack_page(head, blobs[:1])
    with pytest.raises(MalformedMessageError):
        unpack_page(head, [blobs[0], blobs[1][:-8]])
    with pytest.raises(MalformedMessageError):
        unpack_image({"width_px": 2, "height_px": 2, "scale": 1}, [b"123"])
