# SPDX-License-Identifier: Apache-2.0
"""Which language a text is in, guessed from its script and its commonest words; stop words.

The guess only chooses the stemmer and the stop list, so a wrong one costs a little recall and
nothing else. Languages are named as the Snowball stemmers name them; "none" has no stemmer.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from molmo_desktop.retrieval.text import fold

DEFAULT_LANGUAGE = "english"
_LEAD = 0.8
UNKNOWN_LANGUAGE = "unknown"
_SAMPLE_CHARACTERS = 2500

# Words that carry no meaning of their own, and the question words. Written folded (no accents).
_STOP_WORDS = """
english: a an the and or but if of at by for with about to from in on into onto as is are was
were be been being am has have had having do does did done doing will would shall should can
could may might must not nor it its this that these those there here he she they them their his
her hers him we us our ours you your yours i me my mine what which who whom whose when where
why how than then so such s t ll re ve d m any some all both each more most other own too very
just also please tell get got much many

german: der die das den dem des ein eine einen einem einer eines und oder aber wenn von vom zu
zum zur im in an am auf aus bei beim mit nach fur um uber unter als ist sind war waren sein
wird werden wurde wurden hat haben hatte kann konnen soll sollte muss mussen darf nicht kein
keine keinen keiner es er sie ihr ihre ihren ihrer ihm ihn seine seiner seinen wir uns unser
unsere ich mir mich du dir dich man dieser diese dieses diesem diesen was wer wem wen ab wessen
wann wo wohin woher warum wieso weshalb wie viel viele wieviel welche welcher welches welchen
welchem dass daß sich so auch noch nur schon sehr durch gegen bis seit bitte da dort

french: le la les un une des du de d l et ou mais si a au aux en dans par pour sur sous avec
sans ce cet cette ces il elle ils elles on nous vous je j tu me m te t se s lui leur leurs mon
ma mes ton ta tes son sa ses notre nos votre vos est sont etait etre ete sera ont avait avoir
peut peuvent doit doivent ne n pas plus que qu qui quoi quel quelle quels quelles quand comment
pourquoi combien dont y c ci cela ca aussi tres comme entre est-ce

spanish: el la los las un una unos unas de del al y e o u pero si a en por para con sin sobre
entre se su sus lo le les me mi mis tu tus nos nuestro nuestra nuestros es son era eran ser
sido esta estan este estos estas ese esa eso esto aquel fue fueron ha han hay habia haber puede
pueden debe deben no que quien quienes cual cuales cuando donde como porque cuanto cuanta
cuantos cuantas mas muy ya tambien

italian: il lo la i gli le un uno una di del dello della dei degli delle a al allo alla ai agli
alle da dal dalla in nel nella nei con su sul sulla per tra fra e ed o ma se non che chi cui
quale quali quando dove come perche quanto quanta quanti quante sono era essere stato ha hanno
aveva avere puo deve si ci vi ne mi ti lui lei loro suo sua suoi sue questo questa questi
queste quello quella piu anche

portuguese: o a os as um uma uns umas de do da dos das em no na nos nas por pelo pela para com
sem sobre entre e ou mas se ao aos que quem qual quais quando onde como porque quanto quanta
quantos quantas sao era ser foi foram esta estao tem ter ha pode deve nao seu sua seus suas ele
ela eles elas isto isso este essa mais muito tambem ja

dutch: de het een en of maar als van voor met op in te aan bij door uit naar om over onder tot
is zijn was waren wordt worden werd heeft hebben had kan kunnen moet moeten zal niet geen er
die dat deze dit hij zij ze wij we u uw jij je ik mij zich wat wie waar wanneer waarom hoe welk
welke hoeveel ook nog al dan

swedish: och att det som en ett den de i pa av for med till fran om ar var vara har hade kan
ska skall inte vid under men eller sig sin sitt sina han hon vi ni jag vad vem nar hur vilken
vilket vilka mycket manga

danish: og at det som en et den de i pa af for med til fra om er var vaere har havde kan skal
ikke ved under men eller sig sin sit sine han hun vi jeg hvad hvem hvornar hvor hvordan hvilken
hvilket meget mange

