# SPDX-License-Identifier: Apache-2.0
"""Formulas of Word as one line: "(a+b)/c", "x^2", "∑_(i=1)^n i"."""

from __future__ import annotations

from molmo_desktop.documents.ooxml import Element, attribute, child, children, local_name

_MAX_DEPTH = 40
_DROPPED = ("rPr", "ctrlPr", "del", "moveFrom", "instrText", "delText")
_DEFAULT_OPERATOR = "∫"


def formula_text(element: Element, depth: int = 0) -> str:
    """Return a formula, or a part of one, as it would be typed."""
    name = local_name(element)
    if not name or name in _DROPPED or name.endswith("Pr") or depth > _MAX_DEPTH:
        return ""
    if name == "t":
        return element.text or ""

    def part(key: str, *, is_bound: bool = True) -> str:
        found = child(element, key)
        text = formula_text(found, depth + 1) if found is not None else ""
        return f"({text})" if is_bound and len(text) > 1 and not text.isalnum() else text

    if name == "f":
        return f"{part('num')}/{part('den')}"
    if name in ("sSup", "sSub", "sSubSup", "sPre"):
        return part("e") + _script("_", part("sub")) + _script("^", part("sup"))
    if name == "nary":
        operator = attribute(child(element, "naryPr", "chr"), "val", _DEFAULT_OPERATOR)
        bounds = _script("_", part("sub")) + _script("^", part("sup"))
        return f"{operator}{bounds} {part('e', is_bound=False)}"
    if name == "rad":
        return f"{part('deg')}√{part('e')}"
    if name == "d":
        begin = attribute(child(element, "dPr", "begChr"), "val", "(")
        end = attribute(child(element, "dPr", "endChr"), "val", ")")
        inner = [formula_text(item, depth + 1) for item in children(element, "e")]
        return f"{begin}{', '.join(inner)}{end}"
    if name == "m":
        rows = [
            ", ".join(formula_text(cell, depth + 1) for cell in children(row, "e"))
            for row in children(element, "mr")
        ]
        return "; ".join(rows)
    return "".join(formula_text(item, depth + 1) for item in element)


def _script(mark: str, text: str) -> str:
    return f"{mark}{text}" if text else ""
