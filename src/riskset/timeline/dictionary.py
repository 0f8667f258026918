"""The drug dictionary: data alone.

An entry gives the international nonproprietary name, the ATC code in force since 2021, the class, every brand, code
and spelling under which hospitals write it, and the ATC codes that exports from before 2021 still hold. Names are
compared by `matching.key`: without case, accents, spaces and punctuation, so each spelling stands here once.

An entry without an `inn` is a word for a whole class ("chemotherapy"): it is understood, but names no drug. A
`Combination` is one name for several drugs (a co-pack, a regimen). ATC codes are given where they are sure, else null.

Sources: WHO Collaborating Centre for Drug Statistics Methodology, ATC/DDD index; product labels.
"""

from __future__ import annotations

from dataclasses import dataclass

DRUG_CLASSES = (
    "cdk46",
    "aromatase_inhibitor",
    "serd",
    "serm",
    "gnrh",
    "progestin",
    "endocrine",  # endocrine therapy, not said which
    "pi3k_mtor",
    "parp",
    "anti_her2",
    "adc",
    "vegf",
    "immunotherapy",
    "chemotherapy",
    "targeted",  # targeted therapy, not said which
    "supportive",
)


@dataclass(frozen=True, slots=True)
class Drug:
    """One drug: INN (null for a word that names a whole class), ATC code, class, names, former ATC codes.

    The class is null for a drug that a mapping declares and the dictionary lacks.
    """

    inn: str | None
    atc: str | None
    drug_class: str | None
    names: tuple[str, ...] = ()
    former_atc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Combination:
    """One name for several drugs, each by its INN."""

    names: tuple[str, ...]
    inns: tuple[str, ...]


