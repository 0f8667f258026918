"""What the rooms add to the study file: which kinds of analysis, endpoint, covariate and biomarker there are.

The protocol knows none of them by name. `study` collects the registries of the rooms in a `Vocabulary`, and from it
come both the model that reads a study file and the JSON Schema that helps to write one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, create_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from riskset.protocol.mapping import MappingFile
from riskset.protocol.model import Id, Policy, Protocol
from riskset.protocol.spec import Spec


@dataclass(frozen=True)
class Vocabulary:
    """The spec models that a study file may use, by name.

    Parameters
    ----------
    analyses, endpoints
        Kind -> spec model; in the file `kind` chooses.
    covariates
        Rule -> spec model; in the file `rule` chooses.
    biomarkers
        Biomarker -> spec model; in the file its key chooses.
    checks
        Id of a quality check -> what it means, in one line.
    reserved
        Ids that no analysis of a study may take, as the program's own analyses have them.
    """

    analyses: Mapping[str, type[Spec]] = field(default_factory=dict)
    biomarkers: Mapping[str, type[Spec]] = field(default_factory=dict)
    covariates: Mapping[str, type[Spec]] = field(default_factory=dict)
    endpoints: Mapping[str, type[Spec]] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()

    @cached_property
    def model(self) -> type[Protocol]:
        """The concrete model of a study file in this vocabulary."""
        rules, kinds = _OneOf("rule", self.covariates), _OneOf("kind", self.endpoints)
        analyses, biomarkers = _OneOf("kind", self.analyses), _Keyed(self.biomarkers)
        checks = _Keyed({check: _policy(meaning) for check, meaning in self.checks.items()})
        return create_model(
            "StudyFile",
            __base__=Protocol,
            biomarkers=(Annotated[dict[str, Any], biomarkers], {}),
            covariates=(dict[Id, Annotated[Any, rules]], {}),
            endpoints=(dict[Id, Annotated[Any, kinds]], {}),
            analyses=(dict[Id, Annotated[Any, analyses]], {}),
            quality=(Annotated[dict[str, Policy], checks], {}),
        )


def _policy(meaning: str) -> Any:
    return Annotated[Policy, Field(description=meaning)]


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the study file, for editors that complete and check YAML by it."""
    return _dialect(vocabulary.model.model_json_schema(), "riskset study file")


def mapping_json_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the mapping file."""
    return _dialect(MappingFile.model_json_schema(), "riskset mapping file")


def _dialect(schema: dict[str, Any], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_closed(schema), "title": title}


def _closed(schema: Any) -> Any:
    """Refuse keys that match no pattern too: pydantic leaves them out of the schema of a mapping keyed by id."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    return {**closed, "additionalProperties": False} if "patternProperties" in closed else closed


class _OneOf:
    """A value whose `key` chooses the model that reads it."""

    def __init__(self, key: str, models: Mapping[str, type[Spec]]) -> None:
        self.key = key
        self.models = models

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        if not self.models:  # pydantic builds no union of nothing
            return core_schema.no_info_plain_validator_function(self._none)
        choices = {name: handler.generate_schema(model) for name, model in self.models.items()}
        return core_schema.tagged_union_schema(choices, discriminator=self.key)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) if self.models else {"not": {}}

    def _none(self, _: Any) -> None:
        raise PydanticCustomError("unknown", "There is no {key} to choose from here; leave it out.", {"key": self.key})


class _Keyed:
    """A mapping whose keys are fixed, each with its own model; all are optional."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        self.models = models

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        fields = {
            name: core_schema.typed_dict_field(handler.generate_schema(model), required=False)
            for name, model in self.models.items()
        }
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid", total=False)
