# SPDX-License-Identifier: Apache-2.0
"""What kind of value a question asks for, told by its words, in several languages."""

from __future__ import annotations

import re
from typing import Literal

from molmo_desktop.retrieval.text import fold, plain_characters

AnswerKind = Literal[
    "money", "date", "time", "duration", "percent", "count", "person", "place", "email", "phone",
    "url", "identifier", "text",
]  # fmt: skip

_DOCUMENT_NUMBERS = (
    r"(?:invoice|order|customer|contract|policy|account|serial|part|model|article|item|reference"
    r"|tax|vat|case|file|registration|room|flight|booking|document|license|passport|approval"
    r"|permit|ticket|member|meter) (?:number|no|nr|id|code)"
)
_GERMAN_NUMBERS = (
    r"(?:rechnungs|kunden|vertrags|bestell|auftrags|serien|artikel|steuer|konto|policen"
    r"|versicherungs|akten|zahler|ust-?id)-?(?:nummer|nr)"
)
# The first that matches names the kind. Written for folded text; each alternative is whole words,
# alternatives for scripts without spaces stand in the second string.
_PATTERNS: tuple[tuple[AnswerKind, tuple[str, ...], str], ...] = (
    ("email", (r"e-?mail", "correo electronico", "courriel"), "邮箱|电子邮件|メール"),
    (
        "url",
        ("website", "web ?site", "web page", "url", "homepage", "webseite", "sitio web",
         "pagina web"),
        "网站|网址",
    ),
    (
        "phone",
        (r"(?:tele)?phone", "tel", r"telefon\w*", "fax", r"fax\w+", "hotline", "call", "rufnummer",
         "handy"),
        "电话|手机|電話|热线",
    ),
    (
        "percent",
        (r"percent\w*", "per cent", r"prozent\w*", "pourcentage", "porcentaje", "taux",
         "what rate", r"(?:interest|vat|tax|discount|default) rate", "steuersatz", "zinssatz",
         "what share", "tasa"),
        "百分|利率|税率",
    ),
    (
        "duration",
        ("how long", r"how many (?:days|weeks|months|years|hours|minutes)", r"wie lang\w*",
         "combien de (?:temps|jours|mois|ans|heures|semaines)", "cuanto tiempo",
         "cuantos (?:dias|meses|anos)", "cuantas (?:horas|semanas)", "duration", "notice period",
         "period", r"dauer\w*", r"\w*frist", "duree", "delai", "plazo", "duracion"),
        "多久|多长时间|期限|几天|几个月|几年|多少天",
    ),
    (
        "time",
        ("what time", r"(?:opening|office|business) hours", "um wie viel uhr", "bis wie viel uhr",
         "wie spat", r"offnungszeit\w*", "quelle heure", "horaires?", "que hora", "horario"),
        "几点|时间段",
    ),
    (
        "identifier",
        (_DOCUMENT_NUMBERS, _GERMAN_NUMBERS, "iban", "bic", "aktenzeichen", "reference",
         "referencia", "numero d[eu'].+", "numero del? .+"),
        "编号|号码|账号|帐号",
    ),
    (
        "count",
        ("how many", "number of", "wie ?viele", "anzahl", "combien d[e']", r"combien d",
         "cuant[oa]s", "quantity", "menge", "cantidad", "quantite"),
        "几个|多少个|多少名|多少人|数量",
    ),
    (
        "money",
        ("how much", "prices?", "costs?", "amounts?", "total", "fees?", "rent", "salary",
         "deposit", "subtotal", "sum", "budget", "charge", "wie ?viel", "kosten", "kostet",
         "preis", r"\w*betrag", r"\w*summe", "miete", r"\w*gebuhr\w*", r"\w*kosten", "kaution",
         "gehalt", "combien", "montant", "prix", r"cout\w*", "frais", "loyer", "salaire",
         "cuanto", "importe", "precio", "cuesta", "coste?", "alquiler", "salario", "fianza"),
        "多少钱|金额|价格|单价|总额|总价|费用|租金|押金|工资|いくら|金額",
    ),
    (
        "date",
        ("when", "dates?", "deadline", "(?:what|which) (?:day|month|year)", "wann", r"\w*datum",
         "welche[nrms]? (?:tag|monat|jahr)", "stichtag", "termin", "quand", "echeance",
         "quel jour", "cuando", "fechas?", "que dia", "vencimiento"),
        "日期|何时|什么时候|哪一天|几号|几月|いつ|日付",
    ),
    (
        "person",
        ("who", "whom", "whose", "wer", "wem", "wen", "qui", "quien(?:es)?"),
        "谁|何人|哪位|誰",
    ),
    (
        "place",
        ("where", "address", "city", "wo", "adresse", "anschrift", "ou", "donde", "direccion",
         "place", "location", "which (?:country|city|town)"),
        "哪里|哪儿|地址|地点|在哪|どこ|住所",
    ),
)  # fmt: skip
_COMPILED = tuple(
    (kind, re.compile(rf"\b(?:{'|'.join(words)})(?!\w)|{unspaced}"))
    for kind, words, unspaced in _PATTERNS
)

# Marks (see `tokens.tokenize`) that can answer a kind of question.
MARKS_OF_KIND: dict[AnswerKind, tuple[str, ...]] = {
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
# Kinds so telling that a value is worth finding although no word of the question stands near.
TELLING_KINDS: frozenset[AnswerKind] = frozenset({"email", "phone", "url"})

# Words that a value of the kind says as well, folded.
_IMPLIED: tuple[tuple[AnswerKind, str], ...] = (
    ("money", "cost costs price amount pay paid charge charged money sum worth"),
    ("money", "kostet kosten preis betrag geld teuer bezahlen zahlen"),
    ("money", "cout coute coutent prix montant eleve elevent payer"),
    ("money", "cuesta cuestan precio importe pagar coste"),
    ("date", "date day month year deadline datum tag jahr monat termin jour annee fecha dia ano"),
    ("time", "time hour uhr uhrzeit spat heure hora"),
    ("duration", "long time last lasts days weeks months years hours minutes duration period"),
    ("duration", "dauer dauert lang lange zeit tage wochen monate jahre frist"),
    ("duration", "duree temps jours mois ans delai duracion tiempo dura dias meses anos plazo"),
    ("percent", "percent percentage rate prozent prozentsatz satz taux pourcentage tasa"),
    ("count", "many number anzahl zahl nombre numero cantidad"),
    ("person", "person name names people wer namen nom personne persona nombre"),
    ("email", "email mail address adresse electronico electronique correo direccion courriel"),
    ("phone", "phone telephone number tel call reach telefonnummer telefon nummer rufnummer"),
    ("phone", "numero telefono"),
    ("url", "website site web page url address internet webseite homepage sitio pagina"),
    ("identifier", "number no nr id code nummer numero num reference"),
)


def answer_kind(question: str) -> AnswerKind:
    """Return the kind of value that the question asks for; "text" where it asks for none."""
    folded = fold(plain_characters(question))
    for kind, pattern in _COMPILED:
        if pattern.search(folded):
            return kind
    return "text"


def is_implied(word: str, kind: AnswerKind) -> bool:
    """Whether a value of the kind says what the folded word says."""
    return any(word in words.split() for of_kind, words in _IMPLIED if of_kind == kind)
