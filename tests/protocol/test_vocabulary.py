"""The JSON Schema that editors complete and check study files by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.protocol.small_study import VOCABULARY

from riskset.protocol import Vocabulary, json_schema, mapping_json_schema


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            elif key == "mapping" and all(isinstance(v, str) for v in inner.values()):
                yield from inner.values()
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_the_schema_stands_alone() -> None:
    for schema in (json_schema(VOCABULARY), mapping_json_schema(), json_schema(Vocabulary())):
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert json.loads(json.dumps(schema)) == schema
        references = set(_references(schema))
        assert references
        assert all(r.startswith("#/$defs/") and r.removeprefix("#/$defs/") in schema["$defs"] for r in references)


def test_the_schema_knows_the_registered_kinds() -> None:
    schema = json_schema(VOCABULARY)
    analyses = next(iter(schema["properties"]["analyses"]["patternProperties"].values()))
    assert analyses["discriminator"]["propertyName"] == "kind"
    assert set(analyses["discriminator"]["mapping"]) == {"survival", "cox"}
    assert len(analyses["oneOf"]) == 2
    covariates = next(iter(schema["properties"]["covariates"]["patternProperties"].values()))
    assert covariates["discriminator"]["propertyName"] == "rule"
    biomarkers = schema["properties"]["biomarkers"]
    assert (list(biomarkers["properties"]), biomarkers["additionalProperties"]) == (["her2"], False)
    quality = schema["properties"]["quality"]
    assert quality["properties"]["V05"]["description"] == "dates in the future"
    assert "set_missing" in quality["properties"]["V05"]["enum"]


def test_unknown_keys_are_outside_the_schema() -> None:
    schema = json_schema(VOCABULARY)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"riskset", "study", "centres"}
    assert all(
        definition["additionalProperties"] is False
        for definition in schema["$defs"].values()
        if definition.get("type") == "object"
    )


def test_ids_are_inside_the_schema() -> None:
    for section in ("centres", "covariates", "endpoints", "populations", "analyses"):
        schema = json_schema(VOCABULARY)["properties"][section]
        assert list(schema["patternProperties"]) == ["^[a-z][a-z0-9_]*$"]
        assert schema["additionalProperties"] is False


def test_unquoted_numbers_may_stand_for_text_in_a_mapping() -> None:
    defaults = mapping_json_schema()["$defs"]["MappingDefaults"]["properties"]
    assert defaults["missing"]["items"] == {"type": ["string", "number"]}


def test_nothing_can_be_chosen_from_an_empty_vocabulary() -> None:
    analyses = json_schema(Vocabulary())["properties"]["analyses"]
    assert next(iter(analyses["patternProperties"].values())) == {"not": {}}
