# SPDX-License-Identifier: Apache-2.0
"""OpenDocument files, books, Rich Text, e-mail, JSON and XML: everything seen is read."""

from __future__ import annotations

import zipfile

import pytest

from molmo_desktop.core.errors import DocumentUnreadableError, PasswordRequiredError


def test_an_opendocument_text_is_read_in_document_order(read_here, files):
    document = read_here(files / "lighthouse.odt")
    assert document.pages[0].text.split("\n\n") == [
        "Coast guard",
        "# Lighthouse handbook",
        "The lamp turns every  nine seconds [1].",
        "1. Clean the lens\n2. Fill the tank\n  - with oil",
        "Part | Age\nStairs | 112 years\nBoth listed",
        "Keep the door shut",
        "Speed",
        "v = 42",
        "Last line",
        "[1] Since 1911.",
        "Comment by Mona: Ten?",
    ]
    assert document.warnings == ("The document holds hidden text, which was left out.",)


def test_an_opendocument_presentation_has_one_page_a_slide(read_here, files):
    assert [page.text for page in read_here(files / "choir.odp").pages] == [
        "# Choir\n\nSpring programme\n\nRehearsal on Tuesdays\n\nNotes: Thank the pianist.",
        "- Altos: 14\n- Tenors: 9",
    ]


def test_an_opendocument_spreadsheet_has_one_page_a_sheet(read_here, files):
    document = read_here(files / "tools.ods")
    assert [(page.label, page.text) for page in document.pages] == [
        ("Stock", "Tool | Price\nSaw | 12.50 €\n\nEnd\n\nComment: Count again"),
        ("Old", "1999"),
    ]
    assert document.warnings == ("The sheet “Old” is hidden in the file; it was read.",)


def test_a_book_has_one_page_a_chapter_in_reading_order(read_here, files):
    document = read_here(files / "voyage.epub")
    assert [(page.label, page.text) for page in document.pages] == [
        (
            "Departure",
            "The short voyage\n\nIda Lund\n\n# Departure\n\nThe boat left at dawn—without Ida.",
        ),
        ("Arrival", "# Arrival\n\n1. rope\n2. anchor"),
    ]


@pytest.mark.parametrize(
    ("source", "member", "content"),
    [
        (
            "voyage.epub",
            "META-INF/encryption.xml",
            '<encryption><CipherReference URI="OEBPS/text/two.xhtml"/></encryption>',
        ),
        (
            "lighthouse.odt",
            "META-INF/manifest.xml",
            "<manifest><file-entry><encryption-data/></file-entry></manifest>",
        ),
    ],
)
def test_a_protected_file_asks_for_a_password(read_here, files, tmp_path, source, member, content):
    path = tmp_path / source
    with zipfile.ZipFile(files / source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
        new.writestr(member, content)
    with pytest.raises(PasswordRequiredError):
        read_here(path)


def test_rich_text_is_read_with_its_letters_tables_and_notes(read_here, files):
    document = read_here(files / "meadow.rtf")
    assert document.pages[0].text.split("\n\n") == [
        "Nature trust",
        "# The meadow",
        "Café „quoted“ and Мост bridge [1].",
        "Price 5 €, {braces} and 😀",
        "our page",
        "1.\tFirst rule",
        "Plant | Count\nClover | 120",
        "After the table",
        "[1] Built in 1890.",
        "Boxed note",
    ]
    assert document.warnings == ("The document holds hidden text, which was left out.",)


def test_rich_text_with_binary_data_and_open_groups_is_read(read_here, tmp_path):
    path = tmp_path / "odd.rtf"
    path.write_bytes(b"{\\rtf1 before {\\pict\\bin5 }}{{\\}\\par behind" + b"{" * 5000)
    text = read_here(path).pages[0].text
    assert text.startswith("before")
    assert "behind" in text


def test_a_message_is_read_with_the_names_of_what_is_attached(read_here, files):
    assert read_here(files / "ferry.eml").pages[0].text.split("\n\n") == [
        "Subject: Boat tickets – März\nFrom: Ada Ek <ada@example.org>\nTo: crew@example.org\n"
        "Date: Tue, 03 Nov 2026 09:30:00 +0100",
        "The ferry leaves at 07:45 from pier four.\nBring café money.",
        "Forwarded message:",
        "Subject: Old plan\nFrom: bo@example.org",
        "Leave on Monday",
        "Attachments:\n- ticket.pdf",
    ]


def test_a_letter_that_quotes_headers_is_no_message(read_here, tmp_path):
    (tmp_path / "note.txt").write_text("From: Ada\nTo: Bo\nSubject: tea\n\nAt four?")
    assert read_here(tmp_path / "note.txt").format == "text"
    (tmp_path / "mail.txt").write_text("Message-ID: <1@x>\nFrom: Ada\nSubject: tea\n\nAt four?")
    assert read_here(tmp_path / "mail.txt").format == "eml"


def test_json_shows_letters_instead_of_their_codes(read_here, files):
    text = read_here(files / "station.json").pages[0].text
    assert '"city": "Besançon 🚀"' in text
    assert '"path": "C:\\\\u0041"' in text


def test_xml_is_read_as_its_text(read_here, files):
    assert read_here(files / "recipes.xml").pages[0].text.split("\n\n") == [
        "Rye soup",
        "35",
        "Stir slowly, & wait.",
    ]
    assert read_here(files / "article.nxml").pages[0].text.split("\n\n") == [
        "# Moss in cities",
        "Berg Eva",
        "Moss grows slowly.",
        "## Methods",
        "We counted H2O drops [1].",
        "- glass",
        "Sites",
        "Site | Moss\nRoof | 4 g",
        "## References",
        "1 Nature 1999",
    ]


def test_xml_with_entities_is_refused_and_broken_xml_is_read(read_here, tmp_path):
    (tmp_path / "laughs.xml").write_text('<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>')
    with pytest.raises(DocumentUnreadableError, match="no office program"):
        read_here(tmp_path / "laughs.xml")
    (tmp_path / "broken.xml").write_text("<a><b>The word</a>")
    assert read_here(tmp_path / "broken.xml").pages[0].text == "The word"
