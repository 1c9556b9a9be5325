# SPDX-License-Identifier: Apache-2.0
"""How a Markdown document looks: line height, headings, lists, code, tables."""

from __future__ import annotations

from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QFontMetricsF,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
)

from molmo_desktop.ui.theme import GAP_PX, Theme

_LINE_HEIGHT = 1.5  # of the letters' size
# Steps of Qt: 0 = as the text, 1 = a fifth larger.
_HEADING_STEP = {1: 1, 2: 1}
_CELL_PADDING_PX = 5


def dress(document: QTextDocument, theme: Theme) -> None:
    """Give a document that was made from Markdown the looks of the window.

    Args:
        document: Its default font is that of the text, in pixels.
        theme: For the ground of code and the lines of tables.
    """
    font = document.defaultFont()
    # Qt counts from the font's own line, which is higher than its letters.
    percent = 100 * _LINE_HEIGHT * font.pixelSize() / QFontMetricsF(font).lineSpacing()
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeBlockFormat(_block_look(block, theme, percent))
        if letters := _letters(block, font.pixelSize()):
            cursor.mergeCharFormat(letters)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _dress_table(frame, theme)
    cursor.endEditBlock()


def _block_look(block: QTextBlock, theme: Theme, percent: float) -> QTextBlockFormat:
    look = QTextBlockFormat()
    code, following = _is_code(block), block.next()
    # Code stands close, or its ground falls into stripes; it wraps like everything else.
    look.setLineHeight(
        100 if code else percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
    )
    look.setNonBreakableLines(False)
    look.setTopMargin(GAP_PX if _heading_level(block) and block.blockNumber() else 0)
    goes_on = (code and _is_code(following)) or (
        block.textList() is not None and following.textList() is not None
    )
    in_table = QTextCursor(block).currentTable() is not None
    is_last = not following.isValid()
    look.setBottomMargin(0 if goes_on or in_table or is_last else GAP_PX)
    if code:
        look.setBackground(QColor(theme.surface))
    return look


def _letters(block: QTextBlock, text_px: int) -> QTextCharFormat | None:
    letters = QTextCharFormat()
    if level := _heading_level(block):
        step = _HEADING_STEP.get(level, 0)
        letters.setProperty(QTextFormat.Property.FontSizeAdjustment, step)
    elif _is_code(block):
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        letters.setFontFamilies([fixed.family()])
        letters.setProperty(QTextFormat.Property.FontPixelSize, text_px - 2)
    else:
        return None
    return letters


def _dress_table(table: QTextTable, theme: Theme) -> None:
    look = table.format()
    look.setBorder(1)
    look.setBorderCollapse(True)
    look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    look.setBorderBrush(QColor(theme.line))
    look.setCellPadding(_CELL_PADDING_PX)
    look.setCellSpacing(0)
    look.setTopMargin(0)
    look.setBottomMargin(GAP_PX)
    table.setFormat(look)


def _heading_level(block: QTextBlock) -> int:
    return block.blockFormat().headingLevel()


def _is_code(block: QTextBlock) -> bool:
    if not block.isValid():
        return False
    look = block.blockFormat()
    return look.hasProperty(QTextFormat.Property.BlockCodeFence) or look.hasProperty(
        QTextFormat.Property.BlockCodeLanguage
    )
