# SPDX-License-Identifier: Apache-2.0
"""Models with random weights have the shapes of real ones, load and answer."""

import numpy as np
import pytest
from random_gguf.blocks import BLOCKS, Fill, draw
from random_gguf.gguf_file import read_metadata, write
from random_gguf.presets import PRESETS, Sizes, language_model
from random_gguf.quantization import MIXTURES

from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest
from molmo_desktop.models.gguf_header import read_header
from molmo_desktop.models.starter import starter_model_path

QUESTION = ChatMessage("user", "Where is the bridge?")


@pytest.fixture
def words(tiny_vlm):
    """The tokenizer of the tiny model."""
    return read_metadata(tiny_vlm / "model.gguf", "tokenizer.")


@pytest.fixture
def ask(tmp_path):
    """Loads a model, asks it and returns the answer with the logits behind its first token."""
    client = EngineClient(safe_settings_file=tmp_path / "engine.json")
    dump = tmp_path / "logits.npz"

    def run(path):
        client.load(LoadRequest(path.stem, path, context_length=256))
        answer = client.generate(GenerateRequest((QUESTION,), max_new_tokens=4, dump_logits=dump))
        with np.load(dump) as arrays:
            return answer, arrays["final_logits"]

    yield run
    client.close()


needs_starter = pytest.mark.skipif(
    starter_model_path() is None, reason="presets take the tokenizer of the starter model"
)

# Bytes of the files that are published: models in Q8_0, Qwen3-VL in Q4_K_M; projectors of
# SmolVLM in Q8_0, of Qwen in F16.
PUBLISHED = {
    "SmolVLM-256M": (175_054_528, 103_769_856 * 16 / 8.5),
    "SmolVLM-500M": (436_808_704, 108_785_184 * 16 / 8.5),
    "Qwen3-VL-2B": (1_107_409_952, 819_394_848),
    "Qwen3.5-0.8B": (811_843_840, 204_987_232),
}


@needs_starter
@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_are_as_large_as_the_real_ones(name):
    preset = PRESETS[name]
    model_bytes, projector_bytes = PUBLISHED[name]
    model, projector = preset.language(preset.mixture), preset.vision("F16")
    assert model.byte_count == pytest.approx(model_bytes, rel=0.02)
    assert projector.byte_count == pytest.approx(projector_bytes, rel=0.05)


@needs_starter
def test_a_preset_has_the_shapes_of_the_real_model():
    preset = PRESETS["Qwen3-VL-2B"]
    model, projector = preset.language("Q4_K_M"), preset.vision("F16")
    shapes = {tensor.name: tensor.shape for tensor in model.tensors}
    assert shapes["token_embd.weight"] == (2048, 151936)
    assert shapes["blk.27.attn_k.weight"] == (2048, 1024)
    assert "output.weight" not in shapes
    seen = {tensor.name: tensor.shape for tensor in projector.tensors}
    assert seen["v.deepstack.17.fc2.weight"] == (4096, 2048)
    tokens = model.metadata["tokenizer.ggml.tokens"]
    assert len(set(tokens)) == 151936
    assert "<|vision_start|>" in tokens


@needs_starter
def test_the_gigabyte_model_is_about_a_gigabyte():
    assert PRESETS["one-gigabyte"].language("Q4_K_M").byte_count == pytest.approx(1e9, rel=0.05)


@pytest.mark.parametrize("architecture", ["gpt2", "mamba2", "qwen3"])
def test_an_architecture_by_parameters_loads_and_answers(ask, tmp_path, words, architecture):
    sizes = Sizes(2, 64, heads=2, kv_heads=2, feed_forward=96)
    model = language_model(architecture, sizes, mixture="F16", tokenizer=words)
    path = write(tmp_path / "model.gguf", model)
    header = read_header(path)
    assert (header.architecture, header.block_count) == (architecture, 2)
    assert header.parameters == model.parameter_count
    answer, logits = ask(path)
    assert answer.prompt_tokens > 10
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("mixture", ["Q4_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K_M"])
def test_weights_of_every_type_are_spread_alike(ask, tmp_path, words, mixture):
    sizes = Sizes(2, 256, heads=4, kv_heads=4, feed_forward=256)
    model = language_model("llama", sizes, mixture=mixture, tokenizer=words, omit=["bias$"])
    assert mixture == "Q4_K_M" or mixture in {tensor.type for tensor in model.tensors}
    _, logits = ask(write(tmp_path / "model.gguf", model))
    assert abs(logits.mean()) < 0.2
    assert logits.std() == pytest.approx(1.0, rel=0.2)


def test_the_same_seed_gives_the_same_file(tmp_path, words):
    sizes = Sizes(1, 64, heads=2, kv_heads=2, feed_forward=96)
    model = language_model("llama", sizes, mixture="Q8_0", tokenizer=words)
    first, second, other = (
        write(tmp_path / f"{number}.gguf", model, seed=seed).read_bytes()
        for number, seed in enumerate((1, 1, 2))
    )
    assert first == second != other


def test_metadata_that_llama_cpp_refuses_are_an_error(words):
    with pytest.raises(ValueError, match="nonsense"):
        language_model("nonsense", Sizes(1, 64, 2, 2, 96), tokenizer=words)


@pytest.mark.parametrize("type_name", [name for name in BLOCKS if name in MIXTURES])
def test_blocks_are_whole(type_name):
    block = BLOCKS[type_name]
    source = np.random.default_rng(0)
    pieces = list(draw(type_name, 4096, Fill(deviation=0.02), source))
    assert sum(map(len, pieces)) == 4096 // block.element_count * block.byte_count
