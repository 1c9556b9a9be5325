# SPDX-License-Identifier: Apache-2.0
"""Which parts of the attachments the model reads for a question.

Whole or passages is decided by time as well as by size: what the model can read within the
user's patience at the speed measured here, and what fits its context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from molmo_desktop.assistant.intent import is_about_whole_document
from molmo_desktop.assistant.requests import AskMode
from molmo_desktop.core.answer import Coverage, FileCoverage, ModelInfo, ReadingMode
from molmo_desktop.core.errors import DocumentUnreadableError, UnsupportedFormatError, UsageError
from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.index import PassageIndex
from molmo_desktop.retrieval.passages import Passage, ScoredPassage

SMALL_MODEL_PARAMETERS = 1_000_000_000
_SEARCH_LIMIT = 12
# With the starter model on 40 questions, 250 tokens of the best passages gave 24 answers, whole
# documents 18; the wording differed too, so how much of it the length does is not known.
_WHOLE_TOKENS_SMALL = 400
_PASSAGE_TOKENS_SMALL = 250
_PASSAGE_TOKENS = 2500
_CHARACTERS_PER_TOKEN = 2.0  # fewer than any language needs, so that nothing is ruled out early
MAX_PAGE_PICTURES = 4


@dataclass(frozen=True)
class Picture:
    """A page or picture that the model looks at."""

    document: Document
    page_number: int


@dataclass(frozen=True)
class ReadingPlan:
    """What the model is given.

    Attributes:
        passages: Text in reading order; a whole page is one passage.
        ranked: The best passages for the question, best first, whether they are given or not.
        pictures: In the order they are given.
        is_whole_task: The question is about all of the document.
        unseen: Pictures beside the documents that this model cannot look at.
    """

    mode: ReadingMode
    documents: tuple[Document, ...]
    passages: tuple[Passage, ...]
    ranked: tuple[ScoredPassage, ...]
    pictures: tuple[Picture, ...]
    coverage: Coverage
    is_whole_task: bool
    unseen: tuple[Document, ...] = ()


@dataclass(frozen=True)
class Budget:
    """What may be read: ``whole_tokens`` if everything fits, else ``passage_tokens``."""

    whole_tokens: int
    passage_tokens: int


def reading_budget(
    model: ModelInfo, free_tokens: int, tokens_per_s: float, patience_s: float
) -> Budget:
    """Return the budget for a model with ``free_tokens`` of its context left."""
    whole = min(free_tokens, int(tokens_per_s * patience_s))
    if is_small(model):
        return Budget(min(whole, _WHOLE_TOKENS_SMALL), min(free_tokens, _PASSAGE_TOKENS_SMALL))
    return Budget(whole, min(free_tokens, _PASSAGE_TOKENS))


def is_small(model: ModelInfo) -> bool:
    """Whether a model is too small to find its way in a long text."""
    return (model.parameters or 0) < SMALL_MODEL_PARAMETERS


class Planner:
    """Chooses pages, passages and pictures for one question.

    Args:
        index: Holds the passages of the documents.
        count_tokens: Tokens of a text for the model that will read it.
    """

    def __init__(self, index: PassageIndex, count_tokens: Callable[[str], int]) -> None:
        self._index = index
        self._count_tokens = count_tokens

    def plan(
        self,
        question: str,
        search_question: str,
        documents: Sequence[Document],
        *,
        model: ModelInfo,
        budget: Budget,
        mode: AskMode = "auto",
        page_numbers: Sequence[int] = (),
    ) -> ReadingPlan:
        """Return what to read.

        Raises:
            UsageError: None of the chosen pages exists.
            UnsupportedFormatError: There is something to look at, and the model cannot see.
            DocumentUnreadableError: A document has neither text nor a page to look at.
        """
        chosen = [_with_pages(document, page_numbers) for document in documents]
        pictures, texts, unseen = self._divide(chosen, model, mode)
        hashes = [document.content_hash for document in texts]
        ranked = (
            self._index.search(search_question, hashes, limit=_SEARCH_LIMIT, pages=page_numbers)
            if texts
            else []
        )
        whole = [_whole_page(doc, page) for doc in texts for page in doc.pages if page.text.strip()]
        whole_task = is_about_whole_document(question)
        reads_whole = mode == "whole" or (mode == "auto" and self._fits(whole, budget.whole_tokens))
        passages = (
            whole if reads_whole else self._best(ranked, whole, budget.passage_tokens, whole_task)
        )
        chosen_mode = _mode_word(
            has_documents=bool(documents), has_texts=bool(texts), reads_whole=reads_whole
        )
        return ReadingPlan(
            mode=chosen_mode,
            documents=tuple(chosen),
            passages=tuple(passages),
            ranked=tuple(ranked),
            pictures=tuple(pictures),
            coverage=_coverage(chosen_mode, documents, passages, pictures),
            is_whole_task=whole_task,
            unseen=unseen,
        )

    def _divide(
        self, documents: Sequence[Document], model: ModelInfo, mode: AskMode
    ) -> tuple[list[Picture], list[Document], tuple[Document, ...]]:
        """Return the pictures to look at, the documents to read, and what cannot be looked at."""
        pictures: list[Picture] = []
        texts: list[Document] = []
        unseen: list[Document] = []
        for document in documents:
            # The recognised text of a picture is for models that cannot look at it.
            is_looked_at = document.is_picture and model.has_vision
            wants_picture = is_looked_at or not document.has_text or mode == "picture"
            if not wants_picture:
                texts.append(document)
                continue
            if not model.has_vision:
                unseen.append(document)
                continue
            if not document.is_picture and document.format != "pdf":
                raise DocumentUnreadableError(
                    f"There is no text in {document.path.name}.",
                    hint="Save it as PDF or as a picture, so that it can be looked at.",
                )
            numbers = [page.number for page in document.pages][:MAX_PAGE_PICTURES]
            pictures += [Picture(document, number) for number in numbers]
        if unseen and not texts:
            raise _cannot_see(unseen[0], model)
        return pictures, texts, tuple(unseen)

    def _fits(self, passages: Sequence[Passage], token_budget: int) -> bool:
        characters = sum(len(passage.text) for passage in passages)
        if characters > token_budget * 12:  # no tokenizer packs more into a token
            return False
        if characters / _CHARACTERS_PER_TOKEN * 1.2 <= token_budget:
            return True
        return self._count_tokens("\n".join(passage.text for passage in passages)) <= token_budget

    def _best(
        self,
        ranked: Sequence[ScoredPassage],
        whole: Sequence[Passage],
        token_budget: int,
        whole_task: bool,
    ) -> list[Passage]:
        """Return the best passages within the budget, in reading order."""
        candidates = list(whole) if whole_task or not ranked else [item.passage for item in ranked]
        first = _first_of_each_document(candidates)
        taken: list[Passage] = []
        left = token_budget
        for place, passage in enumerate([*first, *(p for p in candidates if p not in first)]):
            cost = self._count_tokens(passage.text)
            if place < len(first):
                # Each file gets its share, so that one long passage does not shut out another file.
                share = left // (len(first) - place)
                if cost > share:
                    passage, cost = _cut(passage, share, cost), share
            elif cost > left:
                continue
            taken.append(passage)
            left -= cost
        order = {passage.content_hash: i for i, passage in enumerate(whole)}
        return sorted(taken, key=lambda p: (order.get(p.content_hash, 0), p.page, p.start))


def _first_of_each_document(passages: Sequence[Passage]) -> list[Passage]:
    best: dict[str, Passage] = {}
    for passage in passages:
        best.setdefault(passage.content_hash, passage)
    return list(best.values())


def _mode_word(*, has_documents: bool, has_texts: bool, reads_whole: bool) -> ReadingMode:
    if not has_documents:
        return "none"
    if not has_texts:
        return "picture"
    return "whole" if reads_whole else "retrieve"


def _with_pages(document: Document, numbers: Sequence[int]) -> Document:
    """Return the document with the chosen pages only."""
    if not numbers:
        return document
    pages = tuple(page for page in document.pages if page.number in set(numbers))
    if not pages:
        raise UsageError(
            f"{document.path.name} has no page {', '.join(map(str, numbers))}.",
            hint=f"It has {len(document.pages)} pages; choose among them.",
        )
    return replace(document, pages=pages)


def _cannot_see(document: Document, model: ModelInfo) -> UnsupportedFormatError:
    name = document.path.name
    if document.is_picture:
        what = f"{name} is a picture"
    elif document.has_text:
        what = f"{name} should be looked at like a picture"
    else:
        what = f"{name} has no text, only pictures of pages"
    return UnsupportedFormatError(
        f"{what}, and the model {model.name} cannot look at pictures.",
        hint="Choose a model that sees pictures, or attach a document with text.",
    )


def _whole_page(document: Document, page: Page) -> Passage:
    return Passage(document.content_hash, page.number, 0, len(page.text), page.text)


def _cut(passage: Passage, token_budget: int, token_count: int) -> Passage:
    """Return the beginning of a passage that is longer than the budget."""
    length = max(1, int(len(passage.text) * token_budget / max(1, token_count) * 0.95))
    return Passage(
        passage.content_hash,
        passage.page,
        passage.start,
        passage.start + length,
        passage.text[:length],
        passage.heading,
    )


def _coverage(
    mode: ReadingMode,
    documents: Sequence[Document],
    passages: Sequence[Passage],
    pictures: Sequence[Picture],
) -> Coverage:
    files = []
    for document in documents:
        read = {p.page for p in passages if p.content_hash == document.content_hash}
        read |= {p.page_number for p in pictures if p.document.path == document.path}
        files.append(FileCoverage(str(document.path), len(document.pages), tuple(sorted(read))))
    return Coverage(
        pages_total=sum(item.pages_total for item in files),
        pages_read=tuple(sorted({number for item in files for number in item.pages_read})),
        mode=mode,
        files=tuple(files),
    )
