# SPDX-License-Identifier: Apache-2.0
"""Memory that a model will need, against what llama.cpp said it took."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf_writer import gguf, model_metadata, write_model, write_projector

from molmo_desktop.models.fit import estimate_memory, fit
from molmo_desktop.models.gguf_header import read_header
from molmo_desktop.models.library import ModelLibrary
from molmo_desktop.models.starter import starter_model_path

# What llama.cpp 0.3.36 reported on loading, in bytes: weights, KV cache, compute.
_REPORTED_TINY = (1_479_168, 8_388_608, 6_564_086)
_REPORTED_STARTER = (96_576_768, 188_743_680, 22_754_099)


def test_the_parts_agree_with_what_the_engine_reports_for_the_tiny_model(tiny_vlm):
    estimate = estimate_memory(read_header(tiny_vlm / "model.gguf"), 4096)
    weights, kv_cache, compute = _REPORTED_TINY
    assert estimate.weights_bytes == weights
    assert estimate.kv_cache_bytes == kv_cache
    assert estimate.compute_bytes - 70_000_000 == pytest.approx(compute, rel=0.1)


def test_the_parts_agree_with_what_the_engine_reports_for_the_starter_model():
    path = starter_model_path()
    if path is None:
        pytest.skip("the starter model is not installed")
    estimate = estimate_memory(read_header(path), 8192)
    weights, kv_cache, compute = _REPORTED_STARTER
    assert estimate.weights_bytes == weights
    assert estimate.kv_cache_bytes == kv_cache
    assert estimate.compute_bytes - 70_000_000 == pytest.approx(compute, rel=0.1)
    # The engine's resident memory after an answer of 1400 tokens of prompt was 373 MB.
    assert estimate.total_bytes == pytest.approx(373_000_000, rel=0.1)


def test_layers_without_keys_cost_no_cache(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf(model_metadata() | {"llama.attention.head_count_kv": [0, 2]}))
    half = estimate_memory(read_header(path), 1024).kv_cache_bytes
    whole = estimate_memory(read_header(write_model(path)), 1024).kv_cache_bytes
    assert whole == 2 * half > 0


def test_layers_with_a_state_of_fixed_size_cost_the_same_at_any_context(tmp_path):
    state = {"llama.ssm.conv_kernel": 4, "llama.ssm.inner_size": 32, "llama.ssm.state_size": 8}
    path = tmp_path / "a.gguf"
    whole = estimate_memory(read_header(write_model(path)), 1024).kv_cache_bytes
    path.write_bytes(gguf(model_metadata() | state | {"llama.full_attention_interval": 2}))
    header = read_header(path)
    # One of two layers is recurrent: its state, and three columns of its convolution, in F32.
    assert header.state_bytes == 4 * (32 * 8 + 3 * 32)
    assert estimate_memory(header, 1024).kv_cache_bytes == whole // 2 + header.state_bytes
    bare = {name: value for name, value in model_metadata().items() if "head" not in name}
    path.write_bytes(gguf(bare | state))
    assert estimate_memory(read_header(path), 4096).kv_cache_bytes == 2 * header.state_bytes


def test_the_cache_is_about_half_as_large_with_eight_bits(tmp_path):
    header = read_header(write_model(tmp_path / "a.gguf"))
    full = estimate_memory(header, 1024).kv_cache_bytes
    assert estimate_memory(header, 1024, kv_cache_type="q8_0").kv_cache_bytes == full * 17 // 32
    plain = estimate_memory(header, 1024, kv_cache_type="q8_0", flash_attention=False)
    assert plain.kv_cache_bytes == full
    assert plain.compute_bytes > estimate_memory(header, 1024).compute_bytes


def test_unknown_heads_are_counted_at_full_width(tmp_path):
    metadata = model_metadata()
    del metadata["llama.attention.head_count"]
    del metadata["llama.attention.head_count_kv"]
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf(metadata))
    assert estimate_memory(read_header(path), 256).kv_cache_bytes == 256 * 2 * 64 * 2 * 2


def test_the_projector_and_longer_contexts_are_counted(tmp_path, tiny_vlm):
    library = ModelLibrary(tmp_path)
    model = library.resolve(str(tiny_vlm / "model.gguf"))
    short, long = library.memory_estimate(model, 1024), library.memory_estimate(model)
    assert short.projector_bytes > (tiny_vlm / "mmproj.gguf").stat().st_size * 0.95
    assert long.context_length == 4096
    assert long.kv_cache_bytes == 4 * short.kv_cache_bytes


def test_all_parts_of_a_divided_model_are_counted(tmp_path):
    folder = tmp_path / "models" / "big"
    for number in (1, 2):
        write_model(folder / f"big-0000{number}-of-00002.gguf", **{"split.count": 2})
    write_projector(folder / "mmproj.gguf")
    library = ModelLibrary(tmp_path / "models")
    model = library.resolve("big")
    estimate = library.memory_estimate(model)
    assert estimate.weights_bytes == 2 * 4096


@pytest.mark.parametrize(
    ("share", "verdict"), [(2.0, "fits"), (1.1, "tight"), (1.0, "tight"), (0.99, "will not fit")]
)
def test_a_model_fits_is_tight_or_does_not_fit(tiny_vlm: Path, share, verdict):
    estimate = estimate_memory(read_header(tiny_vlm / "model.gguf"), 4096)
    assert fit(estimate, int(estimate.total_bytes * share)) == verdict


def test_the_tiny_model_fits_into_what_is_free_here(tmp_path, tiny_vlm):
    library = ModelLibrary(tmp_path)
    model = library.resolve(str(tiny_vlm / "model.gguf"))
    assert library.fit(library.memory_estimate(model)) == "fits"
