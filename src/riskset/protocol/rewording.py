"""From pydantic's errors to problems: one plain sentence each, with a remedy and the place in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic_core import ErrorDetails

from riskset.errors import Problem, did_you_mean
from riskset.protocol.document import Locations, Path_

JsonSchema: TypeAlias = Mapping[str, Any]


def reword(
    errors: Sequence[ErrorDetails],
    data: Any,
    locations: Locations,
    schema: Callable[[], JsonSchema],
    prefix: Path_ = (),
) -> list[Problem]:
    """Turn validation errors into problems.

    Parameters
    ----------
    errors
        As `ValidationError.errors()` gives them.
    data
        What was validated: plain values.
    locations
        Places of the values.
    schema
        Gives the JSON Schema of the model; asked only when there is an error, to name the keys that exist.
    prefix
        Path of `data` in the file.
    """
    whole = schema()
    problems: list[Problem] = []
    for path, group in _by_path(errors, data).items():
        error = group[0]
        if error["type"] == "extra_forbidden":
            key = str(path[-1])
            known = _known_keys(whole, error["loc"][:-1])
            problems.append(locations.problem((*prefix, *path), _unknown_key(key, known), key=True))
        elif error["type"] == "missing":
            message = f"'{path[-1]}' is missing; add it."
            problems.append(locations.problem((*prefix, *path), message))
        elif "[key]" in error["loc"]:
            problems.append(locations.problem((*prefix, *path), _sentence(error, path), key=True))
        else:
            problems.append(locations.problem((*prefix, *path), " ".join(_sentences(group, path))))
    return problems


def _unknown_key(key: str, known: Sequence[str]) -> str:
    hint = did_you_mean(key, known)
    if hint:
        return f"There is no key '{key}' here{hint}."
    return f"There is no key '{key}' here; the keys are {', '.join(known) or 'none'}."


def _by_path(errors: Sequence[ErrorDetails], data: Any) -> dict[Path_, list[ErrorDetails]]:
    """Group errors by their path in the file.

    A value that fits no member of a union gives one error for each member; where one member was entered further, the
    errors inside it say more than that the other members do not fit.
    """
    groups: dict[Path_, list[ErrorDetails]] = {}
    entered: set[Path_] = set()
    for error in errors:
        path = _path(error, data)
        groups.setdefault(path, []).append(error)
        entered.update(path[:i] for i in range(len(path)))
    return {path: group for path, group in groups.items() if path not in entered or not _of_union(group, path)}


def _of_union(group: Sequence[ErrorDetails], path: Path_) -> bool:
    return all(len(error["loc"]) > len(path) and error["type"] != "missing" for error in group)


def _path(error: ErrorDetails, data: Any) -> Path_:
    """Give the path in the file: pydantic's, without the names of union members between."""
    path: list[str | int] = []
    for part in error["loc"]:
        here = data
        if isinstance(here, list):
            here = dict(enumerate(here))
        if isinstance(here, dict) and part in here:
            data = here[part]
            path.append(part)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _sentences(group: Sequence[ErrorDetails], path: Path_) -> list[str]:
    """Say each thing once; of a union's members, the first that is not about the kind of value alone."""
    telling = [e for e in group if e["type"] not in _KINDS_OF_VALUE]
    if telling:
        return [_sentence(telling[0], path)]
    kinds = list(dict.fromkeys(_KINDS_OF_VALUE[e["type"]] for e in group))
    return [f"{_called(path)} has to be {' or '.join(kinds)}."]


def _called(path: Path_) -> str:
    names = [str(p) for p in path if isinstance(p, str)]
    if not names:
        return "The file"
    return f"An entry of '{names[-1]}'" if isinstance(path[-1], int) else f"'{names[-1]}'"


