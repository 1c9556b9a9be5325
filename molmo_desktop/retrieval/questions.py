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
from typing import Literal, cast

from molmo_desktop.retrieval.concepts import RELATED, UNSPACED
from molmo_desktop.retrieval.languages import guess_language, stop_words
from molmo_desktop.retrieval.numbers import number_forms
from molmo_desktop.retrieval.text import fold, plain_characters
from molmo_desktop.retrieval.tokens import PIECE, character_pairs, stem, variants, whole_forms
from molmo_desktop.retrieval.values import find_values

AnswerKind = Literal[
    "money", "date", "time", "duration", "percent", "count", "person", "place", "email", "phone",
    "url", "identifier", "text",
]  # fmt: skip

WEAK_WEIGHT = 0.3
_UNSPACED_WEIGHT = 0.5  # two characters are about a word
# Words that say little about where an answer stands, folded; by the question's language.
_WEAK_WORDS: dict[str, frozenset[str]] = {
    "english": frozenset(
        "document documents file text pdf page pages attachment attached say says state states stated "
        "mention mentions mentioned accord according describe described give gives given show shows "
        "find name names list kind type sort information info detail details write written contain "
        "contains include exactly question answer get got go goes take takes make makes made put keep "
        "use used provide provided need needed require required come comes happen happens become high "
        "set bring brings often located situated place happened done".split()
    ),
    "german": frozenset(
        "dokument datei seite text steht stehen nennen nenne angegeben genannt laut art gilt gelten "
        "lautet betragt gibt liegt hoch gross groß heißt findet befindet kommt geht macht".split()
    ),
    "french": frozenset(
        "document fichier texte page indique indiquee mentionne selon donner donne nom genre trouve "
        "situe eleve elevent fait faut passe existe".split()
    ),
    "spanish": frozenset(
        "documento archivo texto pagina dice indica menciona segun dar nombre tipo ofrece tiene "
        "encuentra halla existe hace".split()
    ),
}
_UNSPACED_NOISE = re.compile(
    r"请问|什么时候|什么|哪一天|哪些|哪个|哪里|哪儿|哪|谁|何时|多少|多久|多长|多大|多远|怎么办|怎么|怎样|如何"
    r"|为什么|是否|有没有|可以|能否|能不能|应该|需要|必须|一次|至少|最多|大约|关于|进行|表示|一共|总共"
    r"|吗|呢|的|了|是|在|有|和|与|及|请|几|这|那|该|本|我|您|你|由|文件|文档|里"
    r"|ですか|ますか|とは|です|ます|から|まで|いつ|どこ|だれ|誰|何|いくら|の|は|が|を|に|で|と|も|へ"
)
# The first that matches names the kind; written for folded text.
_KINDS: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))  # type: ignore[misc]
    for kind, pattern in (
        ("email", r"\be-?mail\b|\bcorreo electronico\b|\bcourriel\b|邮箱|电子邮件|メール"),
        ("url", r"\bwebsite\b|\bweb ?site\b|\bweb page\b|\burl\b|\bhomepage\b|\bwebseite\b|\bsite web\b|\bsitio web\b|\bpagina web\b|网站|网址"),
        ("phone", r"\b(tele)?phone\b|\btel\b|\btelefon\w*|\btelefono\b|\bfax\b|\bhotline\b|\bcall\b|\brufnummer\b|\bhandy\b|电话|手机|電話"),
        ("percent", r"\bpercent\w*|\bper cent\b|\bprozent\w*|\bpourcentage\b|\bporcentaje\b|\btaux\b|\bwhat rate\b|\b(interest|vat|tax|discount|default) rate\b|\bsteuersatz\b|\bzinssatz\b|\btasa\b|百分|利率|税率"),
        ("duration", r"\bhow long\b|\bhow many (days|weeks|months|years|hours|minutes)\b|\bwie lange\b|\bcombien de (temps|jours|mois|ans|heures|semaines)\b|\bcuanto tiempo\b|\bcuantos (dias|meses|anos)\b|\bcuantas (horas|semanas)\b|\bduration\b|\bnotice period\b|\bperiod\b|\bdauer\b|frist\b|\bduree\b|\bdelai\b|\bplazo\b|\bduracion\b|多久|多长时间|期限|几天|几个月|几年|多少天"),
        ("time", r"\bwhat time\b|\b(opening|office|business) hours\b|\bum wie viel uhr\b|\bwie spat\b|\boffnungszeit\w*|\bquelle heure\b|\bhoraires?\b|\bque hora\b|\bhorario\b|几点|时间段"),
        ("identifier", r"\b(invoice|order|customer|contract|policy|account|serial|part|model|article|item|reference|tax|vat|case|file|registration|room|flight|booking|document|license|passport) (number|no|nr|id|code)\b|\biban\b|\bbic\b|\b(rechnungs|kunden|vertrags|bestell|auftrags|serien|artikel|steuer|konto|policen|versicherungs|akten|ust-?id)-?(nummer|nr)\b|\bnumero d[eu']?\s?(la |l')?(facture|client|contrat|commande|serie|pedido|factura|cliente|contrato|cuenta|siret|siren|tva|dossier)\w*|\bnumero de\b|\baktenzeichen\b|\breference\b|\breferencia\b|编号|号码|账号|帐号"),
        ("count", r"\bhow many\b|\bnumber of\b|\bwie ?viele\b|\banzahl\b|\bcombien d[e']|\bcuant[oa]s\b|\bquantity\b|\bmenge\b|\bcantidad\b|\bquantite\b|几个|多少个|多少名|多少人|数量|几"),
        ("money", r"\bhow much\b|\bprices?\b|\bcosts?\b|\bamounts?\b|\btotal\b|\bfees?\b|\brent\b|\bsalary\b|\bdeposit\b|\bsubtotal\b|\bsum\b|\bbudget\b|\bcharge\b|\bwie ?viel\b|\bkoste[nt]?\b|\bpreis\b|\w*betrag\b|\w*summe\b|\bmiete\b|\w*gebuhr\w*|\w*kosten\b|\bkaution\b|\bgehalt\b|\bcombien\b|\bmontant\b|\bprix\b|\bcout\w*\b|\bfrais\b|\bloyer\b|\bsalaire\b|\bcuanto\b|\bimporte\b|\bprecio\b|\bcuesta\b|\bcoste?\b|\balquiler\b|\bsalario\b|\bfianza\b|多少钱|金额|价格|总额|总价|费用|租金|押金|工资|いくら|金額"),
        ("date", r"\bwhen\b|\bdates?\b|\bdeadline\b|\bwhat (day|month|year)\b|\bwhich (day|month|year)\b|\bwann\b|\w*datum\b|\bwelche[nrms]? (tag|monat|jahr)\b|\bstichtag\b|\btermin\b|\bquand\b|\becheance\b|\bquel jour\b|\bcuando\b|\bfechas?\b|\bque dia\b|\bvencimiento\b|日期|何时|什么时候|哪一天|几号|几月|いつ|日付"),
        ("person", r"\bwho(m|se)?\b|\bwer\b|\bwem\b|\bwen\b|\bqui\b|\bquien(es)?\b|谁|何人|哪位|誰"),
        ("place", r"\bwhere\b|\baddress\b|\bcity\b|\bwo\b|\badresse\b|\banschrift\b|\bou\b(?= )|\bdonde\b|\bdireccion\b|\bplace\b|\blocation\b|\bwhich (country|city|town)\b|哪里|哪儿|地址|地点|在哪|どこ|住所"),
    )
)  # fmt: skip


