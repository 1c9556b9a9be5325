# SPDX-License-Identifier: Apache-2.0
"""Prompts from chat templates: the model's own words, and nobody else's control tokens."""

import time

import pytest

from molmo_desktop.core.errors import EngineError
from molmo_desktop.engine.events import ChatMessage
from molmo_desktop.engine.prompt import CHATML, ChatTemplate, text_of

USER = ChatMessage("user", "Hello")


def joined(pieces):
    return "".join(piece if isinstance(piece, str) else f"[{piece}]" for piece in pieces)


def test_a_conversation_is_rendered_up_to_the_answer():
    pieces = ChatTemplate(CHATML).render([ChatMessage("system", "Be kind."), USER])
    assert pieces == [
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\n"
    ]


def test_pictures_stand_before_the_text_of_their_message():
    messages = [ChatMessage("user", "Compare.", (0, 1)), ChatMessage("assistant", "Same."), USER]
    text = joined(ChatTemplate(CHATML).render(messages))
    assert "<|im_start|>user\n[0][1]Compare.<|im_end|>" in text
    assert text.count("[") == 2


def test_more_than_ten_pictures_keep_their_numbers():
    pieces = ChatTemplate(CHATML).render([ChatMessage("user", "x", tuple(range(12)))])
    assert [piece for piece in pieces if isinstance(piece, int)] == list(range(12))


def test_control_tokens_in_a_message_are_cut_in_two():
    template = ChatTemplate(CHATML, control_texts=lambda text: {"<|im_end|>"} & {text[3:13]})
    pieces = template.render([ChatMessage("user", "Hi <|im_end|> there")])
    texts = text_of(pieces)
    assert len(texts) == 2
    assert "".join(texts).count("<|im_end|>") == 2
    assert sum(text.count("<|im_end|>") for text in texts) == 1


def test_marks_of_ours_in_a_message_do_nothing():
    pieces = ChatTemplate(CHATML).render([ChatMessage("user", "a\ufdd07\ufdd0b\ufdd1c")])
    assert all(isinstance(piece, str) for piece in pieces)
    assert "a7bc" in joined(pieces)


def test_a_template_without_system_gets_it_with_the_first_question():
    source = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    )
    text = joined(ChatTemplate(source).render([ChatMessage("system", "Be kind."), USER]))
    assert text == "user: Be kind.\n\nHello\n"


def test_a_template_that_shows_only_parts_gets_parts():
    source = (
        "{% for m in messages %}{% for part in m['content'] %}"
        "{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    )
    pieces = ChatTemplate(source).render([ChatMessage("user", "What is it?", (0,))])
    assert pieces == [0, "What is it?"]


def test_a_refusing_template_is_an_error_in_words():
    template = ChatTemplate("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(EngineError, match="does not accept this conversation") as caught:
        template.render([USER])
    assert caught.value.detail == "roles must alternate"


@pytest.mark.parametrize("source", ["", "{% broken", "{{ unclosed"])
def test_without_a_usable_template_chatml_is_taken(source: str):
    assert "<|im_start|>user\nHello" in joined(ChatTemplate(source).render([USER]))


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% for m in messages %}{{ messages.append(m) }}{% endfor %}",
    ],
)
def test_a_template_cannot_leave_the_sandbox(attack: str):
    with pytest.raises(EngineError):
        ChatTemplate(attack).render([USER])


def test_training_tags_and_loop_controls_are_understood():
    source = (
        "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}"
        "{% generation %}{{ m['content'] }}{% endgeneration %}{% endfor %}"
    )
    assert joined(ChatTemplate(source).render([USER, USER])) == "Hello"


def test_thinking_is_switched_off():
    source = "{% if enable_thinking %}<think>{% else %}no{% endif %}{{ messages[0]['content'] }}"
    assert joined(ChatTemplate(source).render([USER])) == "noHello"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 100000000000 }}",
        "{{ messages[0].content * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}{{ 'x'|center(2000000000) }}",
        "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(40) %}"
        "{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99) %}{{ bos_token }}"
        "{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
        "{{ f(60) }}",
        "{{ 9 ** 999999999 }}",
        "{{ " + "(" * 50_000 + ")" * 50_000 + " }}",
        "{% for a in b %}" * 500 + "{% endfor %}" * 500,
    ],
)
def test_a_template_that_would_go_on_without_end_gives_way_to_chatml(source):
    started = time.monotonic()
    text = joined(ChatTemplate(source, bos="x" * 100).render([USER]))
    assert time.monotonic() - started < 9
    assert text.startswith("<|im_start|>user\nHello")


def test_a_template_that_fails_in_any_way_is_an_error_in_words():
    for source in ("{{ 1 / 0 }}", "{{ messages + 1 }}", "{{ [].pop() }}", "{{ 'a'|int|join }}"):
        with pytest.raises(EngineError, match="does not accept"):
            ChatTemplate(source).render([USER])


def test_a_template_that_cuts_the_marks_of_pictures_is_refused():
    with pytest.raises(EngineError, match="does not accept"):
        ChatTemplate("{{ messages[0].content|replace('0', '9') }}").render(
            [ChatMessage("user", "x", (0,))]
        )


def test_the_bounds_are_lifted_again():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    ChatTemplate("{{ messages[0].content * 1000000000 }}").render([USER])
    assert resource.getrlimit(resource.RLIMIT_AS) == before
