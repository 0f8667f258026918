"""Covariates: what is known of a patient at the index date. Rules are data (one spec a rule) with one executor."""

from __future__ import annotations

from riskset.covariates.at_index import AgeAtIndex, IndexDrug, IndexYear
from riskset.covariates.classes import Classes
from riskset.covariates.executor import CHECKS, add_covariates, columns, problems
from riskset.covariates.lookup import ColumnValue, Recorded, SampleValue, SuppliedValue
from riskset.covariates.organs import BoneOnly, OrganCount, Visceral
from riskset.covariates.setting import Setting
from riskset.covariates.spec import CovariateSpec
from riskset.covariates.treatment import EndocrinePartner, Line, PriorTherapy
from riskset.protocol import Spec

SPECS: dict[str, type[Spec]] = {
    "age_at_index": AgeAtIndex,
    "setting": Setting,
    "visceral": Visceral,
    "n_organs": OrganCount,
    "bone_only": BoneOnly,
    "line": Line,
    "classes": Classes,
    "index_year": IndexYear,
    "index_drug": IndexDrug,
    "endocrine_partner": EndocrinePartner,
    "prior_therapy": PriorTherapy,
    "sample_value": SampleValue,
    "column": ColumnValue,
    "recorded": Recorded,
    "supplied": SuppliedValue,
}

__all__ = ["CHECKS", "SPECS", "CovariateSpec", "add_covariates", "columns", "problems"]
