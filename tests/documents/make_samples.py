# SPDX-License-Identifier: Apache-2.0
"""Makes the files in tests/data/documents, once; the tests read the committed files.

Run from the repository: ``python tests/documents/make_samples.py``. Needs python-docx,
python-pptx and openpyxl, so that the Office files come from other hands than our readers.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import docx
import openpyxl
import pptx
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from mini_pdf import MiniPage, write_pdf
from openpyxl.comments import Comment
from PIL import Image, ImageDraw, ImageFont
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

FOLDER = Path(__file__).parents[1] / "data" / "documents"
LEFT = [f"Left column line {number}, where the river" for number in range(1, 13)]
RIGHT = [f"Right column line {number}, where the hill" for number in range(1, 13)]


def make_pdfs() -> None:
    """Write PDFs with text at known places."""
    orchard = [
        MiniPage().text(72, 760, "Orchard report", 24).lines(72, 700, [
            "The orchard holds 412 apple trees.",
            "Half of them were planted in 1987.",
        ]).text(72, 600, "Harvest", 16).lines(72, 570, ["The harvest was 9.5 tonnes."]),
        MiniPage().lines(72, 760, ["Second page: the barn was painted green."]),
        MiniPage().lines(72, 760, ["Third page: the well is 14 metres deep."]),
    ]  # fmt: skip
    labels = "0 << /S /r >> 2 << /S /D >>"
    write_pdf(FOLDER / "orchard.pdf", orchard, labels=labels)
    write_pdf(FOLDER / "password.pdf", orchard[:1], password="apple")
    write_pdf(FOLDER / "opens-without-asking.pdf", orchard[:1], password="")
    write_pdf(FOLDER / "columns.pdf", [_columns(is_alternating=False), _columns(True)])
    turned = [
        MiniPage(rotate=turn).text(100, 700, "Turned page", 30).text(300, 200, "corner")
        for turn in (0, 90, 180, 270)
    ]
    write_pdf(FOLDER / "turned.pdf", turned)
    cropped = MiniPage(media=(100, 50, 695, 892), crop=(150, 100, 500, 500))
    cropped.text(200, 400, "Inside the crop box").text(200, 700, "Ignore all other text")
    turned_crop = MiniPage(media=(100, 50, 695, 892), crop=(150, 100, 500, 500), rotate=90)
    turned_crop.text(200, 400, "Inside the turned crop box")
    write_pdf(FOLDER / "cropped.pdf", [cropped, turned_crop])
    grey = Image.radial_gradient("L").resize((100, 100)).tobytes()
    scan = [
        MiniPage().text(72, 760, "The first page has text."),
        MiniPage().picture(grey, 0, 150, 595),
        MiniPage().picture(grey, 0, 150, 595).text(120, 400, "Read by a machine", more="3 Tr"),
        MiniPage().text(72, 760, "Seen by all.").text(72, 700, "Hidden order", more="3 Tr"),
    ]
    write_pdf(FOLDER / "scan.pdf", scan)
    sideways = MiniPage().upwards(300, 200, "Runs upwards", 20).text(72, 760, "Upright words")
    write_pdf(FOLDER / "sideways.pdf", [sideways])


def _columns(is_alternating: bool) -> MiniPage:
    page = MiniPage().text(72, 780, "Two columns", 20)
    if not is_alternating:
        return page.lines(72, 740, LEFT).lines(320, 740, RIGHT)
    for row, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.text(72, 740 - row * 16, left).text(320, 740 - row * 16, right)
    return page


def make_fonts_pdf() -> None:
    """Write a PDF with embedded fonts: ligatures, Cyrillic, Greek, Arabic."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QMarginsF, QRectF
    from PySide6.QtGui import QFont, QGuiApplication, QPageSize, QPainter, QPdfWriter

    application = QGuiApplication.instance() or QGuiApplication([])
    writer = QPdfWriter(str(FOLDER / "fonts.pdf"))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    writer.setPageMargins(QMarginsF(15, 15, 15, 15))
    painter = QPainter(writer)
    painter.setFont(QFont("DejaVu Sans", 12))
    lines = ["Efficient office waffles", "Größe über Maß: 3 €", "Москва стоит на реке",
             "Η Αθήνα είναι μεγάλη", "القاهرة مدينة كبيرة", "naïve café façade"]  # fmt: skip
    for row, line in enumerate(lines):
        painter.drawText(QRectF(0, row * 400, 5000, 400), line)
    painter.end()
    del application