polish: i w z na do o od dla przez po za jest sa byl byla byc nie ze sie jak ktory ktora ktore
co kto kiedy gdzie ile jaki jaka jakie czy oraz lub ale ten ta to tym tego jego jej ich

turkish: ve bir bu da de ile icin ne kim nasil nerede kac hangi mi mu cok daha olan olarak var
yok gibi ama veya

russian: и в во не на я он она оно они мы вы с со как а то все но по за от из у к о об же бы
для это этот эта эти был была было были есть быть что кто где когда почему сколько какой какая
какое какие чей при или так его ее их ли

arabic: في من على الى إلى عن مع هذا هذه ذلك التي الذي ما ماذا متى اين أين كيف كم هل هو هي و او
أو ان أن
"""

# Words of forms and invoices, which have few stop words; with letters that say a lot.
_HINTS = """
english: invoice date amount total due page tax number address phone

german: rechnung datum betrag gesamtbetrag summe nummer straße mwst ust zzgl inkl seite kunde
menge

french: facture montant tva date numero total ttc ht rue client quantite page telephone

spanish: factura fecha importe iva numero calle cliente cantidad pagina telefono precio

italian: fattura data importo iva numero via cliente quantita pagina prezzo

portuguese: fatura data valor numero rua cliente quantidade pagina preco

dutch: factuur datum bedrag btw nummer straat klant aantal pagina prijs totaal
"""
_LETTERS = {
    "ß": "german", "ñ": "spanish", "¿": "spanish", "ã": "portuguese", "õ": "portuguese",
    "ł": "polish", "å": "swedish", "ø": "danish", "ğ": "turkish", "ı": "turkish",
}  # fmt: skip
_SCRIPTS = (
    ("cjk", re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0edf\u1780-\u17ff]")),
    ("russian", re.compile(r"[\u0400-\u04ff]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("hindi", re.compile(r"[\u0900-\u097f]")),
    ("tamil", re.compile(r"[\u0b80-\u0bff]")),
    ("armenian", re.compile(r"[\u0530-\u058f]")),
    ("none", re.compile(r"[\u0590-\u05ff]")),
)
_LATIN = re.compile(r"[a-zà-öø-ÿāăąćčďđęěğıłńňőřśşšťůűźżž]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def _by_language(table: str) -> dict[str, frozenset[str]]:
    """Return the folded words of a table whose paragraphs begin with the language and a colon."""
    found = {}
    for paragraph in table.split("\n\n"):
        language, _, words = paragraph.partition(":")
        found[language.strip()] = frozenset(fold(word) for word in words.split())
    return found


_NONE: frozenset[str] = frozenset()
_STOPS = _by_language(_STOP_WORDS)
_VOTES = {
    language: words | _by_language(_HINTS).get(language, _NONE)
    for language, words in _STOPS.items()
}


@lru_cache(maxsize=256)
def guess_language(text: str, default: str = DEFAULT_LANGUAGE) -> str:
    """Return the stemmer's name for a text; ``default`` where nothing tells.

    Text of a script without spaces gives "cjk", which has no stemmer.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    if not sample.isascii() and (script := _script(sample)):
        return script
    votes: Counter[str] = Counter()
    words = Counter(fold(word) for word in _WORD.findall(sample))
    for language, telling in _VOTES.items():
        votes[language] = sum(words[word] for word in words.keys() & telling)
    for letter, language in _LETTERS.items():
        votes[language] += sample.lower().count(letter)
    best, count = votes.most_common(1)[0]
    # The default wins where the lead is small: languages share words such as "a" and "in".
    return best if count * _LEAD > votes[default] else default


def _script(sample: str) -> str:
    """Return the language that a script stands for where most letters are not Latin."""
    latin = len(_LATIN.findall(sample))
    counts = {name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS}
    script = max(counts, key=lambda name: counts[name])
    # A character of CJK says as much as three letters.
    weight = 3 if script == "cjk" else 1
    return script if counts[script] and counts[script] * weight >= latin else ""


def stop_words(language: str) -> frozenset[str]:
    """Return the stop words of a language, folded; empty where there is no list."""
    return _STOPS.get(language, _NONE)
