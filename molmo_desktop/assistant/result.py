# SPDX-License-Identifier: Apache-2.0
"""Puts an answer together out of what each step found and measured."""

from __future__ import annotations

import time

from molmo_desktop.assistant.grounding import Grounding
from molmo_desktop.assistant.plan import ReadingPlan
from molmo_desktop.assistant.work import Work
from molmo_desktop.core.answer import Answer, EnergyUse, MemoryUse, Timings, TokenCounts
from molmo_desktop.engine.events import Generation, LoadedModel


def build_answer(
    work: Work,
    plan: ReadingPlan,
    loaded: LoadedModel,
    generation: Generation,
    grounding: Grounding,
) -> Answer:
    """Return the answer; its energy is filled in when the meters have closed."""
    for sentence in grounding.notices:
        work.notice(sentence)
    if generation.finish_reason == "length":
        work.notice("The answer was cut off, because it reached the length that was set.")
    return Answer(
        question=work.request.question,
        answer=generation.text,
        finish_reason=generation.finish_reason,
        found=grounding.found,
        evidence=grounding.evidence,
        coverage=plan.coverage,
        points=grounding.points,
        tokens=TokenCounts(
            prompt=generation.prompt_tokens,
            cached=generation.cached_tokens,
            image=generation.image_tokens,
            completion=None if generation.decode_s is None else len(generation.completion_ids),
            completion_ids=generation.completion_ids,
        ),
        timings=_timings(work, generation),
        memory=MemoryUse(generation.peak_rss_bytes, loaded.weights_bytes, loaded.kv_cache_bytes),
        energy=EnergyUse(),
        model=loaded.info,
        notices=tuple(work.notices),
    )


def _timings(work: Work, generation: Generation) -> Timings:
    count = len(generation.completion_ids)
    decode_s = generation.decode_s or 0.0
    is_timed = decode_s > 0 and count > 1
    return Timings(
        load_s=work.load_s,
        read_s=work.read_s,
        retrieve_s=work.retrieve_s,
        encode_s=generation.encode_s,
        prefill_s=generation.prefill_s,
        first_token_s=work.first_token_s,
        decode_s=generation.decode_s,
        # The first token comes out of the prefill: the others are what decoding took.
        decode_tokens_per_s=(count - 1) / decode_s if is_timed else None,
        total_s=time.monotonic() - work.started_s,
    )
