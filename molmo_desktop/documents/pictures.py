# SPDX-License-Identifier: Apache-2.0
"""Pictures: one page a frame, decoded upright to 8-bit RGB with Pillow.

A picture has no text; reading it means proving that every frame can be decoded, so that the
user hears of a damaged file when it is attached and not when the model looks at it.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from molmo_desktop.core.pages import PageImage
from molmo_desktop.documents import problems
from molmo_desktop.documents.formats import format_info
from molmo_desktop.documents.sink import Sink

# Large enough for the 108-megapixel pictures of telephones; 360 MB once decoded.
MAX_PIXELS = 120_000_000
# An animation is a film; its first frames say what it shows.
MAX_FRAMES = {"tiff": 2_000, "gif": 50, "webp": 50, "png": 50, "avif": 50}

_PILLOW_NAMES = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "gif": "GIF",
    "tiff": "TIFF",
    "bmp": "BMP",
    "avif": "AVIF",
    "heic": "HEIF",
    "jpeg2000": "JPEG2000",
    "ppm": "PPM",
    "psd": "PSD",
    "ico": "ICO",
    "icns": "ICNS",
    "tga": "TGA",
    "pcx": "PCX",
    "sgi": "SGI",
    "dds": "DDS",
    "qoi": "QOI",
}


def read(path: Path, sink: Sink, *, format_name: str) -> None:
    """Put one page a frame, with its upright size in pixels.

    Raises:
        DocumentUnreadableError: Damaged or cut short.
        DocumentTooLargeError: More than `MAX_PIXELS` pixels.
    """
    with _opened(path, format_name) as image:
        frame_count = _frame_count(image, format_name)
        shown = min(frame_count, MAX_FRAMES.get(format_name, 1))
        sink.expect(shown)
        for frame in range(shown):
            upright = _upright(image, path, frame)
            sink.page("", origin="none", width_pt=upright.width, height_pt=upright.height)
    if frame_count > shown:
        sink.warn(f"Only the first {shown} of {frame_count} pictures in the file were read.")


def decode(
    path: Path, page_number: int, *, format_name: str, max_px: int | None = None
) -> PageImage:
    """Return one frame, made smaller so that its longest side is at most ``max_px``.

    Raises:
        DocumentUnreadableError: Damaged or cut short.
        DocumentTooLargeError: More than `MAX_PIXELS` pixels.
        UsageError: There is no such frame.
    """
    with _opened(path, format_name) as image:
        frame_count = _frame_count(image, format_name)
        if not 1 <= page_number <= frame_count:
            raise problems.no_such_page(path, page_number, frame_count)
        rgb = _as_rgb(_upright(image, path, page_number - 1))
    scale = 1.0
    longest = max(rgb.size)
    if max_px is not None and longest > max_px:
        scale = max_px / longest
        size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return PageImage(rgb.width, rgb.height, rgb.tobytes(), scale)


@contextmanager
def _opened(path: Path, format_name: str) -> Iterator[Image.Image]:
    """Open a picture as the format that its content showed, and translate Pillow's errors."""
    title = format_info(format_name).title
    if format_name == "heic":
        from pi_heif import register_heif_opener

        register_heif_opener()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=[_PILLOW_NAMES[format_name]]) as image:
                _check_size(image, path)
                yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_large(path, format_name) from error
    except (
        OSError,
        UnidentifiedImageError,
        SyntaxError,
        ValueError,
        EOFError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        # Pillow's decoders raise all of these on damaged files.
        raise problems.damaged(path, title, f"{type(error).__name__}: {error}") from error


def _frame_count(image: Image.Image, format_name: str) -> int:
    """Return how many pictures a file holds; further ones in a JPEG are only depth or preview."""
    return int(getattr(image, "n_frames", 1)) if format_name in MAX_FRAMES else 1


def _check_size(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise problems.picture_too_large(path, image.width, image.height, MAX_PIXELS)


def _too_large(path: Path, format_name: str) -> Exception:
    """Return the refusal with the picture's size, looked up without decoding anything."""
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path, formats=[_PILLOW_NAMES[format_name]]) as image:
            return problems.picture_too_large(path, image.width, image.height, MAX_PIXELS)
    except (OSError, SyntaxError, ValueError):
        return problems.unpacks_too_large(path)
    finally:
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def _upright(image: Image.Image, path: Path, frame: int) -> Image.Image:
    """Return a frame decoded and turned as its EXIF note says."""
    if frame or getattr(image, "n_frames", 1) > 1:
        image.seek(frame)
        _check_size(image, path)
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except (struct.error, SyntaxError, ValueError, LookupError, TypeError, OSError):
        return image  # the note is damaged, the picture is not


def _as_rgb(image: Image.Image) -> Image.Image:
    """Return 8-bit RGB: transparency on white, 16-bit and floating values scaled."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _on_white(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled_to_8_bits(image).convert("RGB")
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Return 8-bit grey; 16 bits by their full range, other ranges from darkest to lightest."""
    wide = image.convert("F")
    low, high = (float(value) for value in wide.getextrema())  # type: ignore[arg-type]
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and high <= 65_535):
        low, high = 0.0, 65_535.0
    factor = 255.0 / (high - low) if high > low else 0.0
    return wide.point(lambda value: value * factor - low * factor).convert("L")
