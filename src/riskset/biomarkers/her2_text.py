"""HER2 as hospitals write it: the words, and the rules that turn them into an IHC score or an ISH result. Data alone.

Turkish, German, French, Spanish and Italian words stand beside the English ones, without accents, as `reading.fold`
leaves them. Negation is tested before positive words. Every row has an id, by which a sample says how it was read.
"""

from __future__ import annotations

from riskset.biomarkers.reading import UNKNOWN, Lexicon, Rule, Token, words
from riskset.biomarkers.vocabulary import (
    DAMAGED_BY_EXCEL,
    MISSING_WORDS,
    NEGATIVE_WORDS,
    NOT_DONE_WORDS,
    NUMBER,
    POSITIVE_WORDS,
)

WHOLE_TEXT: tuple[Rule, ...] = (
    Rule("2b.empty", r"", "MISSING"),
    Rule("2b.missing_code", r"(?:-9|9|99|999|-99|-999)(?:[.,]0+)?|\.+|\?+|-{2,}", "MISSING"),
    *(Rule("2b.damaged", pattern, "INVALID") for pattern in DAMAGED_BY_EXCEL),
)

# --- immunohistochemistry ---------------------------------------------------------------------------------------------

_ANTIGEN = r"(?:her[ -]?2(?: ?[/-]? ?neu)?|c? ?-? ?erb ?-? ?b ?-? ?2(?: ?[/-]? ?neu)?)(?![\d.,])"
_NOTHING_SAID = words(
    "ihc",
    "ihk",
    "imhk",
    "immu?no?histo[a-z]*",
    "herceptest",
    "neu",
    "s[ck]ore?",
    "puntuacion",
    "punteggio",
    "sonucu?",
    "results?",
    "ergebnis",
    "resultat",
    "resultado",
)

IHC_LEXICON = Lexicon(
    (
        Token(_ANTIGEN, ""),
        Token(_NOTHING_SAID, ""),
        Token(
            words(
                r"no (?:membran[a-z]* )?staining",
                "boyanma (?:yok|izlenmedi|saptanmadi|gorulmedi)",
                r"keine (?:membran[a-z]* ?)?(?:an)?fae?rbung",
                "aucun marquage",
                "sin tincion",
            ),
            "no_stain",
        ),
        Token(words(r"ultra ?-? ?(?:low|dusuk|niedrig|bajo|faible)"), "ultralow"),
        Token(words("faint", "barely perceptible", "silik"), "faint"),
        Token(NOT_DONE_WORDS, "missing"),
        Token(MISSING_WORDS, "missing"),
        Token(words("equivocal", "equivoque", "supheli", "borderline", "grenzwertig"), "equivocal"),
        Token(words("null"), "null"),
        Token(words("low", "dusuk"), "low"),
        Token(
            words("foc?k?al", "weak", "zayif", "schwach[a-z]*", "faible", "debil", "incomplete", "inkomplett?e?")
            + "|"
            + words("membran[a-z]*", "staining", "boyanma", "complete"),
            "qualifier",
        ),
        Token(words("not", "non", "nicht", "degil", "keine?", "pas", "no"), "not"),
        Token(NEGATIVE_WORDS, "neg"),
        Token(POSITIVE_WORDS, "pos"),
        Token(words("to", "bis", "ila", "ile", "or", "oder", "veya", "ou", "a"), "to"),
        # Shares of stained cells. The sign stands before the number in Turkish; "0 %5" is score 0, 5 %.
        Token(r"(?:% ?0|0 ?%(?! ?\d))(?![\d.,])", "pct_zero"),
        Token(r"(?:> ?0 ?-|1 ?-) ?10 ?%|% ?1 ?- ?10(?!\d)", "pct_low"),
        Token(rf"<=? ?(?:% ?{NUMBER}|{NUMBER} ?%)", "pct_below"),
        Token(r"(?:% ?(?:10|\d(?:[.,]\d+)?)(?![\d.,])|(?:10|\d(?:[.,]\d+)?) ?%(?! ?\d))", "pct_low"),
        Token(rf"(?:>=?|~)? ?(?:% ?{NUMBER}(?: ?- ?{NUMBER})?|(?:{NUMBER} ?- ?)?{NUMBER} ?%(?! ?\d))", "pct"),
        *(Token(rf"{score}(?:[.,]0+)?(?![\d]|[.,]\d)", score) for score in "0123"),
        Token(r"\+ ?ve(?![a-z])", "pos"),
        Token(r"- ?ve(?![a-z])", "neg"),
        Token(r"/ ?ve(?![a-z])", ""),
        Token(r"\+", "+"),
        Token(r"[-~]", "-"),
        Token(r"/", "/"),
        Token(r"<", "<"),
        Token(r">", ">"),
        Token(r"[()\[\]{}.,;:=_'\"]", ""),
    )
)

