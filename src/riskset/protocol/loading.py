"""From the text of a study file or mapping file to its frozen value, or to all its problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from riskset.errors import StudyFileError
from riskset.protocol.document import Document, Path_, parse_document
from riskset.protocol.mapping import MappingFile, mapping_problems
from riskset.protocol.model import Protocol
from riskset.protocol.references import reference_problems
from riskset.protocol.rewording import JsonSchema, reword
from riskset.protocol.vocabulary import Vocabulary, json_schema, mapping_json_schema

_Model = TypeVar("_Model", bound=BaseModel)


def load(text: str, vocabulary: Vocabulary, *, file: str | None = None) -> Protocol:
    """Load a study file.

    Parameters
    ----------
    text
        The YAML text.
    vocabulary
        What the rooms have registered.
    file
        Name of the file, for messages.

    Raises
    ------
    StudyFileError
        With all problems of the file, in the order of their lines.
    """
    document = parse_document(text, file=file)
    further = [*reference_problems(document.data, vocabulary.reserved), *_inline_problems(document.data)]
    protocol = _validate(vocabulary.model, document, further, lambda: json_schema(vocabulary))
    protocol.locate(document.locations)
    for centre, spec in protocol.centres.items():
        if isinstance(spec.mapping, MappingFile):
            spec.mapping.locate(document.locations.under(("centres", centre, "mapping")))
    return protocol


def load_mapping(text: str, *, file: str | None = None) -> MappingFile:
    """Load a mapping file.

    Raises
    ------
    StudyFileError
        With all problems of the file, in the order of their lines.
    """
    document = parse_document(text, file=file)
    mapping = _validate(MappingFile, document, mapping_problems(document.data), mapping_json_schema)
    mapping.locate(document.locations)
    return mapping


def load_model(text: str, model: type[_Model], *, file: str | None = None) -> _Model:
    """Load any further YAML file of a study (such as its claims) into a model.

    Raises
    ------
    StudyFileError
        With all problems of the file, in the order of their lines.
    """
    return _validate(model, parse_document(text, file=file), (), model.model_json_schema)


def _validate(
    model: type[_Model], document: Document, further: Iterable[tuple[Path_, str]], schema: Callable[[], JsonSchema]
) -> _Model:
    """Build the model, or raise with the problems of the YAML, of the model and the `further` ones together."""
    problems = [*document.problems, *(document.locations.problem(path, message) for path, message in further)]
    value = None
    try:
        value = model.model_validate(document.data)
    except ValidationError as error:
        problems += reword(error.errors(include_url=False), document.data, document.locations, schema)
    if value is None or problems:
        ordered = sorted(set(problems), key=lambda p: (p.line or 0, p.column or 0, p.path, p.message))
        raise StudyFileError(ordered)
    return value


def _inline_problems(data: dict[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Give the problems of the mappings that stand in the study file itself."""
    centres = data.get("centres")
    for centre, spec in centres.items() if isinstance(centres, dict) else ():
        if isinstance(spec, dict):
            for path, message in mapping_problems(spec.get("mapping")):
                yield ("centres", centre, "mapping", *path), message
