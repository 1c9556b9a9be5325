# SPDX-License-Identifier: Apache-2.0
"""Which tensor gets which element type, and how its values are drawn.

Types follow what llama.cpp's quantiser does to a real model; values are chosen so that numbers
neither explode nor vanish on their way through the layers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace

from random_gguf.blocks import BLOCKS, Fill
from random_gguf.gguf_file import Tensor

# Names of mixtures: the type of most weights, and that of the more sensitive ones.
MIXTURES = {
    "Q4_K_M": ("Q4_K", "Q6_K"),
    "Q5_K_M": ("Q5_K", "Q6_K"),
    **{name: (name, name) for name in BLOCKS},
}
# Numbers of file types (``llama_ftype``), for what a file says about itself.
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10,
    "Q3_K": 11, "Q4_K": 14, "Q4_K_M": 15, "Q5_K": 16, "Q5_K_M": 17, "Q6_K": 18, "BF16": 32,
}  # fmt: skip
_NARROWER = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "Q2_K": "Q4_0", "Q3_K": "Q4_0"}
# Small, and used in ways that want whole numbers.
_KEPT = re.compile(
    r"norm|v\.p\w+_embd|ffn_gate_inp|conv1d|shortconv\.conv|time_mix|altup|laurel|_scale|rope_f"
)
_LAYER = re.compile(r"blk\.(\d+)\.")
_SMALL = 0.02


def with_types(tensors: Iterable[Tensor], mixture: str) -> tuple[Tensor, ...]:
    """Return the tensors with element types and values as a real model would have them."""
    listed = list(tensors)
    layers = 1 + max(
        (int(found[1]) for tensor in listed if (found := _LAYER.match(tensor.name))), default=0
    )
    tied = all(tensor.name != "output.weight" for tensor in listed)
    return tuple(
        replace(tensor, type=_type(tensor, mixture, layers, tied), fill=fill_of(tensor))
        for tensor in listed
    )


def fill_of(tensor: Tensor) -> Fill:
    """Return how the values of a tensor are drawn, by its name and width."""
    name = tensor.name
    if name.endswith("ssm_a"):
        return Fill(constant=-1.0)  # the decay of a state: a positive one grows without end
    if name.endswith("bias"):
        return Fill(deviation=_SMALL)
    if re.search(r"norm|ln\d|post_ln|rope_f|ssm_d$|scale", name):
        return Fill(constant=1.0)
    if name.startswith(("token_embd", "v.position_embd")):
        return Fill(deviation=_SMALL)
    if name.startswith("v.patch_embd"):
        return Fill(deviation=1 / math.sqrt(math.prod(tensor.shape[:3])))
    return Fill(deviation=1 / math.sqrt(tensor.shape[0]))


def _type(tensor: Tensor, mixture: str, layers: int, tied: bool) -> str:
    if len(tensor.shape) < 2 or not tensor.name.endswith(".weight") or _KEPT.search(tensor.name):
        return "F32"
    most, finer = MIXTURES[mixture]
    wanted = finer if _is_sensitive(tensor.name, layers, tied) else most
    while tensor.shape[0] % BLOCKS[wanted].element_count:
        wanted = _NARROWER.get(wanted, "F16")
    return wanted


def _is_sensitive(name: str, layers: int, tied: bool) -> bool:
    """Whether a mixture keeps this tensor finer: the output, and half of two kinds of layers'."""
    if name == ("token_embd.weight" if tied else "output.weight"):
        return True
    found = _LAYER.match(name)
    if found is None or not name.endswith(("attn_v.weight", "ffn_down.weight")):
        return False
    layer, eighth = int(found[1]), layers // 8
    return layer < eighth or layer >= 7 * eighth or (layer - eighth) % 3 == 2