def _sentence(error: ErrorDetails, path: Path_) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _KINDS_OF_VALUE:
        return f"{_called(path)} has to be {_KINDS_OF_VALUE[kind]}."
    if kind in _BOUNDS:
        return f"{_called(path)} has to be {_BOUNDS[kind].format_map(context)}."
    if kind == "string_pattern_mismatch":
        name = str(error["input"])[:60]
        return f"'{name}' is no id; use small letters, digits and _, beginning with a letter."
    if kind == "literal_error":
        return _choice(path, error["input"], [str(c) for c in _choices(context["expected"])])
    if kind == "union_tag_invalid":
        key = str(context["discriminator"]).strip("'")
        given = error["input"].get(key) if isinstance(error["input"], Mapping) else context["tag"]
        return _choice((key,), given, _choices(context["expected_tags"]))
    if kind == "union_tag_not_found":
        key = str(context["discriminator"]).strip("'")
        return f"{_called(path)} says no '{key}'; add it."
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    message = error["msg"]
    return message if message.endswith(".") else f"{_called(path)}: {message}."


def _choices(listed: str) -> list[str]:
    """Read pydantic's list of allowed values: `'a', 'b' or 'c'`."""
    return [part.strip().strip("'") for part in listed.replace(" or ", ", ").split(", ") if part.strip()]


def _choice(path: Path_, given: Any, known: Sequence[str]) -> str:
    if isinstance(given, list | Mapping):  # its Python form would tell nobody anything, and may be long
        kind = "a list" if isinstance(given, list) else "a mapping"
        return f"{_called(path)} has to be {' or '.join(known) or 'left out'}, not {kind}."
    given = str(given)[:60]
    return (
        f"{_called(path)} cannot be '{given}'{did_you_mean(given, known)}; it is one of {', '.join(known) or 'none'}."
    )


_KINDS_OF_VALUE = {
    "string_type": "text (put it in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping of 'key: value'",
    "model_type": "a mapping of 'key: value'",
    "model_attributes_type": "a mapping of 'key: value'",
    "dict_attributes_type": "a mapping of 'key: value'",
    "none_required": "empty",
    "finite_number": "a number that is neither infinite nor NaN",
    "date_type": "a date as YYYY-MM-DD",
    "date_parsing": "a date as YYYY-MM-DD",
    "date_from_datetime_parsing": "a date as YYYY-MM-DD",
    "date_from_datetime_inexact": "a date as YYYY-MM-DD",
}

_BOUNDS = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text that is not empty",
    "string_too_long": "text of at most {max_length} character(s)",
    "too_short": "given at least {min_length} entry",
    "too_long": "given at most {max_length} entries",
}


# --- which keys exist at a place --------------------------------------------------------------------------------


def _known_keys(whole: JsonSchema, loc: Sequence[str | int]) -> list[str]:
    """Follow an error's path through the JSON Schema and give the keys of the mapping where it ends."""
    places: list[JsonSchema] = [whole]
    for part in loc:
        following = [step for place in places for step in _follow(place, part, whole)]
        places = following or places  # the name of a union's member leads nowhere: stay
    found = [key for place in places for option in _options(place, whole) for key in option.get("properties", {})]
    return list(dict.fromkeys(found))


def _follow(place: JsonSchema, part: str | int, whole: JsonSchema) -> Iterator[JsonSchema]:
    mapping = _resolved(place, whole).get("discriminator", {}).get("mapping", {})
    if part in mapping:
        yield _resolved({"$ref": mapping[part]}, whole)
        return
    for option in _options(place, whole):
        if isinstance(part, int):
            if "items" in option:
                yield option["items"]
        elif part in option.get("properties", {}):
            yield option["properties"][part]
        elif isinstance(option.get("additionalProperties"), dict):
            yield option["additionalProperties"]
        else:
            yield from option.get("patternProperties", {}).values()


def _options(place: JsonSchema, whole: JsonSchema) -> Iterator[JsonSchema]:
    place = _resolved(place, whole)
    members = [*place.get("anyOf", []), *place.get("oneOf", []), *place.get("allOf", [])]
    if not members:
        yield place
    for member in members:
        yield from _options(member, whole)


def _resolved(place: JsonSchema, whole: JsonSchema) -> JsonSchema:
    while "$ref" in place:
        found: Any = whole
        for step in str(place["$ref"]).removeprefix("#/").split("/"):
            found = found[step]
        place = found
    return place
