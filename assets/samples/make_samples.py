# SPDX-License-Identifier: Apache-2.0
"""Write the sample documents of this folder again: ``python assets/samples/make_samples.py``.

All names, addresses and amounts are made up. The files are committed, so that nobody needs to
run this but those who change a sample.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image, ImageDraw
from PySide6.QtCore import QMarginsF, QSizeF
from PySide6.QtGui import QFont, QGuiApplication, QPageSize, QPdfWriter, QTextDocument

FOLDER = Path(__file__).parent

INVOICE = """
<h1>Invoice</h1>
<p><b>Birch &amp; Loom Workshop</b><br>14 Quay Street, Bristol BS1 4RH<br>accounts@birchandloom.example</p>
<table width="100%" cellpadding="2"><tr><td>Invoice number</td><td>2026-0417</td></tr>
<tr><td>Invoice date</td><td>3 November 2026</td></tr>
<tr><td>Payment due by</td><td>17 November 2026</td></tr>
<tr><td>Billed to</td><td>Clara Jansen, 8 Orchard Lane, Bath BA1 2QT</td></tr></table>
<h3>Items</h3>
<table width="100%" cellpadding="4" border="1" cellspacing="0">
<tr><th align="left">Item</th><th align="right">Quantity</th><th align="right">Price</th><th align="right">Amount</th></tr>
<tr><td>Oak shelf, 120 cm</td><td align="right">2</td><td align="right">85.00 EUR</td><td align="right">170.00 EUR</td></tr>
<tr><td>Wall brackets, pair</td><td align="right">4</td><td align="right">9.50 EUR</td><td align="right">38.00 EUR</td></tr>
<tr><td>Linseed oil, 500 ml</td><td align="right">1</td><td align="right">14.90 EUR</td><td align="right">14.90 EUR</td></tr>
<tr><td>Delivery</td><td align="right">1</td><td align="right">27.85 EUR</td><td align="right">27.85 EUR</td></tr>
</table>
<p>Subtotal: 250.75 EUR</p>
<p>VAT 20 %: 50.15 EUR</p>
<p><b>Total due: 300.90 EUR</b></p>
<p>Please pay by bank transfer to IBAN GB29 NWBK 6016 1331 9268 19 and name the invoice number.</p>
<p>Late payments are charged with 2 % interest a month. Questions? Call Owen Birch at +44 117 555 0142.</p>
"""

LEASE_PAGES = [
    """<h1>Lease agreement</h1>
<p>This agreement is made on 12 January 2026 between Marta Ruiz (the landlord), 3 Harbour View, Plymouth,
and Tomas Novak (the tenant), currently of 27 Mill Road, Exeter.</p>
<h2>1. The property</h2>
<p>The landlord lets the flat on the second floor of 51 Castle Street, Totnes, with two bedrooms, a kitchen,
a bathroom and the use of the garden. The storage room in the cellar with the number 7 belongs to the flat.</p>
<h2>2. Term</h2>
<p>The lease begins on 1 March 2026 and ends on 28 February 2028. It does not renew itself. If both parties
wish to go on, they sign a new agreement at least two months before the end.</p>""",
    """<h2>3. Rent</h2>
<p>The monthly rent is 940 pounds. It is payable in advance on the first working day of each month to the
landlord's account. Heating and water are not included and are settled once a year by the meters.</p>
<h2>4. Deposit</h2>
<p>The tenant pays a deposit of 1,410 pounds before moving in. The landlord keeps it in a protected scheme and
returns it within ten days after the flat was handed back, less the cost of damage beyond ordinary wear.</p>
<h2>5. Pets</h2>
<p>One cat or one small dog may be kept. Other animals need the written consent of the landlord.</p>""",
    """<h2>6. Repairs</h2>
<p>The landlord repairs the roof, the walls, the heating and the pipes. The tenant replaces light bulbs and
reports every fault within three days. In an emergency the plumber, Penrose and Daughters, can be called at
01803 555 019 at any hour.</p>
<h2>7. Alterations</h2>
<p>Walls may be painted in any light colour. Nothing may be drilled into the tiles of the bathroom.</p>
<h2>8. Noise</h2>
<p>Between ten in the evening and seven in the morning the house is quiet.</p>""",
    """<h2>9. Notice</h2>
<p>The tenant may end the lease early with three months' notice in writing. The landlord may do so only if the
rent is more than two months late or the flat is used for a trade.</p>
<h2>10. Handing back</h2>
<p>At the end the flat is handed back clean, with all five keys. Carpets are cleaned by a company.</p>
<p>Signed in Totnes, 12 January 2026: Marta Ruiz, Tomas Novak. Witness: Helen Okafor.</p>""",
]

NOTES = """# Meeting of the garden club

Date: 9 October 2026. Present: Ines, Paul, Ravi, Sofia.

## Decisions

- The spring market takes place on Saturday, 24 April 2027.
- Ravi orders 60 bags of compost from Hillside Nursery for 318 pounds.
- Sofia keeps the key of the tool shed from November on.

## Open questions

- Who repairs the greenhouse door? Paul asks two carpenters for a price until the next meeting.
- The next meeting is on 6 November 2026 at 18:30 in the library.
"""


def write_pdf(path: Path, pages: list[str], title: str) -> None:
    """Write HTML pages as an A4 PDF with a text layer."""
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setCreator("Molmo Desktop samples")
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(18, 18, 18, 18))
    writer.setResolution(96)
    text = QTextDocument()
    text.setDefaultFont(QFont("DejaVu Sans", 10))
    text.documentLayout().setPaintDevice(writer)
    size = QSizeF(writer.width(), writer.height())
    text.setPageSize(size)
    text.setDocumentMargin(0)
    breaks = [f'<div style="page-break-before:always"></div>{page}' for page in pages[1:]]
    text.setHtml("".join([pages[0], *breaks]))
    text.print_(writer)


def write_shapes(path: Path) -> None:
    """Write a picture of one red circle, for models that see."""
    picture = Image.new("RGB", (320, 240), (245, 245, 245))
    ImageDraw.Draw(picture).ellipse((110, 70, 210, 170), fill=(214, 39, 40))
    picture.save(path)


def main() -> None:
    """Write every sample."""
    app = QGuiApplication(sys.argv)
    write_pdf(FOLDER / "invoice.pdf", [INVOICE], "Invoice 2026-0417")
    write_pdf(FOLDER / "lease.pdf", LEASE_PAGES, "Lease agreement")
    (FOLDER / "meeting-notes.md").write_text(NOTES, encoding="utf-8")
    write_shapes(FOLDER / "red-circle.png")
    app.quit()


if __name__ == "__main__":
    main()
