# SPDX-License-Identifier: Apache-2.0
"""The program as a process of its own: it starts, stays, and ends politely."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PySide6.QtNetwork import QLocalServer

from molmo_desktop.core.paths import app_paths
from molmo_desktop.services.single_instance import SingleInstance, hand_over, server_name


def start_program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "molmo_desktop", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal")
def test_the_program_starts_with_a_file_and_ends_when_it_is_asked_to(qapp, samples):
    program = start_program(str(samples / "invoice.pdf"))
    deadline = time.monotonic() + 30
    while not hand_over(app_paths().data, []) and time.monotonic() < deadline:
        time.sleep(0.2)
    children = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(signal.SIGTERM)
    said = program.communicate(timeout=20)[0]
    assert program.returncode == 0, said
    assert "Traceback" not in said
    assert not psutil.wait_procs(children, timeout=5)[1]
    log = (app_paths().logs / "molmo-desktop.log").read_text("utf-8")
    assert "ERROR" not in log


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_a_second_start_hands_its_files_to_the_first_and_ends(window, qtbot, samples):
    instance = SingleInstance(app_paths().data)
    instance.files_received.connect(window.raise_with_files)
    assert instance.listen()
    second = start_program(str(samples / "invoice.pdf"))
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=30_000)
    said = second.communicate()[0]
    assert second.returncode == 0, said
    qtbot.waitUntil(
        lambda: [item.state for item in window.backstage.session.attachments] == ["ready"],
        timeout=10_000,
    )
    instance.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no polite signal")
def test_a_minimised_program_ends_too_when_it_is_asked_to(qapp):
    program = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "minimised_child.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.stdout.readline() == "minimised\n"
    time.sleep(1.5)
    program.send_signal(signal.SIGTERM)
    said = program.communicate(timeout=10)[0]
    assert program.returncode == 0, said


def test_a_busy_program_keeps_its_place_and_a_dead_one_does_not(qapp):
    folder = app_paths().make().data
    first, second = SingleInstance(folder), SingleInstance(folder)
    assert first.listen()
    assert not second.listen()
    first.close()
    assert second.listen()
    second.close()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes on Windows have no folder")
def test_the_meeting_point_lies_in_a_folder_of_the_users_own(monkeypatch, tmp_path):
    folder = app_paths().make().data
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    short = tmp_path.parents[1] / "data"
    assert Path(server_name(folder)).parent in (folder, Path("."))
    short.mkdir(exist_ok=True)
    assert server_name(short) == str(short / "socket")
    runtime = tmp_path.parents[1] / "run"
    runtime.mkdir(exist_ok=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert Path(server_name(short)).parent == runtime


def test_an_answer_of_something_else_is_no_answer(qapp):
    folder = app_paths().make().data
    impostor = QLocalServer()
    assert impostor.listen(server_name(folder))

    def answer() -> None:
        impostor.nextPendingConnection().write(b"what?\n")

    impostor.newConnection.connect(answer)
    script = (
        "from PySide6.QtCore import QCoreApplication\n"
        "from molmo_desktop.core.paths import app_paths\n"
        "from molmo_desktop.services.single_instance import hand_over\n"
        "application = QCoreApplication([])\n"
        "print(hand_over(app_paths().data, []))"
    )
    asked = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    while asked.poll() is None:
        qapp.processEvents()
        time.sleep(0.01)
    assert asked.communicate()[0] == "False\n"
    impostor.close()


def test_nobody_answers_where_no_program_runs(qapp, home):
    assert not hand_over(app_paths().data, [])


def test_a_home_that_cannot_be_written_is_said_in_one_sentence(home):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file in the way")
    script = (
        "from PySide6.QtWidgets import QApplication, QMessageBox\n"
        "QMessageBox.exec = lambda box: print(box.text())\n"
        "from molmo_desktop.app import run\n"
        "raise SystemExit(run(['molmo-desktop']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "cannot keep its files" in done.stdout
    assert done.stderr.count(done.stdout.strip()) == 1, "said once in the terminal"
    assert "Traceback" not in done.stderr
