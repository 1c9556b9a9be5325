# SPDX-License-Identifier: Apache-2.0
"""Makes the OpenDocument, EPUB, RTF, e-mail, JSON and XML files in tests/data/documents, once.

Run from the repository: ``python tests/documents/make_open_samples.py``. Written by hand with the
standard library, after the structure that LibreOffice, Word and mail programs write.
"""

# ruff: noqa: E501 -- the samples are lines of XML and RTF

from __future__ import annotations

import zipfile
from email.message import EmailMessage
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "documents"
_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"),
        ("style", "style"), ("presentation", "presentation"), ("chart", "chart"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
_MATH = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>v</mi><mo>=</mo>'
    '<mn>42</mn></mrow><annotation encoding="StarMath 5.0">v size 42</annotation></semantics></math>'
)
_TEXT = """
<text:tracked-changes><text:changed-region><text:deletion><text:p>Struck out sentence</text:p>
</text:deletion></text:changed-region></text:tracked-changes>
<text:h text:outline-level="1">Lighthouse handbook</text:h>
<text:p>The lamp turns <text:span>every</text:span><text:s text:c="2"/>nine seconds<text:note
 text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>
<text:p>Since 1911.</text:p></text:note-body></text:note>.<office:annotation><dc:creator>Mona
</dc:creator><text:p>Ten?</text:p></office:annotation></text:p>
<text:list text:style-name="L1"><text:list-item><text:p>Clean the lens</text:p></text:list-item>
<text:list-item><text:p>Fill the tank</text:p><text:list><text:list-item><text:p>with oil</text:p>
</text:list-item></text:list></text:list-item></text:list>
<table:table><table:table-column table:number-columns-repeated="2"/><table:table-header-rows>
<table:table-row><table:table-cell><text:p>Part</text:p></table:table-cell><table:table-cell>
<text:p>Age</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row><table:table-cell><text:p>Stairs</text:p></table:table-cell><table:table-cell>
<text:p>112 years</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>Both listed</text:p>
</table:table-cell><table:covered-table-cell/></table:table-row></table:table>
<text:p><draw:frame><draw:text-box><text:p>Keep the door shut</text:p></draw:text-box></draw:frame>
</text:p><text:p>Speed <draw:frame><draw:object xlink:href="./Object 1"/><draw:image/></draw:frame>
</text:p><text:p><text:span text:style-name="T9">Invisible words</text:span>Last line</text:p>
"""
_LIST = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1"'
    ' style:num-format="1" style:num-suffix="."/><text:list-level-style-bullet text:level="2"/>'
    '</text:list-style><style:style style:name="T9"><style:text-properties text:display="none"/>'
    "</style:style>"
)
_MARGINS = (
    "<office:master-styles><style:master-page><style:header><text:p>Coast guard</text:p>"
    "</style:header><style:footer><text:p><text:page-number>3</text:page-number></text:p>"
    "</style:footer></style:master-page></office:master-styles>"
)
_SLIDES = """
<draw:page><draw:frame presentation:class="subtitle"><draw:text-box><text:p>Spring programme
</text:p></draw:text-box></draw:frame><draw:frame presentation:class="title"><draw:text-box>
<text:p>Choir</text:p></draw:text-box></draw:frame><draw:g><draw:custom-shape><text:p>Rehearsal on
 Tuesdays</text:p></draw:custom-shape></draw:g><presentation:notes><draw:frame><draw:text-box>
<text:p>Thank the pianist.</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>
<draw:page><draw:frame><draw:text-box><text:list><text:list-item><text:p>Altos: 14</text:p>
</text:list-item><text:list-item><text:p>Tenors: 9</text:p></text:list-item></text:list>
</draw:text-box></draw:frame></draw:page>
"""
_SHEETS = """
<table:table table:name="Stock"><table:table-row><table:table-cell><text:p>Tool</text:p>
</table:table-cell><table:table-cell/><table:table-cell><text:p>Price</text:p></table:table-cell>
<table:table-cell table:number-columns-repeated="16380"/></table:table-row><table:table-row>
<table:table-cell office:value-type="string"><text:p>Saw</text:p></table:table-cell>
<table:table-cell/><table:table-cell office:value-type="currency" office:value="12.5"><text:p>12.50 €
</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="1048000">
<table:table-cell table:number-columns-repeated="16384"/></table:table-row><table:table-row>
<table:table-cell><office:annotation><text:p>Count again</text:p></office:annotation>
<text:p>End</text:p></table:table-cell></table:table-row></table:table>
<table:table table:name="Old" table:style-name="ta2"><table:table-row><table:table-cell><text:p>1999
</text:p></table:table-cell></table:table-row></table:table>
"""
_HIDDEN_SHEET = (
    '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
)


def write_odf(name: str, kind: str, body: str, styles: str = "", **parts: str) -> None:
    """Write an OpenDocument file."""
    inner = {"graphics": "drawing"}.get(kind, kind)
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:{inner}>{body}</office:{inner}></office:body></office:document-content>"
    )
    with zipfile.ZipFile(FOLDER / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", media_type, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr(
            "styles.xml",
            f"<office:document-styles {_SPACES}>{_MARGINS}</office:document-styles>",
        )
        archive.writestr(
            "META-INF/manifest.xml",
            "<!DOCTYPE manifest:manifest PUBLIC '-//OpenOffice.org//DTD Manifest 1.0//EN' 'M.dtd'>"
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/>'
            "</manifest:manifest>",
        )
        for part, text in parts.items():
            archive.writestr(part.replace("__", "/"), text)