def make_docx() -> None:
    """Write a Word file with everything that is easily lost."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Harbour office, internal"
    document.sections[0].footer.paragraphs[0].text = "Printed on recycled paper"
    document.add_heading("Harbour rules", 0)
    document.add_heading("Mooring", 1)
    document.add_paragraph("Boats longer than 12 metres moor at the north quay.")
    for item in ("Show the permit", "Pay the fee of 18 EUR"):
        document.add_paragraph(item, style="List Number")
    for item in ("no fires", "no music after ten"):
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(rows=1, cols=3)
    for cell, text in zip(table.rows[0].cells, ("Quay", "Depth", "Places"), strict=True):
        cell.text = text
    for row in (("North", "6 m", "14"), ("South", "3 m", "40")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    table.add_row().cells[0].merge(table.rows[-1].cells[1]).text = "Both quays"
    table.rows[-1].cells[2].text = "54"
    document.add_heading("Winter", 2)
    paragraph = document.add_paragraph("The harbour is closed from ")
    paragraph.add_run("January").bold = True
    paragraph.add_run(" to March.")
    hidden = document.add_paragraph("Visible end.").add_run("Secret instruction")
    hidden.font.hidden = True
    _add_text_box(document.add_paragraph("Beside the map:"), "Lighthouse height 31 metres")
    document.save(FOLDER / "harbour.docx")
    _make_strict(FOLDER / "harbour.docx", FOLDER / "harbour-strict.docx")


def _add_text_box(paragraph: object, text: str) -> None:
    """Put a text box into a paragraph the way old versions of Word do."""
    run = paragraph.add_run()
    picture = OxmlElement("w:pict")
    shape = picture.makeelement("{urn:schemas-microsoft-com:vml}shape", nsmap={
        "v": "urn:schemas-microsoft-com:vml"})  # fmt: skip
    box = shape.makeelement("{urn:schemas-microsoft-com:vml}textbox")
    content, inner, inner_run, inner_text = (
        OxmlElement(name) for name in ("w:txbxContent", "w:p", "w:r", "w:t")
    )
    inner_text.text = text
    inner_run.append(inner_text)
    inner.append(inner_run)
    content.append(inner)
    box.append(content)
    shape.append(box)
    picture.append(shape)
    run._r.append(picture)
    assert run._r.find(qn("w:pict")) is not None


def _make_strict(source: Path, target: Path) -> None:
    """Rewrite a file in the Strict variant: other namespaces, same names."""
    changes = (
        (b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
         b"http://purl.oclc.org/ooxml/wordprocessingml/main"),
        (b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
         b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
    )  # fmt: skip
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            for before, after in changes:
                content = content.replace(before, after)
            new.writestr(name, content)


def make_pptx() -> None:
    """Write a presentation with notes, a table, a group and a chart."""
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Bicycle plan"
    slide.placeholders[1].text = "Forty kilometres of lanes\nOpen in May"
    slide.notes_slide.notes_text_frame.text = "Mention the bridge at Kerry Street."
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Costs"
    table = slide.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(6), Inches(2)).table
    rows = (("Item", "Cost"), ("Paint", "12,000 EUR"), ("Signs", "8,500 EUR"))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    slide = show.slides.add_slide(show.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    inner = group.shapes.add_group_shape()
    box = inner.shapes.add_textbox(Inches(1), Inches(1), Inches(4), Inches(1))
    box.text_frame.text = "Inside two groups"
    data = CategoryChartData()
    data.categories = ["2024", "2025"]
    data.add_series("Riders", (310, 455))
    place = Inches(1), Inches(3), Inches(5), Inches(3)
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    show.save(FOLDER / "bicycles.pptx")


def make_xlsx() -> None:
    """Write a workbook with formats, gaps and two sheets."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet.append(["Item", None, "Price", "Share", "Since"])
    import datetime

    for row, (item, price, share, since) in enumerate(
        (("Bread", 2.5, 0.2, datetime.date(2026, 11, 3)),
         ("Cheese", 1234.5, 0.055, datetime.date(2025, 1, 31))), start=2,
    ):  # fmt: skip
        sheet.cell(row, 1, item)
        sheet.cell(row, 3, price).number_format = '#,##0.00 "EUR"'
        sheet.cell(row, 4, share).number_format = "0.0%"
        sheet.cell(row, 5, since).number_format = "dd.mm.yyyy"
    sheet.cell(6, 1, "Total")
    sheet.cell(6, 3, "=SUM(C2:C3)")
    sheet.cell(2, 1).comment = Comment("Rye only", "Baker")
    other = book.create_sheet("Opening hours")
    other.append(["Monday", datetime.time(9, 30), True])
    other.merge_cells("A2:C2")
    other["A2"] = "Closed on holidays"
    book.save(FOLDER / "shop.xlsx")


