# SPDX-License-Identifier: Apache-2.0
"""Pages and pixels as messages between the reader's process and ours, and back.

What comes back was made from a stranger's file, so everything is checked when it is unpacked:
a message that does not fit raises `MalformedMessageError` and ends that process.
"""

from __future__ import annotations

import math
from array import array
from typing import Any, get_args

from molmo_desktop.core.pages import Origin, Page, PageImage, WordBox
from molmo_desktop.core.wire import MalformedMessageError, WireLimits

_ORIGINS = get_args(Origin)
_POSITIONS = "i"
_COORDINATES = "d"
MAX_IMAGE_BYTES = 3 << 28
# A page has two blobs, a picture one; the text of a whole document fits into the head.
LIMITS = WireLimits(head_bytes=1 << 28, blob_count=2, blob_bytes=MAX_IMAGE_BYTES)


def pack_page(page: Page) -> tuple[dict[str, Any], list[bytes]]:
    """Return a page as a JSON head and two blobs, column after column.

    The first holds all starts, then all ends (int32); the second all x0, y0, x1, y1 (float64,
    hundredths of a point: more is not to be seen).
    """
    columns = list(zip(*page.words, strict=True))
    positions: array[int] = array(_POSITIONS)
    coordinates: array[float] = array(_COORDINATES)
    for column in columns[:2]:
        positions.extend(column)
    for column in columns[2:]:
        coordinates.extend([int(value * 100 + 0.5) / 100 for value in column])
    head = {
        "kind": "page",
        "number": page.number,
        "text": page.text,
        "origin": page.origin,
        "width_pt": page.width_pt,
        "height_pt": page.height_pt,
        "label": page.label,
    }
    return head, [positions.tobytes(), coordinates.tobytes()]


def unpack_page(head: dict[str, Any], blobs: list[bytes]) -> Page:
    """Return the page of a message.

    Raises:
        MalformedMessageError: A value is missing, of another type or out of range.
    """
    try:
        text, origin, label = head["text"], head["origin"], head["label"]
        number = int(head["number"])
        width_pt, height_pt = float(head["width_pt"]), float(head["height_pt"])
        positions: array[int] = array(_POSITIONS)
        coordinates: array[float] = array(_COORDINATES)
        positions.frombytes(blobs[0])
        coordinates.frombytes(blobs[1])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MalformedMessageError(f"page: {error}") from error
    if not isinstance(text, str) or not isinstance(label, str) or origin not in _ORIGINS:
        raise MalformedMessageError("page: wrong types")
    if not (_is_length(width_pt) and _is_length(height_pt)):
        raise MalformedMessageError("page: impossible size")
    return Page(
        number, text, origin, width_pt, height_pt, _words(positions, coordinates, text), label
    )


def _words(positions: array[int], coordinates: array[float], text: str) -> tuple[WordBox, ...]:
    count, rest = divmod(len(positions), 2)
    if rest or len(coordinates) != 4 * count:
        raise MalformedMessageError("page: boxes and offsets do not match")
    starts, ends = positions[:count], positions[count:]
    if count and (min(starts) < 0 or max(ends) > len(text)):
        raise MalformedMessageError("page: a word outside the text")
    columns = [coordinates[at * count : (at + 1) * count] for at in range(4)]
    return tuple(map(WordBox, starts, ends, *columns))


def pack_image(image: PageImage) -> tuple[dict[str, Any], list[bytes]]:
    """Return a picture as a JSON head and one blob of its RGB bytes."""
    head = {
        "kind": "image",
        "width_px": image.width_px,
        "height_px": image.height_px,
        "scale": image.scale,
    }
    return head, [image.rgb]


def unpack_image(head: dict[str, Any], blobs: list[bytes]) -> PageImage:
    """Return the picture of a message.

    Raises:
        MalformedMessageError: Size and bytes do not fit.
    """
    try:
        width_px, height_px = int(head["width_px"]), int(head["height_px"])
        scale = float(head["scale"])
        rgb = blobs[0]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MalformedMessageError(f"image: {error}") from error
    if width_px < 1 or height_px < 1 or len(rgb) != width_px * height_px * 3:
        raise MalformedMessageError("image: size and bytes do not match")
    return PageImage(width_px, height_px, rgb, scale if _is_length(scale) else 1.0)


def _is_length(value: float) -> bool:
    return math.isfinite(value) and value >= 0
