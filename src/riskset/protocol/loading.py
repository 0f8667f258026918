"""From the text of a study file or mapping file to its frozen value, or to all its problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from riskset.errors import Problem, StudyFileError
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
    protocol = _validate(vocabulary.model, document, lambda: json_schema(vocabulary))
    found = [*reference_problems(protocol, vocabulary.reserved), *_inline_mappings(protocol)]
    _raise([document.locations.problem(path, message) for path, message in found])
    return protocol.located(document.locations)


def load_mapping(text: str, *, file: str | None = None) -> MappingFile:
    """Load a mapping file.

    Raises
    ------
    StudyFileError
        With all problems of the file, in the order of their lines.
    """
    document = parse_document(text, file=file)
    mapping = _validate(MappingFile, document, mapping_json_schema)
    _raise([document.locations.problem(path, message) for path, message in mapping_problems(mapping)])
    return mapping


def _validate(model: type[_Model], document: Document, schema: Callable[[], JsonSchema]) -> _Model:
    problems = list(document.problems)
    value = None
    try:
        value = model.model_validate(document.data)
    except ValidationError as error:
        problems += reword(error.errors(include_url=False), document.data, document.locations, schema)
    _raise(problems)
    assert value is not None
    return value


def _inline_mappings(protocol: Protocol) -> Iterator[tuple[Path_, str]]:
    for centre, spec in protocol.centres.items():
        mapping: Any = spec.mapping
        if isinstance(mapping, MappingFile):
            for path, message in mapping_problems(mapping):
                yield ("centres", centre, "mapping", *path), message


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise StudyFileError(sorted(problems, key=lambda p: (p.line or 0, p.column or 0, p.path, p.message)))
