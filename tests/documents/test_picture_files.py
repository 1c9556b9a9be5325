# SPDX-License-Identifier: Apache-2.0
"""Pictures: every format, upright, 8-bit RGB, with limits."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from molmo_desktop.core.errors import (
    DocumentTooLargeError,
    DocumentUnreadableError,
    UsageError,
)
from molmo_desktop.core.pages import PageImage
from molmo_desktop.documents import pictures


def pixels(image: PageImage) -> np.ndarray:
    """Return the picture, shape (height, width, 3)."""
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height_px, image.width_px, 3)


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif", "tiff", "bmp", "avif"])
def test_every_format_shows_the_red_square_where_it_is(read_here, files, name):
    document = read_here(files / f"square.{name}")
    assert document.format == name
    page = document.pages[0]
    assert (page.width_pt, page.height_pt, page.origin, page.text) == (64, 32, "none", "")
    shown = pixels(pictures.decode(files / f"square.{name}", 1, format_name=name))
    assert shown[12, 12, 0] > 200
    assert shown[12, 12, 1] < 60
    assert shown[12, 50].min() > 200


@pytest.mark.parametrize(
    ("extension", "expected"),
    [("jp2", "jpeg2000"), ("j2k", "jpeg2000"), ("ppm", "ppm"), ("ico", "ico"), ("icns", "icns"),
     ("tga", "tga"), ("pcx", "pcx"), ("sgi", "sgi"), ("dds", "dds"), ("qoi", "qoi")],
)  # fmt: skip
def test_rarer_formats_show_the_red_square_too(read_here, files, tmp_path, extension, expected):
    path = tmp_path / f"square.{extension}"
    with Image.open(files / "square.png") as picture:
        size = (128, 64) if extension in ("icns",) else (64, 32)
        shown = picture.convert("RGB").resize(size)
        shown.crop((0, 0, 32, 32)).resize((64, 64)).save(path)
    assert read_here(path).format == expected
    image = pictures.decode(path, 1, format_name=expected)
    red, green, _ = pixels(image)[image.height_px * 3 // 8, image.width_px * 3 // 8]
    assert red > 180
    assert green < 80


@pytest.mark.skipif(not find_spec("pi_heif"), reason="pi-heif is not installed")
def test_a_heic_picture_is_read(read_here, files):
    document = read_here(files / "square.heic")
    assert document.format == "heic"
    shown = pixels(pictures.decode(files / "square.heic", 1, format_name="heic"))
    assert shown[12, 12, 0] > 180
    assert shown[12, 12, 1] < 80


def test_a_picture_is_turned_as_the_camera_was_held(files):
    image = pictures.decode(files / "turned.jpeg", 1, format_name="jpeg")
    assert (image.width_px, image.height_px) == (32, 64)
    # The square was at the top left; after a quarter turn to the right it is at the top right.
    assert pixels(image)[12, 19, 1] < 80
    assert pixels(image)[12, 5].min() > 180


def test_transparent_parts_become_white(files):
    shown = pixels(pictures.decode(files / "clear.png", 1, format_name="png"))
    assert tuple(shown[5, 5]) == (0, 0, 255)
    assert tuple(shown[15, 30]) == (255, 255, 255)


def test_sixteen_bits_keep_their_range(files):
    shown = pixels(pictures.decode(files / "deep.png", 1, format_name="png"))
    assert shown[0, 0, 0] == 0
    assert shown[0, 31, 0] == 255
    assert 115 <= shown[0, 15, 0] <= 135


def test_printers_colours_become_screen_colours(files):
    shown = pixels(pictures.decode(files / "cmyk.jpeg", 1, format_name="jpeg"))
    assert shown[12, 12, 0] > 200
    assert shown[12, 12, 1] < 80


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "F", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    name = "tiff"
    Image.new("L", (9, 7), 200).convert(mode).save(tmp_path / "picture.tiff")
    image = pictures.decode(tmp_path / "picture.tiff", 1, format_name=name)
    assert len(image.rgb) == 9 * 7 * 3


def test_the_pages_of_a_fax_and_the_frames_of_a_film_are_pages(read_here, files):
    fax = read_here(files / "fax.tiff")
    assert [page.width_pt for page in fax.pages] == [60, 70, 80]
    film = pixels(pictures.decode(files / "film.gif", 2, format_name="gif"))
    assert tuple(film[5, 5]) == (0, 128, 0)
    with pytest.raises(UsageError, match="has 3 pages; there is no page 4"):
        pictures.decode(files / "film.gif", 4, format_name="gif")


def test_a_camera_s_further_pictures_and_damaged_notes_do_no_harm(read_here, files, tmp_path):
    picture = Image.open(files / "square.png")
    picture.save(tmp_path / "phone.jpeg", "MPO", save_all=True, append_images=[picture])
    document = read_here(tmp_path / "phone.jpeg")
    assert (document.format, len(document.pages), document.warnings) == ("jpeg", 1, ())
    content = (files / "turned.jpeg").read_bytes()
    start = content.index(b"Exif\0\0") + 6
    (tmp_path / "odd.jpeg").write_bytes(content[:start] + b"\xff" * 20 + content[start + 20 :])
    assert read_here(tmp_path / "odd.jpeg").pages[0].width_pt == 64


def test_a_long_film_is_read_in_part(read_here, tmp_path):
    frames = [Image.new("L", (4, 4), shade) for shade in range(60)]
    frames[0].save(tmp_path / "long.gif", save_all=True, append_images=frames[1:])
    document = read_here(tmp_path / "long.gif")
    assert len(document.pages) == 50
    assert document.warnings == ("Only the first 50 of 60 pictures in the file were read.",)


def test_pictures_are_made_smaller_but_never_larger(files):
    small = pictures.decode(files / "word.png", 1, format_name="png", max_px=150)
    assert (small.width_px, small.height_px, small.scale) == (150, 40, 0.5)
    same = pictures.decode(files / "word.png", 1, format_name="png", max_px=5000)
    assert (same.width_px, same.scale) == (300, 1.0)


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif", "tiff", "bmp", "avif"])
def test_a_truncated_picture_is_told_in_words(read_here, files, tmp_path, name):
    whole = (files / f"square.{name}").read_bytes()
    path = tmp_path / f"cut.{name}"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DocumentUnreadableError, match="damaged or incomplete"):
        read_here(path)


def test_two_hundred_megapixels_are_refused_in_words(read_here, tmp_path):
    Image.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    with pytest.raises(DocumentTooLargeError, match="200 megapixels") as caught:
        read_here(tmp_path / "huge.png")
    assert "at most 120 megapixels" in caught.value.message
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huger.tiff", compression="group4")
    with pytest.raises(DocumentTooLargeError, match="400 megapixels"):
        read_here(tmp_path / "huger.tiff")