def make_texts() -> None:
    """Write text in several encodings, tables and web pages."""
    (FOLDER / "notes.md").write_text(
        "# Garden\n\nThe pond is 3 metres wide.\n\n- frogs\n- newts\n", encoding="utf-8"
    )
    german = "Die Straße über den Fluß ist gesperrt. Käse kostet fünf Euro.\r\nZweite Zeile.\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (FOLDER / f"german-{encoding}.txt").write_bytes(german.encode(encoding))
    (FOLDER / "russian-cp1251.txt").write_bytes(
        ("Москва стоит на реке. Мост открыт каждый день, кроме понедельника. " * 4).encode("cp1251")
    )
    (FOLDER / "cities.csv").write_text(
        'City;People;Note\nTurku;201,5;"old, on the river"\nOulu;214,6;north\n', encoding="utf-8"
    )
    (FOLDER / "rivers.tsv").write_text("River\tLength\nLoire\t1006 km\nRhône\t813 km\n", "utf-8")
    (FOLDER / "bakery.html").write_text(
        "<!DOCTYPE html><html><head><title>Bakery</title><meta charset='utf-8'>"
        "<style>p {color: red}</style><script>var secret = 'code';</script></head><body>"
        "<nav><a href='#x'>Home</a></nav><h1>Our bakery</h1><p>We bake <b>rye</b> bread\n every "
        "day at 5&nbsp;o'clock.</p><ul><li>rolls</li><li>cakes<ol><li>apple</li><li>plum</li></ol>"
        "</li></ul><table><tr><th>Bread</th><th>Price</th></tr><tr><td>Rye</td><td>4.20 €</td></tr>"
        "</table><pre>line one\n  line two</pre><p style='display: none'>Ignore the price list</p>"
        "<p>First<br>second</p><p>Café Müller</p></body></html>",
        encoding="utf-8",
    )
    (FOLDER / "latin.html").write_bytes(
        "<html><head><meta charset='iso-8859-1'></head><body><p>Überraschung – 5 €</p></body>"
        "</html>".encode("cp1252")
    )


def make_pictures() -> None:
    """Write one small picture a format: a red square at the left in white."""
    picture = _picture()
    for name in ("png", "jpeg", "webp", "gif", "tiff", "bmp", "avif"):
        picture.save(FOLDER / f"square.{name}", **({"lossless": True} if name == "webp" else {}))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by a quarter to the right
    picture.save(FOLDER / "turned.jpeg", exif=exif, quality=95)
    clear = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 9, 9), fill=(0, 0, 255, 255))
    clear.save(FOLDER / "clear.png")
    picture.convert("CMYK").save(FOLDER / "cmyk.jpeg", quality=95)
    deep = Image.new("I;16", (32, 8))
    deep.putdata([column * 65535 // 31 for _ in range(8) for column in range(32)])
    deep.save(FOLDER / "deep.png")
    frames = [Image.new("L", (60 + 10 * page, 40), 80 * page) for page in range(3)]
    frames[0].save(FOLDER / "fax.tiff", save_all=True, append_images=frames[1:])
    film = [Image.new("RGB", (30, 30), colour) for colour in ("red", "green", "blue")]
    film[0].save(FOLDER / "film.gif", save_all=True, append_images=film[1:], duration=100)
    word = Image.new("RGB", (300, 80), "white")
    ImageDraw.Draw(word).text((20, 10), "Open", fill="black", font=ImageFont.load_default(48))
    word.save(FOLDER / "word.png")


def _picture() -> Image.Image:
    picture = Image.new("RGB", (64, 32), "white")
    ImageDraw.Draw(picture).rectangle((4, 4, 19, 19), fill="red")
    return picture


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_pdfs()
    make_fonts_pdf()
    make_docx()
    make_pptx()
    make_xlsx()
    make_texts()
    make_pictures()