# Written without other words: 1, 1+, +1, (+)1; ++ is 2+ and +++ is 3+; "3 (+++)" says the same twice.
_ONE = r"(?:1 \+|\+ 1|1)"
_TWO = r"(?:2 \+ \+|\+ \+ 2(?: \+)?|2 \+|\+ 2|\+ \+|2)"
_THREE = r"(?:3 \+ \+ \+|\+ \+ \+ 3(?: \+)?|3 \+|\+ 3|\+ \+ \+|3)"
_OR = r"(?:-|/|to)"
_MORE = r"(?: (?:qualifier|faint|pct|pct_low|pct_below))*"

# Whole texts are tried first, in this order, so that a damaged cell is never taken for a score.
IHC_WHOLE_TEXT: tuple[Rule, ...] = (
    *WHOLE_TEXT,
    Rule("2b.number", rf"(?!\+?[0-3](?:[.,]0+)?$)[-+]?{NUMBER}", "INVALID"),
    # "HER 2+" is HER2-positive to one hospital and score 2+ to the next.
    Rule("2b.her_2_plus", r"(?:her|c? ?-? ?erb ?-? ?b) 2 ?\(?\+\)?", UNKNOWN),
)

IHC_RULES: tuple[Rule, ...] = (
    Rule("2b.missing", r"missing(?: missing)*", "MISSING"),
    Rule("2b.ultralow", rf"(?:neg )?(?:0 )?(?:\+ )?ultralow(?: 0(?: \+)?)?{_MORE}|> 0 < 1(?: \+)?", "0_ultralow"),
    Rule(
        "2b.ultralow",
        r"(?:neg )?0(?= .*(?:faint|pct_low))(?: (?:faint|pct_low|pct_below|qualifier))+",
        "0_ultralow",
    ),
    Rule("2b.null", r"(?:neg )?0(?: (?:no_stain|pct_zero|null))+|(?:neg )?no_stain(?: 0)?", "0_null"),
    Rule("2b.zero", r"(?:neg |- )?0(?: neg| -)?(?: pct_below)?", "0_NOS"),
    Rule("2b.zero_plus", r"(?:neg )?(?:0 \+|\+ 0)", "AMBIG_0PLUS"),
    Rule("2b.zero_or_one", rf"(?:neg )?0(?: \+)? {_OR} 1(?: \+)?", "AMBIG_0_1"),
    Rule("2b.one_or_two", rf"1(?: \+)? {_OR} 2(?: \+)?|\+ {_OR} \+ \+", "AMBIG_1_2"),
    Rule("2b.two_or_three", rf"2(?: \+)? {_OR} 3(?: \+)?|\+ \+ {_OR} \+ \+ \+", "AMBIG_2_3"),
    Rule("2b.one", rf"(?:neg |pos )?{_ONE}(?: (?:neg|pos|low))?{_MORE}", "1+"),
    # "negative (2+)" stays 2+: without an ISH result its class is indeterminate all the same.
    Rule("2b.two", rf"(?:(?:neg|pos|equivocal) )?{_TWO}(?: (?:neg|pos|equivocal))?{_MORE}", "2+"),
    Rule("2b.three", rf"(?:pos )?{_THREE}(?: pos)?{_MORE}", "3+"),
    Rule("2b.negative", r"neg(?: (?:neg|-))*|-(?: neg)?|not pos|pos not", "NEG_NOS"),
    Rule("2b.positive", r"pos(?: (?:pos|\+))*|\+ pos", "POS_NOS"),
    Rule("2b.lone_plus", r"\+", "AMBIG_PLUS"),
)

# --- in situ hybridisation --------------------------------------------------------------------------------------------

# Where the ISH part of a text that holds both begins, and where an IHC part begins that follows it.
ISH_BEGINS = (
    r"\b(?:(?:b?dd?|s|f|c)-?)?ish\b|\bin[ -]?situ h[iy]brid"
    r"|\b(?:(?:non|not|nicht|no|keine?|sans|sin|un)[ -]?)?amplif|\bcep ?17\b"
)
IHC_BEGINS = r"\b(?:ihc|ihk|imhk|immu?no?histo[a-z]*)\b"

