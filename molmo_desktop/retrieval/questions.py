# SPDX-License-Identifier: Apache-2.0
"""What a question asks: its telling words, words that mean the same, and the kind of answer.

The table of concepts is small and written by hand: words that stand for one another in invoices,
contracts, letters and manuals, in the languages that are met most. It also lets a question in one
language meet a document in another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from molmo_desktop.retrieval.concepts import RELATED, SHORT_FORMS, UNSPACED
from molmo_desktop.retrieval.kinds import MARKS_OF_KIND, AnswerKind, answer_kind, is_implied
from molmo_desktop.retrieval.languages import guess_language, stop_words
from molmo_desktop.retrieval.numbers import number_forms
from molmo_desktop.retrieval.text import fold, plain_characters
from molmo_desktop.retrieval.tokens import PIECE, character_pairs, stem, variants, whole_forms
from molmo_desktop.retrieval.values import find_values

WEAK_WEIGHT = 0.3
_MAX_TERMS = 48
_UNSPACED_WEIGHT = 0.5  # two characters are about a word
# Words that say little about where an answer stands, folded; by the question's language.
_WEAK_WORDS = {
    "english": """
        document documents file text pdf page pages attachment attached say says state states stated
        mention mentions mentioned accord according describe described give gives given show shows
        find name names list kind type sort information info detail details write written contain
        contains include exactly question answer get got go goes take takes make makes made put keep
        use used provide provided need needed require required come comes happen happens become high
        set bring brings often located situated place happened done""",
    "german": """
        dokument datei seite text steht stehen nennen nenne angegeben genannt laut art gilt gelten
        lautet betragt gibt liegt hoch gross heißt findet befindet kommt geht macht fand
        statt stattfinden""",
    "french": """
        document fichier texte page indique indiquee mentionne selon donner donne nom genre trouve
        situe eleve elevent fait faut passe existe""",
    "spanish": """
        documento archivo texto pagina dice indica menciona segun dar nombre tipo ofrece tiene
        encuentra halla existe hace""",
}
_WEAK = {
    language: frozenset(fold(word) for word in words.split())
    for language, words in _WEAK_WORDS.items()
}
_UNSPACED_NOISE = re.compile(
    r"请问|什么时候|什么|哪一天|哪些|哪个|哪里|哪儿|哪|谁|何时|多少|多久|多长|多大|多远|怎么办|怎么|怎样|如何"
    r"|为什么|是否|有没有|可以|能否|能不能|应该|需要|必须|一次|至少|最多|大约|关于|进行|表示|一共|总共"
    r"|吗|呢|的|了|是|在|有|和|与|及|请|几|这|那|该|本|我|您|你|由|文件|文档|里"
    r"|ですか|ますか|とは|です|ます|から|まで|いつ|どこ|だれ|誰|何|いくら|の|は|が|を|に|で|と|も|へ"
)


@dataclass(frozen=True)
class Term:
    """One telling word of a question.

    Attributes:
        word: As the question writes it.
        forms: Tokens that are this word.
        related: Tokens of words that mean nearly the same.
        weight: 1, less for words that say little ("document", "name").
        is_implied: A value of the kind that is asked for says it as well: "cost" in "how much
            does it cost?".
        is_mark: It stands for any value of the kind that is asked for.
    """

    word: str
    forms: frozenset[str]
    related: frozenset[str]
    weight: float = 1.0
    is_implied: bool = False
    is_mark: bool = False


def mark_term(question: str) -> Term | None:
    """Return the term for any value of the kind that is asked for; None for other questions."""
    kinds = MARKS_OF_KIND.get(answer_kind(question), ())
    if not kinds:
        return None
    return Term("", frozenset(f"is:{kind}" for kind in kinds), frozenset(), is_mark=True)


def question_terms(question: str, languages: Collection[str] = ()) -> list[Term]:
    """Return the telling words of a question, each once.

    Args:
        question: As the user typed it.
        languages: Of the documents that are searched, so that words are stemmed like theirs.
    """
    return list(_question_terms(question, frozenset(languages)))


@lru_cache(maxsize=256)
def _question_terms(question: str, languages: frozenset[str]) -> tuple[Term, ...]:
    own = guess_language(question)
    stemmers = languages | {own}
    stops = stop_words(own)
    plain = re.sub(r"\be-(?=mail)", "e", plain_characters(question), flags=re.IGNORECASE)
    kind = answer_kind(question)
    values = _value_terms(plain)
    taken = bytearray(len(plain))
    for _, start, end in values:
        taken[start:end] = b"\1" * (end - start)
    found = [term for term, _, _ in values]
    seen: set[str] = set()
    for match in PIECE.finditer(plain):
        # A pasted page is no better a question than its first words.
        if len(seen) >= _MAX_TERMS or taken[match.start()] or match[0] in seen:
            continue
        seen.add(match[0])
        if match["unspaced"]:
            found.extend(_unspaced_terms(match["unspaced"], stemmers))
        elif match["number"]:
            found.append(Term(match[0], number_forms(match[0]), frozenset()))
        elif match["word"] and fold(match[0]) not in stops:
            found.append(_word_term(match[0], own, stemmers, kind))
    unique: dict[frozenset[str], Term] = {}
    for term in found:
        unique.setdefault(term.forms, term)
    return tuple(unique.values())[:_MAX_TERMS]


def _value_terms(plain: str) -> list[tuple[Term, int, int]]:
    """Return the dates, identifiers and addresses of a question with their places."""
    found = []
    for value in find_values(plain):
        forms = frozenset(form for form in whole_forms(value))
        if value.kind == "date":
            forms = frozenset(value.forms)
        if forms:
            found.append((Term(value.text, forms, frozenset()), value.start, value.end))
    return found


def _word_term(word: str, own_language: str, languages: Collection[str], kind: AnswerKind) -> Term:
    folded = fold(word)
    forms = {stem(word, language) for language in languages} | {folded}
    forms |= {stem(folded, language) for language in languages}
    forms |= set(SHORT_FORMS.get(folded, ()))
    forms |= {other for language in languages for other in variants(word, language)}
    related = {
        token
        for other in related_words(folded, languages)
        for language in languages
        for token in _tokens_of(other, language)
    }
    is_weak = folded in _WEAK.get(own_language, ())
    weight = WEAK_WEIGHT if is_weak else 1.0
    implied = is_implied(folded, kind)
    return Term(word, frozenset(forms), frozenset(related - forms), weight, implied)


def _tokens_of(word: str, language: str) -> Sequence[str]:
    if re.match(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", word):
        return character_pairs(word) if language == "cjk" else ()
    return (stem(word, language),)


def _unspaced_terms(run: str, languages: Collection[str]) -> list[Term]:
    """Return the pairs of characters of a run, without what only makes it a question."""
    found = []
    for piece in _UNSPACED_NOISE.split(run):
        if not piece:
            continue
        related = {
            token
            for word in UNSPACED
            if word in piece
            for other in RELATED[word]
            for language in languages
            for token in _tokens_of(other, language)
        }
        # A term for each character, found by either pair that it is in: pairs across words of
        # the question need not stand in the document.
        pairs = character_pairs(piece)
        for index, character in enumerate(piece):
            forms = frozenset(pairs[max(0, index - 1) : index + 1])
            others = frozenset(related - forms)
            found.append(Term(character, forms, others, _UNSPACED_WEIGHT))
    return found


def related_words(folded: str, languages: Collection[str]) -> set[str]:
    """Return the words that share a concept with a folded word, itself left out."""
    found: set[str] = set(RELATED.get(folded, ()))
    for language in languages:
        for word in _words_of_stem(language).get(stem(folded, language), ()):
            found |= RELATED[word] | {word}
    return found - {folded}


@lru_cache(maxsize=16)
def _words_of_stem(language: str) -> dict[str, set[str]]:
    """Return the words of the concepts by their stem in a language."""
    found: dict[str, set[str]] = {}
    for word in RELATED:
        found.setdefault(stem(word, language), set()).add(word)
    return found
