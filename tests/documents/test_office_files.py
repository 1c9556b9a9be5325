# SPDX-License-Identifier: Apache-2.0
"""Word, PowerPoint and Excel: nothing that people see is lost, nothing hidden is fed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference

from molmo_desktop.core.errors import DocumentUnreadableError
from molmo_desktop.documents.docx_numbering import Numbering
from molmo_desktop.documents.guard import parse_xml
from molmo_desktop.documents.xlsx_formats import shown

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@pytest.mark.parametrize("name", ["harbour.docx", "harbour-strict.docx"])
def test_a_word_file_is_read_in_document_order(read_here, files, name):
    document = read_here(files / name)
    blocks = document.pages[0].text.split("\n\n")
    assert blocks == [
        "Harbour office, internal",
        "# Harbour rules",
        "# Mooring",
        "Boats longer than 12 metres moor at the north quay.",
        "1. Show the permit\n2. Pay the fee of 18 EUR\n- no fires\n- no music after ten",
        "Quay | Depth | Places\nNorth | 6 m | 14\nSouth | 3 m | 40\nBoth quays |  | 54",
        "## Winter",
        "The harbour is closed from January to March.",
        "Visible end.",
        "Beside the map:",
        "Lighthouse height 31 metres",
        "Printed on recycled paper",
    ]
    assert document.warnings == ("The document holds hidden text, which was left out.",)


def word_file(path: Path, body: str, **parts: str) -> Path:
    """Write the smallest Word file with this body and these further parts."""
    links = "".join(
        f'<Relationship Id="r{name}" Target="{name}.xml" Type="http://x/{name}"/>' for name in parts
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", wrapped("document", f"<w:body>{body}</w:body>"))
        archive.writestr("word/_rels/document.xml.rels", f"<Relationships>{links}</Relationships>")
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", wrapped(name, content))
    return path


def wrapped(name: str, content: str) -> str:
    return f'<w:{name} xmlns:w="{WORD}">{content}</w:{name}>'


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_footnotes_comments_and_changes_are_read_as_shown(read_here, tmp_path):
    body = (
        '<w:p><w:r><w:t>Rent is 900 EUR</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
        "<w:ins><w:r><w:t> a month</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText> a week</w:delText></w:r></w:del></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a form field</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>"
    )
    document = read_here(
        word_file(
            tmp_path / "lease.docx",
            body,
            footnotes='<w:footnote w:id="2">' + paragraph("Without heating.") + "</w:footnote>",
            comments='<w:comment w:author="Ada">' + paragraph("Too high?") + "</w:comment>",
        )
    )
    assert document.pages[0].text.split("\n\n") == [
        "Rent is 900 EUR [1] a month",
        "In a form field",
        "[1] Without heating.",
        "Comment by Ada: Too high?",
    ]


CHART = (
    "<chartSpace><title><p><t>Catch</t></p></title><ser><tx><v>Herring</v></tx><cat><pt><v>May</v>"
    "</pt><pt><v>June</v></pt></cat><val><pt><v>7</v></pt><pt><v>9</v></pt></val></ser></chartSpace>"
)


def test_formulas_charts_and_diagrams_in_a_word_file_are_read(read_here, tmp_path):
    fraction = "<w:f><w:num><w:r><w:t>a+b</w:t></w:r></w:num><w:den><w:t>c</w:t></w:den></w:f>"
    power = "<w:sSup><w:e><w:t>x</w:t></w:e><w:sup><w:t>2</w:t></w:sup></w:sSup>"
    total = (
        '<w:nary><w:naryPr><w:chr w:val="∑"/></w:naryPr><w:sub><w:t>i</w:t></w:sub><w:sup/>'
        "<w:e><w:t>k</w:t></w:e></w:nary>"
    )
    body = (
        f"<w:p><w:r><w:t>Take </w:t></w:r><w:oMath>{fraction}</w:oMath></w:p>"
        f"<w:p><w:oMathPara><w:oMath>{power}{total}</w:oMath></w:oMathPara></w:p>"
        '<w:p><w:r><w:t>See</w:t><w:drawing><chart id="rchart"/></w:drawing></w:r></w:p>'
    )
    path = word_file(tmp_path / "formulas.docx", body, chart="")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "new.docx", "w") as new:
        for name in old.namelist():
            new.writestr(name, CHART if name == "word/chart.xml" else old.read(name))
    assert read_here(tmp_path / "new.docx").pages[0].text.split("\n\n") == [
        "Take (a+b)/c",
        "x^2∑_i k",
        "See",
        "Catch",
        " | May | June\nHerring | 7 | 9",
    ]


def test_a_hidden_slide_and_the_comments_of_newer_versions_are_read(read_here, files, tmp_path):
    links = "ppt/slides/_rels/slide2.xml.rels"
    with (
        zipfile.ZipFile(files / "bicycles.pptx") as old,
        zipfile.ZipFile(tmp_path / "new.pptx", "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "ppt/slides/slide2.xml":
                content = content.replace(b"<p:sld ", b'<p:sld show="0" ', 1)
            if name == links:
                added = (
                    b'<Relationship Id="r9" Type="x/comments" Target="../c.xml"/></Relationships>'
                )
                content = content.replace(b"</Relationships>", added)
            new.writestr(name, content)
        new.writestr("ppt/c.xml", "<cm><txBody><p><r><t>Too dear?</t></r></p></txBody></cm>")
    document = read_here(tmp_path / "new.pptx")
    assert document.pages[1].text.endswith("Comment: Too dear?")
    assert document.warnings == ("Slide 2 is hidden in the file; it was read.",)


def test_charts_and_hidden_sheets_of_a_workbook_are_read(read_here, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Year", "Boats"], [2025, 4], [2026, 6]):
        book.active.append(row)
    chart = BarChart()
    chart.title = "Fleet by year"
    chart.add_data(Reference(book.active, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    book.active.add_chart(chart, "D2")
    secret = book.create_sheet("Margins")
    secret["A1"] = "Margin 12"
    secret.sheet_state = "hidden"
    book.save(tmp_path / "fleet.xlsx")
    document = read_here(tmp_path / "fleet.xlsx")
    assert document.pages[0].text.startswith("Year | Boats\n2025 | 4\n2026 | 6\n\nFleet by year")
    assert document.pages[1].text == "Margin 12"
    assert document.warnings == ("The sheet “Margins” is hidden in the file; it was read.",)


def test_clauses_carry_the_numbers_that_word_shows():
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{style}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for level, (style, text) in enumerate(
            [("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"),
             ("upperRoman", "%4.")]
        )
    )  # fmt: skip
    root = parse_xml(
        wrapped(
            "numbering",
            f'<w:abstractNum w:abstractNumId="7">{levels}</w:abstractNum>'
            '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
            '<w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0">'
            '<w:startOverride w:val="5"/></w:lvlOverride></w:num>',
        ).encode()
    )
    numbering = Numbering(root)
    marks = [numbering.next_mark("1", level) for level in (0, 1, 1, 2, 2, 0, 1, 2, 3, 3)]
    assert marks == ["1.", "1.1", "1.2", "(a)", "(b)", "2.", "2.1", "(a)", "I.", "II."]
    assert numbering.next_mark("2", 0) == "5."
    assert numbering.next_mark("1", 0) == "3."


def test_a_presentation_has_one_page_a_slide(read_here, files):
    document = read_here(files / "bicycles.pptx")
    assert [page.text for page in document.pages] == [
        "# Bicycle plan\n\n- Forty kilometres of lanes\n- Open in May\n\n"
        "Notes: Mention the bridge at Kerry Street.",
        "# Costs\n\nItem | Cost\nPaint | 12,000 EUR\nSigns | 8,500 EUR",
        "Inside two groups\n\n | 2024 | 2025\nRiders | 310 | 455",
    ]
    assert (document.pages[0].width_pt, document.pages[0].height_pt) == (720, 540)


def test_a_workbook_has_one_page_a_sheet_with_values_as_shown(read_here, files):
    document = read_here(files / "shop.xlsx")
    assert [page.label for page in document.pages] == ["Prices", "Opening hours"]
    assert document.pages[0].text == (
        "Item | Price | Share | Since\n"
        "Bread | 2.50 EUR | 20.0% | 03.11.2026\n"
        "Cheese | 1,234.50 EUR | 5.5% | 31.01.2025\n\n"
        "Total\n\n"
        "Comment at A2: Rye only"
    )
    assert document.pages[1].text == "Monday | 9:30:00 | TRUE\nClosed on holidays"
    assert "no stored result" in document.warnings[0]


def test_a_cell_in_the_last_corner_costs_nothing(read_here, tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "first"
    book.active["XFD1048576"] = "last corner"
    book.save(tmp_path / "corner.xlsx")
    assert read_here(tmp_path / "corner.xlsx").pages[0].text == "first\n\n | last corner"


def test_a_workbook_with_more_cells_than_the_limit_is_read_in_part(
    read_here, tmp_path, monkeypatch
):
    monkeypatch.setattr("molmo_desktop.documents.xlsx.MAX_CELLS", 30)
    book = openpyxl.Workbook()
    for row in range(40):
        book.active.append([row, "x"])
    book.save(tmp_path / "many.xlsx")
    document = read_here(tmp_path / "many.xlsx")
    assert document.warnings == ("Only the first 16 rows of “Sheet” were read.",)


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (1234.5, "#,##0.00", "1,234.50"),
        (0.2, "0%", "20%"),
        (-12.5, "0.00;(0.00)", "(12.50)"),
        (-12.5, "0.0", "-12.5"),
        (0, '0;-0;"none"', "none"),
        (12, '[$€-407] #,##0.00', "€ 12.00"),
        (7, "000", "007"),
        (46329, "yyyy-mm-dd", "2026-11-03"),
        (46329.5, "d mmm yyyy h:mm AM/PM", "3 Nov 2026 12:00 PM"),
        (1.5, "[h]:mm", "36:00"),
        (0.5, "hh:mm:ss.000", "12:00:00"),
        (46329, "dddd, mmmm d", "Tuesday, November 3"),
        (1234567, '#,##0,"k"', "1,235k"),
        (3.14159, "General", "3.14159"),
        (1e20, "General", "1e+20"),
        (0.1 + 0.2, "", "0.3"),
        (12345.678, "0.00E+00", "12345.678"),
        (5, "#.##", "5"),
        (2.5, "[Red]0.0_);[Blue]-0.0", "2.5"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_their_format_shows_them(value, code, expected):
    assert shown(value, code) == expected


def test_a_damaged_main_part_is_told_in_words(read_here, tmp_path):
    path = tmp_path / "broken.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document")
    with pytest.raises(DocumentUnreadableError, match="damaged or incomplete"):
        read_here(path)