def make_odf() -> None:
    """Write a text, a presentation and a spreadsheet."""
    write_odf("lighthouse.odt", "text", _TEXT, _LIST, **{"Object 1__content.xml": _MATH})
    write_odf("choir.odp", "presentation", _SLIDES)
    write_odf("tools.ods", "spreadsheet", _SHEETS, _HIDDEN_SHEET)


def make_epub() -> None:
    """Write a book whose parts are listed in another order than they are read."""
    chapter = (
        '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "x.dtd"><html '
        'xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
    )
    with zipfile.ZipFile(FOLDER / "voyage.epub", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The short voyage'
            "</dc:title><dc:creator>Ida Lund</dc:creator></metadata><manifest>"
            '<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="one" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="css" href="style.css" media-type="text/css"/></manifest>'
            '<spine><itemref idref="one"/><itemref idref="two"/></spine></package>',
        )
        archive.writestr("OEBPS/style.css", "p { color: red }")
        archive.writestr(
            "OEBPS/text/one a.xhtml",
            chapter.format(
                "<h1>Departure</h1><p>The boat left at&#160;dawn&mdash;without Ida.</p>"
            ),
        )
        archive.writestr(
            "OEBPS/text/two.xhtml",
            chapter.format("<h1>Arrival</h1><ol><li>rope</li><li>anchor</li></ol>"),
        )


def make_rtf() -> None:
    """Write a document with code pages, Unicode, a table, a footnote and hidden parts."""
    (FOLDER / "meadow.rtf").write_bytes(
        rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 "
        rb"Arial;}}{\colortbl;\red0\green0\blue0;}{\stylesheet{\s1 heading 1;}}{\info{\author X}}"
        rb"{\header\pard Nature trust\par}{\*\generator Writer;}\uc1" + b"\r\n"
        rb"\pard\outlinelevel0\b The meadow\b0\par" + b"\r\n"
        rb"\pard Caf\'e9 \u8222?quoted\u8220? and \f1\'cc\'ee\'f1\'f2\f0  bridge{\footnote Built in "
        rb"1890.}.\par Price 5\~\u8364\'80, \{braces\} and \u-10179?\u-8704?\par" + b"\r\n"
        rb"{\v Secret words}{\field{\*\fldinst HYPERLINK x}{\fldrslt our page}}\par"
        rb"{\pntext 1.\tab}First rule\par{\pict\pngblip 89504e47}" + b"\r\n"
        rb"\trowd\cellx100\cellx200\pard\intbl Plant\cell Count\cell\row\trowd Clover\cell 120\cell"
        rb"\row\pard After the table\par{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt Boxed note\par}}}}"
    )


def make_mail() -> None:
    """Write a message with two alternatives, an attachment and a forwarded message."""
    message = EmailMessage()
    message["Subject"] = "Boat tickets – März"
    message["From"] = "Ada Ek <ada@example.org>"
    message["To"] = "crew@example.org"
    message["Date"] = "Tue, 03 Nov 2026 09:30:00 +0100"
    message["Message-ID"] = "<1@example.org>"
    message.set_content("The ferry leaves at 07:45 from pier four.\nBring café money.\n")
    message.add_alternative(
        "<p>The <b>ferry</b> leaves at 07:45 from pier four.</p>", subtype="html"
    )
    message.add_attachment(
        b"%PDF-1.4", maintype="application", subtype="pdf", filename="ticket.pdf"
    )
    inner = EmailMessage()
    inner["Subject"] = "Old plan"
    inner["From"] = "bo@example.org"
    inner.set_content("<p>Leave on <i>Monday</i></p>", subtype="html")
    message.add_attachment(inner)
    (FOLDER / "ferry.eml").write_bytes(message.as_bytes())


def make_data_files() -> None:
    """Write JSON with codes, and XML of two kinds."""
    (FOLDER / "station.json").write_text(
        '{\n  "name": "Gare de Lyon-Perrache",\n  "city": "Besan\\u00e7on \\ud83d\\ude80",\n'
        '  "path": "C:\\\\u0041",\n  "platforms": 12\n}\n',
        "utf-8",
    )
    (FOLDER / "recipes.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<recipes><recipe id="7"><name>Rye soup</name>'
        "<time unit='min'>35</time><note>Stir <b>slowly</b>, &amp; wait.</note></recipe></recipes>",
        "utf-8",
    )
    (FOLDER / "article.nxml").write_text(
        '<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.0//EN" "JATS.dtd">'
        "<article><front><journal-meta><journal-id>xyz</journal-id></journal-meta><article-meta>"
        "<article-id>123</article-id><title-group><article-title>Moss in <italic>cities</italic>"
        "</article-title></title-group><contrib-group><contrib><name><surname>Berg</surname>"
        "<given-names>Eva</given-names></name></contrib></contrib-group><abstract><p>Moss grows&nbsp;"
        "slowly.</p></abstract></article-meta></front><body><sec><title>Methods</title><p>We counted "
        "H<sub>2</sub>O drops <xref>[1]</xref>.</p><list><list-item><p>glass</p></list-item></list>"
        "<table-wrap><caption><p>Sites</p></caption><table><tr><th>Site</th><th>Moss</th></tr><tr>"
        "<td>Roof</td><td>4 g</td></tr></table></table-wrap></sec></body><back><ref-list><title>"
        "References</title><ref><label>1</label><element-citation><source>Nature</source>"
        "<year>1999</year></element-citation></ref></ref-list></back></article>",
        "utf-8",
    )


if __name__ == "__main__":
    make_odf()
    make_epub()
    make_rtf()
    make_mail()
    make_data_files()
