# SPDX-License-Identifier: Apache-2.0
"""What the window is measured with: a store full of conversations, a PDF of many pages."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from molmo_desktop.store.store import Store

_WORDS = (
    *("the", "committee", "met", "on", "Tuesday", "and", "agreed", "that", "bridge", "over"),
    *("river", "is", "repaired", "before", "winter", "costs", "of", "second", "stage", "were"),
    *("estimated", "at", "amount", "council", "approved", "without", "vote", "tenant", "deposit"),
    *("heating", "garden", "invoice", "delivery", "warranty", "pressure", "valve", "report"),
    *("temperature", "measured", "sample", "table", "figure", "appendix", "chapter", "section"),
)
_LINES_A_PAGE, _WORDS_A_LINE = 45, 12


def fill_store(path: Path, *, conversations: int, messages: int, longest: int) -> list[int]:
    """Fill a store as a long life with the program would.

    Args:
        path: The database.
        conversations: How many there are.
        messages: In all of them together, questions and answers.
        longest: So many of the messages stand in one conversation.

    Returns:
        The ids of the conversations; the long one is the first.
    """
    chance = random.Random(7)
    store = Store(path)
    # A flush for each of thousands of transactions would take minutes.
    store._database._connection.execute("PRAGMA synchronous = OFF")
    rest = max(2, (messages - longest) // (conversations - 1))
    found = []
    for number in range(conversations):
        found.append(store.create_conversation(_sentence(chance, 6)))
        _fill_conversation(store, found[-1], (longest if number == 0 else rest) // 2, chance)
    store.close()
    return found


def _fill_conversation(store: Store, key: int, turns: int, chance: random.Random) -> None:
    for _ in range(turns):
        question = _sentence(chance, 10) + "?"
        question_id = store.add_question(key, question)
        answer_id = store.start_answer(key, question_id, "SmolLM2-135M-Instruct")
        store.finish_answer(answer_id, _answer(question, chance), "finished")


def _answer(question: str, chance: random.Random) -> dict[str, Any]:
    points = "\n".join(f"- **{_sentence(chance, 2)}**: {_sentence(chance, 12)}." for _ in range(4))
    text = f"{_sentence(chance, 40)}.\n\n{points}\n\n{_sentence(chance, 30)}."
    return {
        "question": question,
        "answer": text,
        "finish_reason": "stop",
        "found": True,
        "evidence": [
            {
                "file": "/home/somebody/report.pdf",
                "page": page,
                "text": _sentence(chance, 40),
                "boxes": [[72.0, 100.0 + 12 * line, 500.0, 112.0 + 12 * line] for line in range(4)],
                "score": 0.8,
                "cited": page < 3,
            }
            for page in range(1, 6)
        ],
        "coverage": {"pages_total": 40, "pages_read": [1, 2, 3, 4, 5], "mode": "retrieve"},
        "tokens": {"prompt": 812, "cached": 790, "image": 0, "completion": 121},
        "timings": {"prefill_s": 0.3, "decode_s": 2.5, "decode_tokens_per_s": 48.4},
        "energy": {"energy_j": 12.1, "kind": "estimated", "source": "cpu time model"},
        "model": {"name": "SmolLM2-135M-Instruct", "parameters": 134515008},
    }


def write_pdf(path: Path, page_count: int) -> None:
    """Write a PDF with a full page of text on each page."""
    chance = random.Random(11)
    pages = [_page_content(number, chance) for number in range(1, page_count + 1)]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(page_count))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {page_count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, content in enumerate(pages):
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * index} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    path.write_bytes(_pdf_file(bodies))


def _page_content(number: int, chance: random.Random) -> bytes:
    lines = [f"Page {number}"]
    lines += [_sentence(chance, _WORDS_A_LINE) for _ in range(_LINES_A_PAGE)]
    text = " ".join(f"({line}) Tj T*" for line in lines)
    return f"BT /F1 10 Tf 50 790 Td 16 TL {text} ET".encode("ascii")


def _pdf_file(bodies: list[bytes]) -> bytes:
    data, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(bodies) + 1)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % start)


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize()
