# SPDX-License-Identifier: Apache-2.0
"""``ask`` and ``chat``: questions about files, answered in the terminal."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.assistant.requests import AskOptions, AskRequest, Turn
from molmo_desktop.cli.output import (
    Progress,
    print_answer_details,
    print_error,
    print_json,
)
from molmo_desktop.cli.work import cancelled_by_ctrl_c, open_assistant
from molmo_desktop.core.answer import Answer
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled, MolmoDesktopError, UsageError

_CONVERSATION_KEY = "terminal"


def run_ask(options: argparse.Namespace) -> int:
    """Answer one question, or each line of a list on its own."""
    _check_logits_file(options.dump_logits)
    if options.questions:
        questions = read_lines(options.questions)
        files = tuple(Path(name) for name in options.arguments)
    else:
        if error := _missing_question(options.arguments):
            if options.json:
                print_json({"question": "", "error": error.shown()})
            raise error
        questions = [options.arguments[0]]
        files = tuple(Path(name) for name in options.arguments[1:])
    return _answer_all(options, questions, files, is_conversation=False)


def _missing_question(arguments: list[str]) -> UsageError | None:
    """Return what to say when there is nothing to answer: no words, or only a file's name."""
    if not arguments:
        return UsageError("There is no question.", hint='Try: molmo-desktop ask "What is this?"')
    if len(arguments) == 1 and os.path.isfile(arguments[0]):
        return UsageError(
            f"There is no question about {arguments[0]}.",
            hint='The question comes before the file: molmo-desktop ask "What is this?" FILE.',
        )
    return None


def run_chat(options: argparse.Namespace) -> int:
    """Answer the lines of a file as the turns of one conversation."""
    return _answer_all(
        options, read_lines(options.script), tuple(options.files), is_conversation=True
    )


def ask_options(options: argparse.Namespace) -> AskOptions:
    """Return the asking options as the assistant takes them."""
    return AskOptions(
        model=options.model,
        mmproj=options.mmproj,
        context_length=options.context,
        max_new_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
        thread_count=options.threads,
        pages=options.pages,
        mode=options.mode,
        cold=options.cold,
        raw=options.raw,
        dump_logits=options.dump_logits,
        try_anyway=options.try_anyway,
    )


def _check_logits_file(path: Path | None) -> None:
    """Refuse a place that cannot be written before the model works for nothing."""
    if path is not None and not os.access(path.absolute().parent, os.W_OK):
        raise UsageError(
            f"The file {path} cannot be written.", hint="Choose a folder that exists and is yours."
        )


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file that are not empty.

    Raises:
        UsageError: The file cannot be read, or there is nothing in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The list {path} cannot be read.",
            hint="Give a text file in UTF-8 with one question a line.",
            detail=str(error),
        ) from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"There is no question in {path}.", hint="Write one question a line.")
    return lines


def _answer_all(
    options: argparse.Namespace,
    questions: list[str],
    files: tuple[Path, ...],
    *,
    is_conversation: bool,
) -> int:
    status = 0
    history: list[Turn] = []
    with open_assistant() as assistant, cancelled_by_ctrl_c() as cancel:
        for number, question in enumerate(questions):
            request = AskRequest(
                question=question,
                files=files,
                history=tuple(history),
                options=ask_options(options),
                conversation_key=_CONVERSATION_KEY if is_conversation else "",
            )
            if len(questions) > 1 and not options.json:
                print(f"{chr(10) if number else ''}> {question}", flush=True)
            try:
                answer = _answer_one(assistant, request, cancel, as_json=options.json)
            except Cancelled:
                raise
            except MolmoDesktopError as error:
                if options.json:
                    print_json({"question": question, "error": error.shown()})
                if len(questions) == 1:
                    raise
                print_error(error)
                status = status or error.exit_status
                continue
            if answer.finish_reason == "cancelled":
                raise Cancelled
            if is_conversation:
                history.append(Turn(question, answer.answer))
    return status


def _answer_one(
    assistant: Assistant, request: AskRequest, cancel: CancelToken, *, as_json: bool
) -> Answer:
    progress = Progress(stream_text=not as_json, cancel=cancel)
    try:
        answer = assistant.ask(request, on_event=progress, cancel=cancel)
    finally:
        progress.finish()
    if as_json:
        print_json(answer.to_dict())
        return answer
    progress.end_line()
    if answer.finish_reason == "cancelled":
        print("Stopped before the end.", file=sys.stderr, flush=True)
    else:
        print_answer_details(answer)
    return answer
