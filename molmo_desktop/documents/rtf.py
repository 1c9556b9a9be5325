# SPDX-License-Identifier: Apache-2.0
"""Rich Text documents (.rtf): their text as one page.

RTF is text with control words; a group in braces opens a new state and forgets it at its end.
Tables are rows "a | b | c"; footnotes, headers and footers are read, hidden and deleted text,
pictures and tables of fonts and styles are not.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from pathlib import Path

from molmo_desktop.documents import problems, text
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, one_line, row_text

_TITLE = "Rich Text document"
_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])"
    rb"|[\r\n\x00]+|([^\\{}\r\n\x00]+)",
    re.DOTALL,
)
_MAX_DEPTH = 2_000
_SKIPPED = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "generator", "xmlnstbl",
    "listtable", "listoverridetable", "revtbl", "rsidtbl", "themedata", "colorschememapping",
    "datastore", "latentstyles", "fldinst", "bkmkstart", "bkmkend", "filetbl", "template",
    "pgdsctbl", "listpicture", "nonshppict", "mmathPr", "wgrffmtfilter", "datafield", "sp",
    "shpinst", "atnid", "atnref", "atndate", "atntime", "atnparent", "picprop", "tc", "xe",
))  # fmt: skip
# Groups that are optional for other programs and still hold what people see.
_SEEN = frozenset(("shppict", "shptxt", "footnote", "annotation", "pntext", "listtext"))
_MARGINS = {
    name: "header" if name.startswith("header") else "footer"
    for name in (
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
    )
}
_CHARACTERS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ",
    "qmspace": " ", "softline": "\n",
}  # fmt: skip
_ESCAPED = {b"~": " ", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\"}
_CODE_PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850", "ansi": "cp1252"}
# The code page of each character set that a font may be for.
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257",
    204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip


def read(path: Path, sink: Sink) -> None:
    """Put the whole text as one page.

    Raises:
        DocumentUnreadableError: Damaged, or nothing in it.
    """
    reader = _Reader(text.read_bytes(path))
    content = text.clean(reader.text())
    if not content.strip():
        raise problems.without_pages(path, "text")
    sink.expect(1)
    sink.page(content)
    if reader.has_hidden:
        sink.warn("The document holds hidden text, which was left out.")


@dataclass(frozen=True)
class _State:
    """What a group inherits and forgets."""

    target: str = "body"
    encoding: str = ""
    is_hidden: bool = False
    skipped_after_unicode: int = 1
    is_in_table: bool = False
    heading: int = 0


class _Reader:
    """Reads one document, control word after control word."""

    def __init__(self, content: bytes) -> None:
        self.has_hidden = False
        self._content = content
        self._state = _State()
        self._stack: list[_State] = []
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._styles: dict[int, int] = {}
        self._bytes = bytearray()
        self._bytes_encoding = ""
        self._skip = 0
        self._is_optional = False
        self._surrogate = 0
        self._note_count = 0
        self._lines: dict[str, list[str]] = {"body": [""]}
        self._cells: list[str] = []
        self._rows: list[str] = []
        self._blocks: list[str] = []

    def text(self) -> str:
        """Return everything, blocks separated by empty lines."""
        position = 0
        while match := _TOKEN.search(self._content, position):
            position = match.end()
            hexadecimal, word, number, symbol, brace, plain = match.groups()
            if hexadecimal is not None:
                self._put_bytes(bytes([int(hexadecimal, 16)]))
            elif word is not None:
                name = word.decode("ascii")
                self._control(name, int(number) if number else None)
                if name == "bin" and number:  # so many bytes follow that are no RTF
                    position += max(0, int(number))
            elif symbol is not None:
                self._symbol(symbol)
            elif brace is not None:
                self._group(brace == b"{")
            elif plain is not None:
                self._put_bytes(plain)
        return self._finished()

    def _finished(self) -> str:
        self._end_paragraph()
        self._end_table()
        notes = [
            one for name in self._lines if name not in ("body", "header", "footer")
            for one in self._margin(name)
        ]  # fmt: skip
        return join_blocks(
            [*self._margin("header"), *self._blocks, *self._margin("footer"), *notes]
        )

    def _margin(self, name: str) -> list[str]:
        lines = [one_line(line) for line in self._lines.get(name, [])]
        return ["\n".join(line for line in dict.fromkeys(lines) if line)]

    def _group(self, is_begin: bool) -> None:
        self._flush()
        self._skip = 0
        if is_begin:
            if len(self._stack) < _MAX_DEPTH:
                self._stack.append(self._state)
        elif self._stack:
            self._state = self._stack.pop()
        self._is_optional = False

    def _symbol(self, symbol: bytes) -> None:
        self._flush()
        if symbol == b"*":
            self._is_optional = True
        elif symbol in (b"\n", b"\r"):
            self._end_paragraph()
        else:
            self._put(_ESCAPED.get(symbol, ""))

    def _control(self, word: str, number: int | None) -> None:
        """Obey one control word."""
        self._flush()
        if word != "u":
            self._skip = 0
        if word in _SKIPPED or (self._is_optional and word not in _SEEN and word not in _MARGINS):
            self._state = replace(self._state, target=word if word in _TABLES else "")
        elif word in _MARGINS:
            self._state = replace(self._state, target=_MARGINS[word])
            self._lines.setdefault(_MARGINS[word], [""])
        elif word in ("footnote", "annotation", "shptxt"):
            self._begin_note(word)
        elif word in _CHARACTERS:
            self._put(_CHARACTERS[word])
        elif word == "u" and number is not None:
            self._put_unicode(number)
        elif word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif word in ("cell", "nestcell"):
            self._end_cell()
        elif word in ("row", "nestrow"):
            self._end_row()
        else:
            self._change(word, number)
        self._is_optional = False

    def _change(self, word: str, number: int | None) -> None:
        """Change the state as a control word says that writes nothing."""
        state = self._state
        if word == "uc" and number is not None:
            self._state = replace(state, skipped_after_unicode=max(0, min(number, 8)))
        elif word in ("v", "deleted"):
            self._state = replace(state, is_hidden=number != 0)
        elif word == "plain":
            self._state = replace(state, is_hidden=False, encoding="")
        elif word == "pard":
            self._state = replace(state, is_in_table=False, heading=0)
        elif word == "intbl":
            self._state = replace(state, is_in_table=True)
        elif word == "outlinelevel" and number is not None and number < 6:
            self._state = replace(state, heading=number + 1)
        elif word in _CODE_PAGES:
            self._encoding = _CODE_PAGES[word]
        elif word == "ansicpg" and number:
            self._encoding = _known(f"cp{number}", self._encoding)
        elif word in ("f", "fcharset") and number is not None:
            self._choose_font(word, number)

    def _choose_font(self, word: str, number: int) -> None:
        if word == "fcharset":
            self._fonts[self._font] = _CHARSETS.get(number, "")
        elif self._state.target == "fonttbl":
            self._font = number
        else:
            self._state = replace(self._state, encoding=self._fonts.get(number, ""))

    def _begin_note(self, word: str) -> None:
        """Collect what stands beside the text, to write it after the text."""
        mark = {"annotation": "Comment: "}.get(word, "")
        if word == "footnote":
            self._note_count += 1
            self._put(f" [{self._note_count}]")
            mark = f"[{self._note_count}] "
        name = f"{word}{len(self._lines)}"
        self._lines[name] = [mark]
        self._state = replace(self._state, target=name)

    def _put_bytes(self, content: bytes) -> None:
        if self._skip:
            self._skip, content = max(0, self._skip - len(content)), content[self._skip :]
        encoding = self._state.encoding or self._encoding
        if encoding != self._bytes_encoding:
            self._flush()
            self._bytes_encoding = encoding
        self._bytes += content

    def _flush(self) -> None:
        """Write the bytes that wait; a letter of Asia is two of them."""
        if self._bytes:
            content = self._bytes.decode(self._bytes_encoding or "cp1252", "replace")
            self._bytes.clear()
            self._put(content)

    def _put_unicode(self, number: int) -> None:
        """Write a character; those beyond 16 bits come as two halves."""
        code = number + 0x10000 if number < 0 else number
        if 0xD800 <= code < 0xDC00:
            self._surrogate = code
        elif 0xDC00 <= code < 0xE000 and self._surrogate:
            self._put(chr(0x10000 + ((self._surrogate - 0xD800) << 10) + code - 0xDC00))
            self._surrogate = 0
        elif 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
            self._put(chr(code & 0xFF if 0xF020 <= code <= 0xF0FF else code))
        self._skip = self._state.skipped_after_unicode

    def _put(self, content: str) -> None:
        target = self._state.target
        if not content or not target or target in _TABLES:
            return
        if self._state.is_hidden:
            self.has_hidden = self.has_hidden or bool(content.strip())
            return
        self._lines[target][-1] += content

    def _end_paragraph(self) -> None:
        self._flush()
        target = self._state.target
        if target not in self._lines:
            return
        if target != "body":
            self._lines[target].append("")
            return
        if self._state.is_in_table:
            self._lines["body"][-1] += "\n"
            return
        self._end_table()
        line = self._lines["body"][-1].strip()
        if line:
            marks = "#" * self._state.heading
            self._blocks.append(f"{marks} {one_line(line)}" if marks else line)
        self._lines["body"] = [""]

    def _end_cell(self) -> None:
        self._flush()
        if self._state.target == "body":
            self._cells.append(self._lines["body"][-1])
            self._lines["body"] = [""]

    def _end_row(self) -> None:
        self._flush()
        if self._state.target == "body" and any(cell.strip() for cell in self._cells):
            self._rows.append(row_text(self._cells))
        if self._state.target == "body":
            self._cells = []

    def _end_table(self) -> None:
        if any(cell.strip() for cell in self._cells):
            self._rows.append(row_text(self._cells))
            self._cells = []
        if self._rows:
            self._blocks.append("\n".join(self._rows))
            self._rows = []


_TABLES = ("fonttbl",)


def _known(encoding: str, otherwise: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return otherwise