_SAID_BY = r"(?: (?:of|is))? ?[:=]? ?"
RATIO = (
    rf"(?:her-?2 ?/ ?cep ?17(?: ?ratio| ?oran[i]?)?|\b(?:ratio|rasyo|oran[i]?|quotient|rapport|r)){_SAID_BY}"
    rf"(?P<value>{NUMBER})(?![\d.,]*\d)"
)
COPIES = (
    rf"\b(?:cn|copy number|copies(?: ?/ ?cell)?|kopya(?: sayisi)?|kopien[a-z]*|copias|c(?= ?[:=])){_SAID_BY}"
    rf"(?P<value>{NUMBER})"
    rf"|(?<![\w.,])(?P<before>{NUMBER}) ?(?:copies|copy|kopya|kopien|copias)"
    r"(?: ?/ ?(?:cell|hucre|zelle|celula))?(?![a-z])"
)
# The antigen's own 2 is no number of copies; in "HER2/CEP17 1.4" it belongs to the ratio's name.
ANTIGEN_NAME = r"\bher[ -]?2(?! ?/ ?cep)(?: ?[/-]? ?neu)?(?![\d.,])"
# "1.9 (CN 4.3)": a number with decimals at the beginning, or after the probe's name, is the ratio.
BARE_RATIO = r"^(?:(?:(?:b?dd?|s|f|c)-?)?ish ?[:=]? ?)?(?P<value>\d+[.,]\d+)(?= ?(?:[(,;/]|$))"

ISH_LEXICON = Lexicon(
    (
        Token(_ANTIGEN, ""),
        Token(
            words(
                r"(?:(?:b?dd?|s|f|c)-?)?ish",
                r"in[ -]?situ h[iy]brid[a-z]*",
                r"cep ?17",
                "ratio",
                "oran[i]?",
                "copies",
                "kopya",
                "gene?i?",
                "sonucu?",
                "results?",
                "ergebnis",
                "resultat",
                "resultado",
                "ile",
                "icin",
                "is",
                "ist",
                "est",
                "status",
                "de",
                "der",
                "des",
                "of",
                "for",
            )
            + r"|\bd'",
            "",
        ),
        Token(NOT_DONE_WORDS, "not_done"),
        Token(
            words(
                "failed",
                "pending",
                "basarisiz",
                "sonuclanmadi",
                "bekleniyor",
                "degerlendirilemedi",
                "uninterpretable",
                "not (?:evaluable|interpretable)",
                "nicht (?:auswertbar|beurteilbar)",
                "ausstehend",
                "non interpretable",
                "en attente",
                "pendiente",
                "no valorable",
            ),
            "failed",
        ),
        Token(words("equivocal", "equivoque", "equivoco", "supheli", "borderline", "grenzwertig"), "equivocal"),
        Token(words("un-?amplified", "non-?amplified"), "not amp"),
        Token(words(r"amplifi(?:ed|ye|ziert[a-z]*|ee?|cad[oa]|cat[oa])"), "amp"),
        Token(words(r"amplifi(?:[ck]ation|kasyonu?|cacion|cazione)"), "amplification"),
        # "amplifikasyon yok" is a result; "yok" alone is a missing one: the rules tell them apart.
        Token(words("yok"), "none"),
        Token(
            words("not detected", "izlenmedi", "saptanmadi", "gorulmedi", "absente?", "not", "non", "nicht", "degil")
            + "|"
            + words("no", "keine?", "pas", "sans", "sin"),
            "not",
        ),
        Token(MISSING_WORDS, "missing"),
        Token(words("var", "mevcut", "izlendi", "saptandi", "present", "detected", "vorhanden", "presente?"), "yes"),
        Token(NEGATIVE_WORDS, "neg"),
        Token(POSITIVE_WORDS, "pos"),
        Token(rf"[<>]=? ?{NUMBER}", "bound"),
        Token(r"\+ ?ve(?![a-z])", "pos"),
        Token(r"- ?ve(?![a-z])", "neg"),
        Token(r"\+", "+"),
        Token(r"(?<![a-z0-9])-(?=[a-z])", ""),
        Token(r"-", "-"),
        Token(r"[()\[\]{}.,;:=_'\"/]", ""),
    )
)

_NOT_AMPLIFIED = (
    r"(?:neg|-|not amp|amp not|amp none|not amplification|amplification (?:not|none|neg|-)|amp (?:neg|-)"
    r"|neg (?:amp|amplification)|not pos|pos not)"
)
_AMPLIFIED = r"(?:pos|\+|amp|amp (?:pos|\+|yes)|amplification (?:pos|\+|yes)|yes amplification|pos amplification)"

ISH_RULES: tuple[Rule, ...] = (
    Rule("2b.ish_not_done", r"not_done(?: not_done)*", "NOT_DONE"),
    Rule("2b.ish_failed", r"failed", "FAILED"),
    Rule("2b.ish_missing", r"missing|none", "MISSING"),
    Rule("2b.ish_negative", rf"{_NOT_AMPLIFIED}(?: {_NOT_AMPLIFIED})*(?: bound)*", "NEG"),
    Rule("2b.ish_positive", rf"{_AMPLIFIED}(?: {_AMPLIFIED})*(?: bound)*", "POS"),
    Rule("2b.ish_equivocal", r"equivocal(?: bound)*", "EQUIVOCAL"),
)
