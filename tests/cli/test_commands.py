# SPDX-License-Identifier: Apache-2.0
"""The command line as people and scripts use it: the real program as a subprocess."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import pytest


def run(*arguments: object, **kwargs) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "molmo_desktop", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **kwargs,
    )


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """Return what was said on standard error, which must be a sentence and no traceback."""
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("molmo-desktop:")]
    assert len(lines) == 1, result.stderr
    assert lines[0].rstrip().endswith((".", "?", "…"))
    return lines[0]


def test_ask_prints_one_object_with_page_and_boxes(samples):
    result = run("ask", "What is the total due?", samples / "invoice.pdf", "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert "300.90" in answer["answer"]
    assert answer["evidence"][0]["page"] == 1
    assert answer["evidence"][0]["boxes"]
    assert set(answer) >= {
        "question", "answer", "finish_reason", "found", "evidence", "coverage", "points",
        "tokens", "timings", "memory", "energy", "model",
    }  # fmt: skip
    assert answer["energy"]["kind"] in ("measured", "estimated")
    assert answer["model"]["local"] is True
    assert answer["tokens"]["completion"] == len(answer["tokens"]["completion_ids"])


def test_ask_without_json_is_for_reading(samples):
    result = run("ask", "What is the total due?", samples / "invoice.pdf")
    assert result.returncode == 0
    assert "300.90" in result.stdout
    assert "page 1" in result.stdout
    assert "tok/s" in result.stderr


def test_a_list_of_questions_gives_json_lines(samples, tmp_path):
    questions = tmp_path / "list.txt"
    questions.write_text("What is the total due?\n\nWhat is the invoice number?\n")
    result = run("ask", "--questions", questions, samples / "invoice.pdf", "--json")
    assert result.returncode == 0
    first, second = map(json.loads, result.stdout.splitlines())
    assert "300.90" in first["answer"]
    assert "2026-0417" in second["answer"]
    assert second["timings"]["load_s"] == 0


def test_the_turns_of_a_chat_share_what_was_read(samples, tmp_path):
    script = tmp_path / "turns.txt"
    script.write_text("How much is the deposit?\nWhat is the monthly rent?\n")
    result = run("chat", "--script", script, samples / "lease.pdf", "--json")
    assert result.returncode == 0, result.stderr
    first, second = map(json.loads, result.stdout.splitlines())
    assert second["tokens"]["cached"] >= first["tokens"]["prompt"]
    assert "940" in second["answer"]


def test_the_same_question_twice_gives_the_same_tokens(samples):
    asked = ("ask", "How much is the deposit?", samples / "lease.pdf", "--json", "--cold")
    first, second = (json.loads(run(*asked).stdout)["tokens"] for _ in range(2))
    assert first["completion_ids"] == second["completion_ids"]


def test_read_prints_a_line_for_each_file_and_goes_on(samples, tmp_path):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing here")
    result = run("read", samples / "lease.pdf", broken, samples / "meeting-notes.md", "--json")
    assert result.returncode == 3
    lease, error, notes = map(json.loads, result.stdout.splitlines())
    assert [page["number"] for page in lease["pages"]] == [1, 2, 3, 4]
    assert lease["pages"][1]["origin"] == "text layer"
    assert "1,410 pounds" in lease["pages"][1]["text"]
    assert error["error"]["kind"] == "DocumentUnreadableError"
    assert "60 bags" in notes["pages"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["ask", "What?", "no-such-file.pdf"], 3),
        (["ask", "What?", "."], 3),
        (["ask", "What?", "{samples}/red-circle.png"], 3),
        (["ask", ""], 2),
        (["ask", "What?", "--model", "no-such-model"], 4),
        (["ask", "What?", "{samples}/lease.pdf", "--pages", "99"], 2),
        (["ask", "x" * 100_000], 5),
        (["chat", "--script", "no-such-list.txt"], 2),
    ],
)
def test_bad_input_is_told_in_one_sentence(samples, arguments, status):
    result = run(*[str(argument).format(samples=samples) for argument in arguments])
    assert result.returncode == status, result.stderr
    one_sentence(result)
    assert result.stdout == ""


def test_an_error_with_json_is_an_object(samples):
    result = run("ask", "What?", "no-such-file.pdf", "--json")
    assert result.returncode == 3
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "DocumentNotFoundError"
    assert error["hint"]


def test_wrong_usage_ends_with_status_2():
    assert run("ask", "What?", "--pages", "x").returncode == 2
    assert run("read").returncode == 2


def test_a_file_without_a_question_is_not_taken_for_one(samples):
    result = run("ask", samples / "invoice.pdf")
    assert result.returncode == 2
    assert "no question about" in one_sentence(result)


@pytest.mark.parametrize("make", ["truncated", "random bytes", "empty"])
def test_a_model_file_that_is_none_is_told(tiny_vlm, tmp_path, make):
    good = (tiny_vlm / "model.gguf").read_bytes()
    content = {"truncated": good[: len(good) // 2], "random bytes": bytes(range(256)) * 99}
    path = tmp_path / "model.gguf"
    path.write_bytes(content.get(make, b""))
    result = run("ask", "What?", "--model", path)
    assert result.returncode == 4, result.stderr
    one_sentence(result)


def test_ctrl_c_ends_with_status_130(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "molmo_desktop", "ask", "Write a very long story.",
         "--max-tokens", "4000", "--context", "8192"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )  # fmt: skip
    assert process.stdout.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are for Unix")
@pytest.mark.parametrize("delay_s", [0.0, 0.2, 0.6, 1.3])
def test_ctrl_c_in_a_terminal_prints_no_traceback_once_the_program_has_begun(
    samples, home, delay_s
):
    process = subprocess.Popen(
        [sys.executable, "-m", "molmo_desktop", "ask", "Write a very long story.",
         samples / "lease.pdf", "--max-tokens", "4000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    # Before that, Python itself is starting, and what it prints then is not ours to change.
    while not (home / "config").exists():
        time.sleep(0.01)
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    _, stderr = process.communicate(timeout=20)
    assert "Traceback" not in stderr
    # Minus the signal: it came before Python could listen, and shells show 130 for it too.
    # Only a late one may find the answer finished.
    assert process.returncode in (130, -signal.SIGINT) or (delay_s > 1 and process.returncode == 0)


def test_a_reader_that_leaves_early_is_no_failure(samples):
    process = subprocess.Popen(
        [sys.executable, "-m", "molmo_desktop", "ask", "Write a long story."],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.read(3)
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)
    assert "Traceback" not in stderr


@pytest.mark.skipif(importlib.util.find_spec("PySide6") is None, reason="Qt is taken away")
def test_doctor_says_what_works():
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 0, result.stdout
    names = {check["name"]: check for check in report["checks"]}
    assert names["engine"]["ok"]
    assert names["storage"]["ok"]
    assert any(name.startswith("power source") for name in names)


def test_models_are_listed():
    result = run("models", "list", "--json")
    assert result.returncode == 0
    first = json.loads(result.stdout.splitlines()[0])
    assert first["quantization"] == "Q4_1"
    assert first["has_vision"] is False


@pytest.mark.parametrize(
    "arguments", [["compare", "--json"], ["aks", "What?"], ["--no-such-option"]]
)
def test_a_misspelt_command_is_refused_and_opens_no_window(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_place_that_cannot_be_written_is_told_before_the_model_works(tmp_path):
    result = run("ask", "What?", "--dump-logits", tmp_path / "nowhere" / "logits.npz")
    assert result.returncode == 2
    one_sentence(result)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are for Unix")
def test_a_pipe_instead_of_a_file_does_not_hang(tmp_path):
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    result = run("ask", "What?", pipe)
    assert result.returncode == 3
    one_sentence(result)


@pytest.mark.skipif(sys.platform != "linux", reason="screens are told apart on Linux only")
@pytest.mark.parametrize("display", [None, ":4077"])
def test_without_a_screen_the_window_says_so(monkeypatch, display):
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    result = run()
    assert result.returncode == 2
    assert "no screen" in one_sentence(result)
