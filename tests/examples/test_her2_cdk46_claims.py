"""The claims file of the bundled study holds every number that the article prints about its results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from riskset.claims import load

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "src" / "riskset" / "examples" / "her2_cdk46"

# Numbers of the article that are no results: years, scores, the "first 4 lines", the DOI, percentages' words.
NO_RESULTS = {"0", "1", "2", "4", "2018", "2022", "2025", "27", "10.1155", "5577345"}


@pytest.fixture(scope="module")
def claims():
    return load((EXAMPLE / "claims.yaml").read_text(encoding="utf-8"))


def test_every_number_of_the_article_is_claimed(claims, shared_data):
    text = (shared_data.parent / "article.txt").read_text(encoding="utf-8")
    plain = re.sub(r"HER2|HER-2|CDK4/6|HR\+|[12]\+", "", text)
    printed = {n if not n.startswith(".") else f"0{n}" for n in re.findall(r"(?<![\w.])\d*\.?\d+", plain)}
    claimed = {str(claim.value) for claim in claims.published if claim.value is not None}
    pvalues = {value for value in claimed if value.startswith("0.")}
    assert {"0.40", "0.26", "0.04", "0.02"} == pvalues
    assert printed - NO_RESULTS == claimed


def test_claims_point_at_analyses_and_groups_of_the_study(claims):
    study = YAML(typ="safe").load((EXAMPLE / "study.yaml").read_text(encoding="utf-8"))
    analyses = {*study["analyses"], "attrition"}
    variables = {*study["covariates"], *study["biomarkers"]}
    for claim in claims.published:
        assert claim.row["analysis"] in analyses
        assert {claim.row.get("group"), claim.row.get("variable")} - {None} <= variables
        assert claim.row.get("population") in {None, "included", *study["populations"]}
