# SPDX-License-Identifier: Apache-2.0
"""From a conversation to the prompt: the model's own chat template, with places for pictures.

The template comes out of a stranger's file, so it runs in jinja2's sandbox and within bounds of
time and memory. What a user or a
document says must not be able to speak as the template does: a control token written in a
message is cut in two, so that the tokenizer sees plain characters.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from molmo_desktop.core.errors import EngineError
from molmo_desktop.engine.events import ChatMessage
from molmo_desktop.engine.template_limits import TemplateCostError, within_limits

logger = logging.getLogger(__name__)

# Unicode noncharacters: no text may contain them, so they are safe as marks.
_PICTURE = "\ufdd0"
_CUT = "\ufdd1"
# A template repeats messages a few times at most, and adds some words of its own.
_MOST_REPEATS = 8
_MOST_WORDS = 1 << 20
_LARGEST_BASE, _LARGEST_EXPONENT = 1e6, 64
_MARKS = {ord(_PICTURE): None, ord(_CUT): None}

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Piece = str | int
"""A part of the prompt: text, or the index of a picture."""


class ChatTemplate:
    """The template of a model.

    Args:
        source: Jinja; empty or unusable = ChatML.
        bos: The token that begins a text, as text.
        eos: The token that ends a text, as text.
        control_texts: Finds control tokens that a text contains as plain characters.
    """

    def __init__(
        self,
        source: str,
        *,
        bos: str = "",
        eos: str = "",
        control_texts: Callable[[str], set[str]] = lambda text: set(),
    ) -> None:
        environment = _environment()
        self._bos = bos
        self._eos = eos
        self._control_texts = control_texts
        try:
            self._template = within_limits(lambda: environment.from_string(source or CHATML))
            self._wants_parts = self._takes_only_parts()
        except TemplateError as error:
            logger.info("The chat template cannot be used, ChatML is used instead: %s", error)
            self._template = environment.from_string(CHATML)
            self._wants_parts = False

    def render(self, messages: Sequence[ChatMessage]) -> list[Piece]:
        """Return the prompt, up to where the model's answer begins.

        Raises:
            EngineError: The template refuses this conversation.
        """
        data = [self._message(message) for message in messages]
        try:
            text = self._run(data)
        except TemplateCostError as error:
            raise _refused(error) from error
        except TemplateError as error:
            text = self._run_without_system(data, error)
        return _split(text, {index for message in messages for index in message.images})

    def _message(self, message: ChatMessage) -> dict[str, Any]:
        pictures = "".join(f"{_PICTURE}{index}{_PICTURE}" for index in message.images)
        content = pictures + self._defused(message.text)
        return {"role": message.role, "content": self._content(content)}

    def _content(self, text: str) -> str | list[dict[str, str]]:
        return [{"type": "text", "text": text}] if self._wants_parts else text

    def _defused(self, text: str) -> str:
        text = text.translate(_MARKS)
        for name in sorted(self._control_texts(text), key=len, reverse=True):
            middle = len(name) // 2
            text = text.replace(name, name[:middle] + _CUT + name[middle:])
        return text

    def _run(self, data: list[dict[str, Any]]) -> str:
        text = within_limits(
            lambda: self._template.render(
                messages=data,
                add_generation_prompt=True,
                bos_token=self._bos,
                eos_token=self._eos,
                enable_thinking=False,
                tools=None,
            )
        )
        given = sum(len(_plain(item["content"])) for item in data)
        if len(text) > given * _MOST_REPEATS + _MOST_WORDS:
            raise TemplateCostError("it writes too much")
        return text

    def _run_without_system(self, data: list[dict[str, Any]], error: TemplateError) -> str:
        """Put the system text before the first question, for templates that know no system."""
        if len(data) > 1 and data[0]["role"] == "system":
            system, first = (_plain(item["content"]) for item in data[:2])
            joined = {"role": data[1]["role"], "content": self._content(f"{system}\n\n{first}")}
            try:
                return self._run([joined, *data[2:]])
            except TemplateError as second:
                error = second
        raise _refused(error) from error

    def _takes_only_parts(self) -> bool:
        """Whether the template drops plain text but shows text given as a list of parts."""
        probe = "probe"
        try:
            if probe in self._run([{"role": "user", "content": probe}]):
                return False
            parts = [{"type": "text", "text": probe}]
            return probe in self._run([{"role": "user", "content": parts}])
        except TemplateCostError:
            raise
        except TemplateError:
            return False


def text_of(pieces: Sequence[Piece]) -> list[str]:
    """Return only the texts of a prompt."""
    return [piece for piece in pieces if isinstance(piece, str)]


def _plain(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _refused(error: TemplateError) -> EngineError:
    return EngineError(
        "The model's chat template does not accept this conversation.",
        hint="Start a new conversation, or choose another model.",
        detail=str(error),
    )


def _split(text: str, pictures: set[int]) -> list[Piece]:
    """Cut at the marks: every second field between picture marks is a picture's index.

    Raises:
        EngineError: The template broke the marks.
    """
    known = {str(index): index for index in pictures}
    pieces: list[Piece] = []
    for place, field in enumerate(text.split(_PICTURE)):
        if place % 2:
            if field not in known:
                raise _refused(TemplateError("it changes the marks of pictures"))
            pieces.append(known[field])
        else:
            pieces.extend(part for part in field.split(_CUT) if part)
    return pieces


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, without powers that keep a processor busy where nothing can interrupt it."""

    intercepted_binops = frozenset(["**"])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Raise to a power, if it is a small one."""
        if abs(left) > _LARGEST_BASE or abs(right) > _LARGEST_EXPONENT:
            raise TemplateCostError("it calculates with too large numbers")
        return super().call_binop(context, operator, left, right)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _GenerationTag]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


class _GenerationTag(Extension):
    """Accepts ``{% generation %}``, which some templates put around answers for training."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