_CDK46 = (
    Drug(
        "palbociclib",
        "L01EF01",
        "cdk46",
        ("Ibrance", "PD-0332991", "palbosiklib", "palbociklib", "palbociclibum", "palbo"),
        ("L01XE33",),
    ),
    Drug(
        "ribociclib",
        "L01EF02",
        "cdk46",
        ("Kisqali", "LEE011", "ribosiklib", "ribociklib", "ribociclibum", "ribo"),
        ("L01XE42",),
    ),
    Drug(
        "abemaciclib",
        "L01EF03",
        "cdk46",
        ("Verzenio", "Verzenios", "LY2835219", "abemasiklib", "abemaciklib", "abema"),
        ("L01XE50",),
    ),
    Drug("dalpiciclib", None, "cdk46", ("AiRuiKang", "SHR6390")),
    Drug(
        None,
        None,
        "cdk46",
        ("CDK4/6", "CDK4/6i", "CDK4/6 inhibitor", "CDK4/6 inhibitörü", "CDK4/6-Inhibitor", "CDK46 inhibitor"),
    ),
)
_ENDOCRINE = (
    Drug("letrozole", "L02BG04", "aromatase_inhibitor", ("Femara", "letrozol", "letrozolum", "letro")),
    Drug("anastrozole", "L02BG03", "aromatase_inhibitor", ("Arimidex", "anastrozol")),
    Drug("exemestane", "L02BG06", "aromatase_inhibitor", ("Aromasin", "eksemestan", "exemestan", "exemestano")),
    Drug(
        None,
        None,
        "aromatase_inhibitor",
        ("aromatase inhibitor", "aromataz inhibitörü", "Aromatasehemmer", "inhibiteur de l'aromatase"),
    ),
    Drug("fulvestrant", "L02BA03", "serd", ("Faslodex", "fulvestran")),
    Drug("elacestrant", "L02BA04", "serd", ("Orserdu",)),
    Drug("imlunestrant", None, "serd", ("Inluriyo",)),
    Drug("tamoxifen", "L02BA01", "serm", ("Nolvadex", "tamoksifen", "tamoxifene", "tamoxifeno", "tamoxifenum")),
    Drug("toremifene", "L02BA02", "serm", ("Fareston", "toremifen")),
    Drug("goserelin", "L02AE03", "gnrh", ("Zoladex", "goserelina", "goséréline")),
    Drug(
        "leuprorelin",
        "L02AE02",
        "gnrh",
        ("Lucrin", "Eligard", "leuprolid", "leuprolide", "Lupron", "Enantone", "leuprorelina"),
    ),
    Drug("triptorelin", "L02AE04", "gnrh", ("Decapeptyl", "triptorelina", "triptoréline")),
    Drug(None, None, "gnrh", ("GnRH", "LHRH", "GnRH analogue", "LHRH analogue", "GnRH analoğu", "LHRH analoğu")),
    Drug("megestrol", "L02AB01", "progestin", ("Megace", "megestrol acetate", "megestrol asetat")),
    Drug(
        None,
        None,
        "endocrine",
        (
            "endocrine",
            "endocrine therapy",
            "endokrin tedavi",
            "hormone therapy",
            "hormonoterapi",
            "hormon tedavisi",
            "endokrine Therapie",
            "hormonothérapie",
            "hormonoterapia",
        ),
    ),
)
_TARGETED = (
    Drug("alpelisib", "L01EM03", "pi3k_mtor", ("Piqray", "BYL719")),
    Drug("inavolisib", None, "pi3k_mtor", ("Itovebi",)),
    Drug("everolimus", "L01EG02", "pi3k_mtor", ("Afinitor", "RAD001", "everolimüs"), ("L01XE10",)),
    Drug("capivasertib", "L01EX27", "pi3k_mtor", ("Truqap",)),
    Drug("olaparib", None, "parp", ("Lynparza",)),
    Drug("talazoparib", None, "parp", ("Talzenna",)),
    Drug("trastuzumab", "L01FD01", "anti_her2", ("Herceptin", "Herzuma", "Ogivri", "Kanjinti"), ("L01XC03",)),
    Drug("pertuzumab", "L01FD02", "anti_her2", ("Perjeta",), ("L01XC13",)),
    # Given for HER2-positive disease alone, so it tells of HER2 as trastuzumab does; T-DXd is given for HER2-low too.
    Drug("trastuzumab emtansine", "L01FD03", "anti_her2", ("Kadcyla", "T-DM1", "trastuzumab emtansin"), ("L01XC14",)),
    Drug("lapatinib", "L01EH01", "anti_her2", ("Tykerb", "Tyverb"), ("L01XE07",)),
    Drug("neratinib", "L01EH02", "anti_her2", ("Nerlynx",), ("L01XE45",)),
    Drug("tucatinib", "L01EH03", "anti_her2", ("Tukysa",)),
    Drug(
        "trastuzumab deruxtecan",
        "L01FD04",
        "adc",
        ("Enhertu", "DS-8201", "DS-8201a", "T-DXd", "trastuzumab derukstekan", "fam-trastuzumab deruxtecan"),
        ("L01XC41",),
    ),
    Drug("sacituzumab govitecan", "L01FX17", "adc", ("Trodelvy", "sacituzumab", "sasituzumab govitekan")),
    Drug("datopotamab deruxtecan", None, "adc", ("Datroway", "Dato-DXd")),
    Drug("bevacizumab", "L01FG01", "vegf", ("Avastin", "bevasizumab"), ("L01XC07",)),
    Drug("pembrolizumab", "L01FF02", "immunotherapy", ("Keytruda",), ("L01XC18",)),
    Drug("atezolizumab", "L01FF05", "immunotherapy", ("Tecentriq",), ("L01XC32",)),
    Drug(
        None,
        None,
        "targeted",
        ("targeted", "targeted therapy", "hedefe yönelik tedavi", "zielgerichtete Therapie", "thérapie ciblée"),
    ),
)
_CHEMOTHERAPY = (
    Drug("capecitabine", "L01BC06", "chemotherapy", ("Xeloda", "kapesitabin", "capecitabin", "capecitabina")),
    Drug("fluorouracil", "L01BC02", "chemotherapy", ("5-FU", "5-fluorouracil", "florourasil")),
    Drug("gemcitabine", "L01BC05", "chemotherapy", ("Gemzar", "gemsitabin", "gemcitabin", "gemcitabina")),
    Drug("methotrexate", "L01BA01", "chemotherapy", ("metotreksat", "methotrexat", "metotrexato", "MTX")),
    Drug("docetaxel", "L01CD02", "chemotherapy", ("Taxotere", "dosetaksel")),
    Drug("paclitaxel", "L01CD01", "chemotherapy", ("Taxol", "paklitaksel", "nab-paclitaxel", "Abraxane")),
    Drug(
        "doxorubicin",
        "L01DB01",
        "chemotherapy",
        ("Adriamycin", "Caelyx", "doksorubisin", "Adriamisin", "doxorubicina", "pegylated liposomal doxorubicin"),
    ),
    Drug("epirubicin", "L01DB03", "chemotherapy", ("Ellence", "epirubisin", "Farmorubicin", "epirubicina")),
    Drug("cyclophosphamide", "L01AA01", "chemotherapy", ("Endoxan", "siklofosfamid", "Cyclophosphamid")),
    Drug("vinorelbine", "L01CA04", "chemotherapy", ("Navelbine", "vinorelbin", "vinorelbina")),
    Drug("eribulin", "L01XX41", "chemotherapy", ("Halaven", "eribulina", "éribuline")),
    Drug("carboplatin", "L01XA02", "chemotherapy", ("karboplatin", "Paraplatin", "carboplatino")),
    Drug("cisplatin", "L01XA01", "chemotherapy", ("sisplatin", "cisplatino")),
    Drug(
        None,
        None,
        "chemotherapy",
        ("chemotherapy", "kemoterapi", "Chemotherapie", "chimiothérapie", "quimioterapia", "chemo", "chemio"),
    ),
)
_SUPPORTIVE = (
    Drug("zoledronic acid", "M05BA08", "supportive", ("Zometa", "zoledronat", "zoledronik asit", "Zoledronsäure")),
    Drug("denosumab", "M05BX04", "supportive", ("Xgeva", "Prolia")),
    Drug("ibandronic acid", "M05BA06", "supportive", ("Bondronat", "ibandronat", "ibandronik asit")),
    Drug("pamidronic acid", "M05BA03", "supportive", ("Aredia", "pamidronat")),
    Drug("filgrastim", "L03AA02", "supportive", ("Neupogen", "G-CSF")),
    Drug("pegfilgrastim", "L03AA13", "supportive", ("Neulasta",)),
    Drug("dexamethasone", "H02AB02", "supportive", ("Decadron", "deksametazon", "Dexamethason")),
    Drug(None, None, "supportive", ("bisphosphonate", "bifosfonat", "Bisphosphonat")),
)

DICTIONARY: tuple[Drug, ...] = (*_CDK46, *_ENDOCRINE, *_TARGETED, *_CHEMOTHERAPY, *_SUPPORTIVE)

COMBINATIONS: tuple[Combination, ...] = (
    Combination(("Kisqali Femara", "Kisqali Femara Co-Pack"), ("ribociclib", "letrozole")),
    Combination(("AC",), ("doxorubicin", "cyclophosphamide")),
    Combination(("EC",), ("epirubicin", "cyclophosphamide")),
    Combination(("FEC", "CEF"), ("fluorouracil", "epirubicin", "cyclophosphamide")),
    Combination(("FAC", "CAF"), ("fluorouracil", "doxorubicin", "cyclophosphamide")),
    Combination(("CMF",), ("cyclophosphamide", "methotrexate", "fluorouracil")),
)