# Marks (see `tokens.tokenize`) that can answer a kind of question.
_MARKS_OF_KIND: dict[AnswerKind, tuple[str, ...]] = {
    "money": ("money",),
    "date": ("date", "time"),
    "time": ("time",),
    "duration": ("duration",),
    "percent": ("percent",),
    "count": ("number",),
    "person": ("person",),
    "email": ("email",),
    "phone": ("phone",),
    "url": ("url",),
    "identifier": ("identifier",),
}
# Words that a value of the kind says as well, folded.
_IMPLIED_WORDS: dict[AnswerKind, frozenset[str]] = {
    kind: frozenset(words.split())
    for kind, words in cast(
        "dict[AnswerKind, str]",
        {
            "money": "cost costs price amount pay paid charge charged money sum worth kostet kosten "
            "preis betrag geld teuer bezahlen zahlen cout coute coutent prix montant eleve elevent "
            "payer cuesta cuestan precio importe pagar coste 多少 价格 金额",
            "date": "date day month year deadline datum tag jahr monat termin jour date annee fecha dia ano 日期",
            "time": "time hour uhr uhrzeit spat heure hora 时间",
            "duration": "long time last lasts days weeks months years hours minutes duration dauer dauert "
            "lange zeit tage wochen monate jahre duree temps jours mois ans duracion tiempo dura dias "
            "meses anos period frist delai plazo 期限 时间",
            "percent": "percent percentage rate prozent prozentsatz satz taux pourcentage tasa porcentaje",
            "count": "many number anzahl zahl nombre numero cantidad 数量",
            "person": "person name names people wer namen nom personne persona nombre",
            "email": "email mail e-mail address adresse electronico electronique correo direccion courriel 邮箱 电子",
            "phone": "phone telephone number tel call reach telefonnummer telefon nummer rufnummer numero telefono 电话 号码",
            "url": "website site web page url address internet webseite homepage sitio pagina",
            "identifier": "number no nr id code nummer numero num reference 编号 号码",
        },
    ).items()
}
# Kinds so telling that a value is worth finding although no word of the question stands near.
TELLING_KINDS: frozenset[AnswerKind] = frozenset({"email", "phone", "url"})


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
    kinds = _MARKS_OF_KIND.get(answer_kind(question), ())
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
    found: list[Term] = []
    taken = list(_value_terms(plain))
    found.extend(term for term, _, _ in taken)
    for match in PIECE.finditer(plain):
        if any(start <= match.start() < end for _, start, end in taken):
            continue
        if match["unspaced"]:
            found.extend(_unspaced_terms(match["unspaced"], stemmers))
        elif match["number"]:
            found.append(Term(match[0], number_forms(match[0]), frozenset()))
        elif match["word"] and fold(match[0]) not in stops:
            found.append(_word_term(match[0], own, stemmers, answer_kind(question)))
    unique: dict[frozenset[str], Term] = {}
    for term in found:
        unique.setdefault(term.forms, term)
    return tuple(unique.values())


def answer_kind(question: str) -> AnswerKind:
    """Return the kind of value that the question asks for; "text" where it asks for none."""
    folded = fold(plain_characters(question))
    for kind, pattern in _KINDS:
        if pattern.search(folded):
            return kind
    return "text"


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
    forms |= {other for language in languages for other in variants(word, language)}
    related = {
        token
        for other in related_words(folded, languages)
        for language in languages
        for token in _tokens_of(other, language)
    }
    is_weak = folded in _WEAK_WORDS.get(own_language, ())
    weight = WEAK_WEIGHT if is_weak else 1.0
    is_implied = folded in _IMPLIED_WORDS.get(kind, ())
    return Term(word, frozenset(forms), frozenset(related - forms), weight, is_implied)


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
