# SPDX-License-Identifier: Apache-2.0
"""Text recognition by the program Tesseract, one process a page, pixels in and a table out."""

from __future__ import annotations

import csv
import io
import locale
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image

from molmo_desktop.core.pages import Box
from molmo_desktop.documents.ocr_lines import MIN_CONFIDENCE, FoundWord, confidence

_PAGE_S = 90.0
_LIST_S = 10.0
# With many languages at once it is slow and mistakes letters of one for those of another.
_MAX_LANGUAGES = 4
_LANGUAGE = re.compile(r"[a-z]{3}(?:_[a-z]{3,4})?")
_NO_LANGUAGES = ("osd", "equ")
_ROTATE = re.compile(r"^Rotate: (\d+)", re.MULTILINE)
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
# The languages of a computer by their two letters, where Tesseract's three begin otherwise.
_THREE_LETTERS = {
    "de": "deu", "es": "spa", "nl": "nld", "cs": "ces", "el": "ell", "zh": "chi_sim", "ja": "jpn",
    "sv": "swe", "ko": "kor", "pl": "pol", "hr": "hrv", "sr": "srp", "sk": "slk", "ro": "ron",
    "is": "isl", "ga": "gle", "cy": "cym", "eu": "eus", "gl": "glg", "sq": "sqi", "fa": "fas",
    "mk": "mkd", "ka": "kat", "hy": "hye", "my": "mya", "ms": "msa", "mt": "mlt", "lv": "lav",
}  # fmt: skip


class Tesseract:
    """The program, and the languages that it knows here."""

    def __init__(self, program: Path) -> None:
        self._program = program
        installed = _installed(program)
        self._languages = "+".join(_chosen(installed)) or "eng"
        self._knows_turns = "osd" in installed

    def words(self, grey: Image.Image, beat: Callable[[], None]) -> list[FoundWord]:
        """Return the words of an image in reading order; a turned page is turned first."""
        words = self._read(grey, 0)
        beat()
        sure = confidence(words)
        if sure >= MIN_CONFIDENCE or not words:
            return words
        for turn in self._turns(grey):
            turned = self._read(grey, turn)
            beat()
            if confidence(turned) > sure:
                words, sure = turned, confidence(turned)
            if sure >= MIN_CONFIDENCE:
                break
        return words

    def _turns(self, grey: Image.Image) -> Sequence[int]:
        """Return by how much to turn a page to make it upright, clockwise; the likeliest first."""
        if not self._knows_turns:
            return 90, 270, 180
        match = _ROTATE.search(self._run(grey, "--psm", "0"))
        turn = int(match[1]) if match else 0
        return (turn,) if turn in _TURNS else ()

    def _read(self, grey: Image.Image, turn: int) -> list[FoundWord]:
        upright = grey.transpose(_TURNS[turn]) if turn else grey
        table = self._run(
            upright, "-l", self._languages, "--psm", "3", "-c", "tessedit_create_tsv=1"
        )
        return list(_words_of(table, turn, grey.size))

    def _run(self, grey: Image.Image, *options: str) -> str:
        """Return what the program prints about an image; nothing when it fails."""
        head = f"P5\n{grey.width} {grey.height}\n255\n".encode()
        try:
            done = subprocess.run(
                [self._program, "stdin", "stdout", *options],
                input=head + grey.tobytes(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                timeout=_PAGE_S,
                check=False,
                creationflags=_without_window(),
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "replace")


def _words_of(table: str, turn: int, size: tuple[int, int]) -> list[FoundWord]:
    """Return the words of a table, whose boxes are in the pixels of the turned image."""
    found: list[FoundWord] = []
    line = 0
    key: tuple[str, ...] = ()
    for row in csv.reader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(row) < 12 or row[0] != "5" or not row[11].strip():
            continue
        try:
            left, top, width, height = (int(value) for value in row[6:10])
            sure = float(row[10])
        except ValueError:
            continue
        if tuple(row[1:5]) != key:
            key = tuple(row[1:5])
            line += 1
        box = (float(left), float(top), float(left + width), float(top + height))
        found.append(FoundWord(row[11].strip(), box, _turned_back(box, turn, size), sure, line))
    return found


def _turned_back(box: Box, turn: int, size: tuple[int, int]) -> Box:
    """Return a box of the image that was turned clockwise, on the image as it was."""
    x0, y0, x1, y1 = box
    width, height = size
    if turn == 90:
        return y0, height - x1, y1, height - x0
    if turn == 180:
        return width - x1, height - y1, width - x0, height - y0
    if turn == 270:
        return width - y1, x0, width - y0, x1
    return box


def _chosen(installed: Sequence[str]) -> list[str]:
    """Return English, the language of this computer, and others that are installed."""
    names = [name for name in installed if _LANGUAGE.fullmatch(name) and name not in _NO_LANGUAGES]
    code = (locale.getlocale()[0] or os.environ.get("LANG", ""))[:2].lower()
    own = _THREE_LETTERS.get(code, "")
    first = [name for name in names if name == "eng"]
    second = [n for n in names if n != "eng" and (n == own or (not own and n.startswith(code)))]
    rest = [name for name in names if name not in (*first, *second)]
    return [*first, *(second if code else []), *rest][:_MAX_LANGUAGES]


@lru_cache(maxsize=4)
def _installed(program: Path) -> tuple[str, ...]:
    """Return the names of the languages and other data that are installed."""
    try:
        done = subprocess.run(
            [program, "--list-langs"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            timeout=_LIST_S,
            check=False,
            creationflags=_without_window(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return tuple(line.strip() for line in lines if _LANGUAGE.fullmatch(line.strip()))


def _environment() -> dict[str, str]:
    """Return the environment of the program: one thread, and the system's own libraries."""
    environment = dict(os.environ)
    # With more threads than free processors it takes up to fifty times as long.
    environment["OMP_THREAD_LIMIT"] = "1"
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        # A bundled program puts its own libraries first; others must not get them.
        original = environment.pop(f"{name}_ORIG", None)
        if original is not None:
            environment[name] = original
        elif getattr(sys, "frozen", False):
            environment.pop(name, None)
    return environment


def _without_window() -> int:
    return getattr(subprocess, "CREATE_NO_WINDOW", 0)
