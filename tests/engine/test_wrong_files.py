# SPDX-License-Identifier: Apache-2.0
"""Files that are no model end in one clear sentence, within seconds, and never in a crash."""

import dataclasses
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from molmo_desktop.core.errors import (
    ModelError,
    ModelLoadError,
    ModelNotFoundError,
    MolmoDesktopError,
    ProjectorMismatchError,
)
from molmo_desktop.engine.events import LoadRequest


@pytest.fixture
def refused(make_client, tmp_path):
    """Loads files that must be refused, and returns the error."""
    client = make_client()

    def load(model: Path, mmproj: Path | None = None) -> MolmoDesktopError:
        started = time.monotonic()
        with pytest.raises(MolmoDesktopError) as caught:
            client.load(LoadRequest("m", model, mmproj))
        assert time.monotonic() - started < 10
        assert client.loaded is None
        assert client.pid is None
        error = caught.value
        assert error.message.endswith(".")
        assert error.hint.endswith(".")
        assert "\n" not in error.message
        return error

    return load


def test_a_missing_file(refused, tmp_path, tiny):
    assert isinstance(refused(tmp_path / "nothing.gguf"), ModelNotFoundError)
    assert isinstance(refused(tiny.model_path, tmp_path / "nothing.gguf"), ModelNotFoundError)
    assert isinstance(refused(tmp_path), ModelNotFoundError)


@pytest.mark.parametrize("content", [b"", b"GG", b"not a model at all" * 100, bytes(4096)])
def test_a_file_that_is_not_gguf(refused, tmp_path, content):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    error = refused(path)
    assert isinstance(error, ModelLoadError)
    assert "GGUF" in error.message


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_model(refused, tmp_path, tiny, share):
    data = tiny.model_path.read_bytes()
    path = tmp_path / "m.gguf"
    path.write_bytes(data[: max(8, int(len(data) * share))])
    error = refused(path)
    assert isinstance(error, ModelLoadError)
    assert "incomplete" in error.message or "damaged" in error.message
    assert error.detail


def test_random_bytes_behind_the_right_beginning(refused, tmp_path):
    draw = random.Random(7)
    for number in range(3):
        path = tmp_path / f"{number}.gguf"
        path.write_bytes(b"GGUF\x03\x00\x00\x00" + draw.randbytes(20_000))
        assert isinstance(refused(path), ModelLoadError)


def test_an_unknown_architecture(refused, tmp_path, tiny):
    data = tiny.model_path.read_bytes()
    key = b"general.architecture"
    value = data.index(b"llama", data.index(key))
    path = tmp_path / "m.gguf"
    path.write_bytes(data[:value] + b"lhama" + data[value + 5 :])
    error = refused(path)
    assert isinstance(error, ModelLoadError)
    assert "lhama" in error.message


def test_a_projector_in_place_of_the_model(refused, tiny):
    error = refused(tiny.mmproj_path)
    assert isinstance(error, ModelLoadError)
    assert "projector" in error.message


def test_a_model_in_place_of_the_projector(refused, tiny):
    error = refused(tiny.model_path, tiny.model_path)
    assert isinstance(error, ModelLoadError)
    assert "cannot be used as a projector" in error.message


def test_a_projector_of_another_model(refused, starter, tiny):
    error = refused(starter.model_path, tiny.mmproj_path)
    assert isinstance(error, ProjectorMismatchError)
    assert "does not belong" in error.message


def test_a_truncated_projector(refused, tmp_path, tiny):
    path = tmp_path / "p.gguf"
    data = tiny.mmproj_path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert isinstance(refused(tiny.model_path, path), ModelLoadError)


def test_after_a_refused_file_the_right_one_is_loaded(make_client, tmp_path, tiny):
    client = make_client()
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelLoadError):
        client.load(LoadRequest("m", path))
    assert client.load(tiny).info.has_vision


def test_a_refused_file_leaves_the_loaded_model_alone(make_client, tmp_path, tiny):
    client = make_client()
    client.load(tiny)
    pid = client.pid
    with pytest.raises(ModelError):
        client.load(LoadRequest("m", tmp_path / "nothing.gguf"))
    assert client.pid == pid


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are Unicode there anyway")
def test_names_with_any_characters_are_fine(make_client, tmp_path, tiny):
    folder = tmp_path / "mödel 模型 🙂"
    folder.mkdir()
    model, mmproj = folder / "m.gguf", folder / "p.gguf"
    model.write_bytes(tiny.model_path.read_bytes())
    mmproj.write_bytes(tiny.mmproj_path.read_bytes())
    request = dataclasses.replace(tiny, model_path=model, mmproj_path=mmproj)
    assert make_client().load(request).info.path == str(model)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory the Linux way")
@pytest.mark.parametrize("limit_bytes", [260_000_000, 400_000_000])
def test_too_little_memory_is_said_in_words(tmp_path, starter, limit_bytes):
    script = tmp_path / "small.py"
    script.write_text(
        textwrap.dedent(f"""
        import resource
        from pathlib import Path
        from molmo_desktop.core.errors import OutOfMemoryError
        from molmo_desktop.engine.client import EngineClient
        from molmo_desktop.engine.events import LoadRequest

        def main():
            client = EngineClient(safe_settings_file=Path({str(tmp_path / "e.json")!r}))
            resource.setrlimit(resource.RLIMIT_AS, ({limit_bytes}, {limit_bytes}))
            try:
                client.load(LoadRequest("m", Path({str(starter.model_path)!r})))
            except OutOfMemoryError as error:
                print(error.message)
            client.close()

        if __name__ == "__main__":
            main()
        """),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "There is not enough memory for this model.\n", done.stderr
