# SPDX-License-Identifier: Apache-2.0
"""Which models there are, which one is meant, and which projector is whose."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from gguf_writer import gguf, model_metadata, write_model, write_projector

from molmo_desktop.core.errors import (
    ModelError,
    ModelLoadError,
    ModelNotFoundError,
    ProjectorMismatchError,
    UsageError,
)
from molmo_desktop.models import library as library_module
from molmo_desktop.models.library import ModelLibrary
from molmo_desktop.models.starter import starter_model_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    """Return a library without the starter model."""
    monkeypatch.setattr(library_module, "starter_model_path", lambda: None)
    return ModelLibrary(folder)


def _names(library: ModelLibrary) -> list[str]:
    return [model.name for model in library.installed()]


def test_the_starter_model_is_there_without_any_folder(folder):
    if starter_model_path() is None:
        pytest.skip("the starter model is not installed")
    library = ModelLibrary(folder)
    [model] = library.installed()
    assert (model.name, model.origin) == ("SmolLM2-135M-Instruct", "starter")
    assert (model.parameters, model.quantization) == (134_515_008, "Q4_1")
    assert not model.has_vision
    assert library.default() == model == library.resolve(None) == library.resolve("smollm2")


def test_the_starter_model_of_a_bundled_program_is_found(folder, tmp_path, monkeypatch):
    write_model(tmp_path / "bundle" / "starter" / "small.gguf")
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path / "bundle"), raising=False)
    [model] = ModelLibrary(folder).installed()
    assert (model.name, model.origin) == ("small", "starter")


def test_models_in_subfolders_are_listed_with_their_projectors(library, folder, tiny_vlm):
    shutil.copytree(tiny_vlm, folder / "tiny", ignore=shutil.ignore_patterns("images"))
    write_model(folder / "plain.Q4_K_M.gguf", 64)
    plain, tiny = library.installed()
    assert (plain.name, plain.mmproj_path, plain.origin) == ("plain.Q4_K_M", None, "store")
    assert tiny.name == "tiny"
    assert tiny.mmproj_path == folder / "tiny" / "mmproj.gguf"
    assert tiny.has_vision
    assert tiny.size_bytes == 1_497_728 + 907_968


def test_a_projector_of_another_width_is_not_taken(library, folder):
    write_model(folder / "a" / "model.gguf", 64)
    write_projector(folder / "a" / "mmproj.gguf", 128)
    assert [model.mmproj_path for model in library.installed()] == [None]


def test_in_a_shared_folder_the_names_tell_which_projector_is_whose(library, folder):
    seeing = write_model(folder / "Qwen2-VL-2B-Instruct-Q4_K_M.gguf", 1536)
    write_model(folder / "Qwen2.5-1.5B-Instruct-Q4_K_M.gguf", 1536)
    projector = write_projector(folder / "mmproj-Qwen2-VL-2B-Instruct-f16.gguf", 1536)
    pairs = {model.path: model.mmproj_path for model in library.installed()}
    assert pairs[seeing] == projector
    assert list(pairs.values()).count(projector) == 1, "a text model must not get these eyes"


def test_a_nameless_projector_is_not_guessed_among_rivals(library, folder):
    write_model(folder / "one.gguf", 64)
    write_model(folder / "two.gguf", 64)
    write_projector(folder / "mmproj-F16.gguf", 64)
    assert [model.mmproj_path for model in library.installed()] == [None, None]


def test_two_quantizations_of_one_model_share_its_projector(library, folder):
    write_model(folder / "cat" / "cat-2b-Q4_K_M.gguf", 64)
    write_model(folder / "cat" / "cat-2b-Q8_0.gguf", 64)
    projector = write_projector(folder / "cat" / "mmproj-F16.gguf", 64)
    assert [model.mmproj_path for model in library.installed()] == [projector, projector]


def test_of_several_precisions_the_lossless_half_size_is_taken(library, folder):
    write_model(folder / "cat" / "cat-Q4_K_M.gguf", 64)
    for name, file_type in (("BF16", 32), ("F16", 1), ("F32", 0), ("Q8_0", 7)):
        write_projector(folder / "cat" / f"mmproj-{name}.gguf", 64, file_type)
    [model] = library.installed()
    assert model.mmproj_path is not None
    assert model.mmproj_path.name == "mmproj-F16.gguf"


def test_a_broken_file_is_listed_with_its_problem_and_refused_in_words(library, folder):
    write_model(folder / "good.gguf")
    (folder / "bad.gguf").write_bytes(b"<html>not found</html>")
    good, bad = sorted(library.installed(), key=lambda model: model.name, reverse=True)
    assert good.problem == ""
    assert "not a complete model file" in bad.problem
    assert library.default() == good
    with pytest.raises(ModelLoadError, match="bad cannot be used"):
        library.resolve("bad")


def test_a_divided_model_is_shown_once_with_all_its_parts(library, folder):
    for number in (1, 2, 3):
        write_model(folder / "big" / f"big-0000{number}-of-00003.gguf", **{"split.count": 3})
    [model] = library.installed()
    assert model.name == "big"
    assert model.path.name == "big-00001-of-00003.gguf"
    assert model.parameters == 3 * 32 * 32
    assert model.problem == ""
    (folder / "big" / "big-00002-of-00003.gguf").unlink()
    [model] = library.installed()
    assert "big-00002-of-00003.gguf" in model.problem


def test_names_that_two_files_share_are_told_apart_by_their_folders(library, folder):
    write_model(folder / "one" / "cat.gguf")
    write_model(folder / "two" / "Cat.gguf")
    assert _names(library) == ["one/cat", "two/Cat"]
    assert library.resolve("two/cat").path == folder / "two" / "Cat.gguf"


def test_a_name_is_found_exactly_then_by_its_beginning(library, folder):
    write_model(folder / "Cat-2B.gguf")
    write_model(folder / "Cat-2B-Instruct.gguf")
    assert library.resolve("Cat-2B").name == "Cat-2B"
    assert library.resolve("cat-2b").name == "Cat-2B"
    assert library.resolve("CAT-2b-i").name == "Cat-2B-Instruct"
    with pytest.raises(ModelNotFoundError, match="several") as caught:
        library.resolve("cat")
    assert "Cat-2B, Cat-2B-Instruct" in caught.value.hint or "Cat-2B-Instruct" in caught.value.hint


def test_an_unknown_name_lists_what_is_there(library, folder):
    write_model(folder / "cat.gguf")
    with pytest.raises(ModelNotFoundError, match='"dog"') as caught:
        library.resolve("dog")
    assert "cat" in caught.value.hint


def test_without_any_model_the_hint_says_where_to_put_one(library, folder):
    for wanted in (None, "dog"):
        with pytest.raises(ModelNotFoundError) as caught:
            library.resolve(wanted)
        assert str(folder) in caught.value.hint


def test_a_path_brings_the_projector_beside_it(library, tiny_vlm):
    model = library.resolve(str(tiny_vlm / "model.gguf"))
    assert (model.name, model.origin) == ("tiny-vlm", "file")
    assert model.mmproj_path == tiny_vlm / "mmproj.gguf"
    assert (model.parameters, model.has_vision) == (738_432, True)


def test_a_relative_path_is_named_by_its_folder(library, tiny_vlm, monkeypatch):
    monkeypatch.chdir(tiny_vlm)
    assert library.resolve("model.gguf").name == "tiny-vlm"


def test_a_missing_path_is_called_missing(library, tmp_path):
    with pytest.raises(ModelNotFoundError, match="no model file at"):
        library.resolve(str(tmp_path / "nothing.gguf"))


def test_a_projector_given_as_the_model_is_explained(library, tiny_vlm):
    with pytest.raises(ModelLoadError, match="vision part"):
        library.resolve(str(tiny_vlm / "mmproj.gguf"))


def test_a_given_projector_is_checked_against_the_model(library, folder, tiny_vlm, tmp_path):
    write_model(folder / "cat.gguf", 128)
    mmproj = tiny_vlm / "mmproj.gguf"
    assert library.resolve("cat", mmproj).mmproj_path == mmproj
    other = write_projector(tmp_path / "mmproj.gguf", 64)
    with pytest.raises(ProjectorMismatchError, match="does not belong to cat"):
        library.resolve("cat", other)
    with pytest.raises(ProjectorMismatchError, match="not the vision part"):
        library.resolve("cat", tiny_vlm / "model.gguf")


def test_the_largest_own_model_is_the_default_and_one_that_sees_on_request(folder, tiny_vlm):
    library = ModelLibrary(folder, starter=tiny_vlm / "model.gguf")
    assert library.default().origin == "starter"
    small_tensor = [("w", (32, 32), 0, 4096)]
    large_tensor = [("w", (64, 64), 0, 16384)]
    folder.mkdir()
    (folder / "small.gguf").write_bytes(gguf(model_metadata(), small_tensor))
    (folder / "large.gguf").write_bytes(gguf(model_metadata(), large_tensor))
    write_model(folder / "eyes" / "eyes.gguf")
    write_projector(folder / "eyes" / "mmproj.gguf")
    assert library.default().name == "large"
    assert library.default(wants_vision=True).name == "eyes"


def test_a_model_larger_than_the_machine_is_not_the_default(folder, library):
    write_model(folder / "small.gguf")
    layers = {"llama.block_count": 4000, "llama.embedding_length": 100_000}
    (folder / "huge.gguf").write_bytes(
        gguf(
            model_metadata() | layers | {"llama.attention.head_count_kv": 4},
            [("w", (64, 64), 0, 16384)],
        )
    )
    assert library.default().name == "small"


def test_a_file_that_changed_is_read_again(library, folder):
    path = write_model(folder / "cat.gguf")
    assert library.installed()[0].quantization == "Q4_K_M"
    write_model(path, **{"general.file_type": 7, "padding": "changes the length"})
    assert library.installed()[0].quantization == "Q8_0"


# --- import and removal ----------------------------------------------------------------------


@pytest.mark.parametrize("link", [True, False])
def test_an_imported_model_brings_its_projector(library, folder, tiny_vlm, link):
    model = library.import_file(tiny_vlm / "model.gguf", link=link)
    assert (model.origin, model.name, model.has_vision) == ("store", "tiny-vlm", True)
    assert model.path.is_relative_to(folder)
    assert model.path.read_bytes() == (tiny_vlm / "model.gguf").read_bytes()
    assert _names(library) == ["tiny-vlm"]
    library.remove("tiny-vlm")
    assert _names(library) == []
    assert list(folder.iterdir()) == []
    assert (tiny_vlm / "model.gguf").exists()
    assert (tiny_vlm / "mmproj.gguf").exists()


def test_importing_the_same_file_twice_gives_the_same_model(library, tiny_vlm):
    first = library.import_file(tiny_vlm / "model.gguf")
    assert library.import_file(tiny_vlm / "model.gguf") == first
    assert len(library.installed()) == 1


def test_a_broken_file_is_not_imported(library, folder, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelLoadError):
        library.import_file(tmp_path / "bad.gguf")
    assert not folder.exists()


def test_a_mismatched_projector_is_not_imported(library, folder, tmp_path, tiny_vlm):
    other = write_projector(tmp_path / "mmproj.gguf", 64)
    with pytest.raises(ProjectorMismatchError):
        library.import_file(tiny_vlm / "model.gguf", other)
    assert not folder.exists()


def test_a_divided_model_is_imported_whole(library, tmp_path):
    for number in (1, 2):
        write_model(tmp_path / f"big-0000{number}-of-00002.gguf", **{"split.count": 2})
    model = library.import_file(tmp_path / "big-00001-of-00002.gguf", link=False)
    assert (model.name, model.problem) == ("big", "")


def test_a_disk_without_space_is_told_before_copying(library, folder, tiny_vlm, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("molmo_desktop.models.importing.shutil.disk_usage", lambda _: Usage)
    with pytest.raises(ModelError, match="too little space"):
        library.import_file(tiny_vlm / "model.gguf", link=False)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(
    not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == Path("/tmp").stat().st_dev,
    reason="needs two disks",
)
def test_a_link_to_another_disk_is_refused_with_the_way_out(library, folder, tiny_vlm, monkeypatch):
    def refuse(_self, _target):
        raise OSError("as on Windows for most users")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other_disk:
        source = Path(other_disk) / "cat.gguf"
        shutil.copyfile(tiny_vlm / "model.gguf", source)
        with pytest.raises(ModelError, match="another disk") as caught:
            library.import_file(source)
    assert "--copy" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_a_model_folder_that_cannot_be_written_is_told(tmp_path, tiny_vlm, monkeypatch):
    monkeypatch.setattr(library_module, "starter_model_path", lambda: None)
    (tmp_path / "file").write_text("")
    library = ModelLibrary(tmp_path / "file" / "models")
    assert library.installed() == []
    with pytest.raises(ModelError, match="could not be put"):
        library.import_file(tiny_vlm / "model.gguf")


def test_the_starter_model_cannot_be_removed(folder, tiny_vlm):
    library = ModelLibrary(folder, starter=tiny_vlm / "model.gguf")
    with pytest.raises(UsageError, match="part of the program"):
        library.remove("tiny-vlm")


def test_a_projector_that_another_model_uses_stays(library, folder):
    write_model(folder / "cat" / "cat-Q4_K_M.gguf")
    write_model(folder / "cat" / "cat-Q8_0.gguf")
    projector = write_projector(folder / "cat" / "mmproj.gguf")
    library.remove("cat-Q8_0")
    assert projector.exists()
    library.remove("cat-Q4_K_M")
    assert not folder.joinpath("cat").exists()
