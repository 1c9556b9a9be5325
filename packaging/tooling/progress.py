# SPDX-License-Identifier: Apache-2.0
"""Tell the user what happens, and run long commands without a wall of text.

Everything is said on standard error, so that a result on standard output stays clean. On a
terminal a long command shows one line that is rewritten; elsewhere it prints a line every
half minute. The full output always goes to a log file that is named when something fails.
"""

from __future__ import annotations

import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

QUIET_INTERVAL_S = 30.0
TERMINAL_INTERVAL_S = 0.2
TAIL_LINE_COUNT = 25

# What pip, CMake, Ninja and Make print while they work, and how we put it.
_NINJA_STEP = re.compile(r"^\s*\[(\d+)/(\d+)\]\s")
_MAKE_STEP = re.compile(r"^\s*\[\s*(\d+)%\]\s")
_PIP_BYTES = re.compile(r"^\s*Progress (\d+) of (\d+)")
_PIP_DOWNLOAD = re.compile(r"^\s*Downloading (?:\S*/)?([^\s/]+?)(?:\.metadata)? \(([^)]+)\)")
_PIP_COLLECT = re.compile(r"^\s*Collecting ([^\s;]+)")
_PIP_INSTALL = re.compile(r"^\s*Installing collected packages: (.+)")
_PIP_BUILD = re.compile(r"^\s*Building (wheel|editable) for (\S+)")

# Causes we can recognise in a failed log, and the sentence that helps.
_KNOWN_CAUSES = (
    (r"No space left on device", "The disk is full: free some space and run the command again."),
    (
        r"CMAKE_CXX_COMPILER|No CMAKE_CXX|could not find compiler|nmake",
        "No C++ compiler was found: install one (see README.md) and run the command again.",
    ),
    (
        r"fatal error: Killed|signal terminated program|c\+\+: .*[Kk]illed",
        "The compiler ran out of memory: set CMAKE_BUILD_PARALLEL_LEVEL=1 and run it again.",
    ),
    (
        r"NameResolutionError|Temporary failure in name resolution|Connection refused"
        r"|Network is unreachable|ReadTimeoutError|ConnectTimeoutError|ProxyError",
        "The package index could not be reached: check the network and run the command again.",
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        "A package differs from the one this project was tested with: check your package mirror.",
    ),
    (
        r"No matching distribution found",
        "There is no package for this system or this Python: see README.md, “What it needs”.",
    ),
)


class StepFailedError(Exception):
    """A command of the set-up ended badly; the text tells the user what to do."""


def say(sentence: str = "") -> None:
    """Print a sentence for the user."""
    print(sentence, file=sys.stderr, flush=True)


def format_duration(duration_s: float) -> str:
    """Return a duration as people say it: ``9 s``, ``4 min 05 s``."""
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def describe(line: str) -> str | None:
    """Return what a line of build output says about progress, or None when it says nothing."""
    if match := _NINJA_STEP.match(line):
        return f"step {match[1]} of {match[2]}"
    if match := _MAKE_STEP.match(line):
        return f"{match[1]} %"
    if match := _PIP_BYTES.match(line):
        done_mb, total_mb = (int(value) / 1e6 for value in match.groups())
        return f"downloading, {done_mb:.0f} of {total_mb:.0f} MB" if total_mb >= 1 else None
    if match := _PIP_DOWNLOAD.match(line):
        return f"downloading {match[1]} ({match[2]})"
    if match := _PIP_BUILD.match(line):
        return f"building {match[2]}"
    if match := _PIP_INSTALL.match(line):
        count = len(match[1].split(","))
        return f"installing {count} package{'s' if count > 1 else ''}"
    if match := _PIP_COLLECT.match(line):
        return f"looking for {match[1]}"
    return None


class ProgressLine:
    """Show where one step of the set-up is: one rewritten line, or a line every half minute."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_terminal = sys.stderr.isatty()
        self._start_s = time.monotonic()
        self._shown_s = self._start_s
        if not self._is_terminal:
            say(f"  {title} …")

    @property
    def elapsed_s(self) -> float:
        """Seconds since this step began."""
        return time.monotonic() - self._start_s

    def update(self, detail: str) -> None:
        """Show the newest detail, no more often than is useful."""
        interval_s = TERMINAL_INTERVAL_S if self._is_terminal else QUIET_INTERVAL_S
        if time.monotonic() - self._shown_s < interval_s:
            return
        self._shown_s = time.monotonic()
        parts = [part for part in (detail, format_duration(self.elapsed_s)) if part]
        text = f"  {self._title}: {', '.join(parts)}"
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{text[:width]}", end="", file=sys.stderr, flush=True)
        else:
            say(text)

    def finish(self, outcome: str) -> None:
        """Replace the line by its outcome."""
        prefix = "\r\x1b[K" if self._is_terminal else ""
        say(f"{prefix}  {self._title}: {outcome} ({format_duration(self.elapsed_s)})")


def run_logged(
    command: Sequence[str | Path],
    title: str,
    log_file: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a command with progress on screen and its full output in a log.

    Args:
        command: Program and arguments.
        title: What the user is told, such as ``inference engine``.
        log_file: Receives the command and all it prints, appended.
        env: Environment, the present one if None.
        cwd: Folder to run in, the present one if None.

    Raises:
        StepFailedError: The command could not be started or ended with a status other than zero.
    """
    words = [str(part) for part in command]
    line = ProgressLine(title)
    tail: deque[str] = deque(maxlen=TAIL_LINE_COUNT)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a", encoding="utf-8") as log:
        log.write(f"\n=== {title}: {' '.join(words)}\n")
        log.flush()
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=dict(env) if env is not None else None,
                cwd=cwd,
            )
        except OSError as error:
            line.finish("failed")
            raise StepFailedError(f"“{words[0]}” could not be started: {error}.") from error
        detail = ""
        try:
            for output in _lines(process):
                if output is not None:
                    if not _PIP_BYTES.match(output):
                        log.write(output)
                        tail.append(output.rstrip())
                    detail = describe(output) or detail
                line.update(detail)
            exit_code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            line.finish("stopped")
            raise
        log.write(f"=== ended with status {exit_code} after {line.elapsed_s:.0f} s\n")
    if exit_code:
        line.finish("failed")
        raise StepFailedError(_explain(title, exit_code, tail, log_file))
    line.finish("done")


def _lines(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """Yield the lines a process prints, and None each second in which it prints nothing."""
    lines: queue.Queue[str | None] = queue.Queue()
    stream = process.stdout
    assert stream is not None

    def read() -> None:
        for output in stream:
            lines.put(output)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while True:
        try:
            output = lines.get(timeout=1.0)
        except queue.Empty:
            yield None
            continue
        if output is None:
            reader.join()
            stream.close()
            return
        yield output


def _explain(title: str, exit_code: int, tail: Sequence[str], log_file: Path) -> str:
    """Return the message for a failed step: its last lines, the likely cause, the log."""
    text = log_file.read_text(encoding="utf-8", errors="replace").rpartition("\n=== " + title)[2]
    causes = [sentence for pattern, sentence in _KNOWN_CAUSES if re.search(pattern, text)]
    shown = "\n".join(f"    {output}" for output in tail if output.strip())
    return "\n".join(
        [
            f"The step “{title}” failed (status {exit_code}). Its last lines:",
            shown,
            *causes[:1],
            f"The full log is in {log_file}.",
        ]
    )
