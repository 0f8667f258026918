"""The mapping file: how one hospital's files become the canonical tables. Nothing that it does not name is read.

A mapping is a list of blocks. A block reads one sheet into one canonical table: `fields` says which column feeds which
field, `constants` gives fixed values, and each entry of `repeat` makes one more row from the same row of the sheet.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from riskset.protocol.codes import NEEDED, check_field, check_value, fold_text
from riskset.protocol.conditions import Condition
from riskset.protocol.paths import InsidePath
from riskset.protocol.spec import FileSpec, Spec


def _iso(value: Any) -> Any:
    """Write a date as text: YAML reads an unquoted 2020-01-31 as a date."""
    return value.isoformat() if isinstance(value, date) else value


Scalar = Annotated[bool | int | float | str | None, BeforeValidator(_iso)]
Dates = Literal["dmy", "mdy", "ymd"]
Decimal = Literal[",", "."]
FieldType = Literal["text", "number", "integer", "date", "boolean"]
TableName = Literal["patients", "samples", "drugs", "assessments", "organs", "contacts", "supplied"]


def _text(value: Any) -> Any:
    """Read an unquoted number as the text that it stands for: a column may be called 2019, a missing code be -9."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_TEXT_SCHEMA = WithJsonSchema({"type": ["string", "number"]})
Text = Annotated[str, BeforeValidator(_text), _TEXT_SCHEMA]
Name = Annotated[str, Field(min_length=1), BeforeValidator(_text), _TEXT_SCHEMA]


class FieldSpec(Spec):
    """Where one field's values come from, and how their text is read.

    Exactly one of `column`, `row_number` and `constant` says where. `codes` translates texts, compared without regard
    to case and outer blanks; a code of null means missing. `missing` adds texts that mean missing in this column.
    """

    column: Name | None = None
    row_number: bool = False
    constant: Scalar = None
    codes: dict[Text, Scalar] | None = Field(default=None, min_length=1)
    unit: str | None = None
    dates: Dates | None = None
    decimal: Decimal | None = None
    type: FieldType | None = None
    split: Annotated[str, Field(min_length=1)] | None = None
    missing: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSpec:
        given = [self.column is not None, self.row_number, self.constant is not None]
        if sum(given) != 1:
            raise PydanticCustomError(
                "origin", "A field takes its values from one place; give 'column', 'row_number: true' or 'constant'."
            )
        if self.split is not None and self.column is None:
            raise PydanticCustomError("split", "'split' divides the cells of a column; give the field a 'column'.")
        return self

    @field_validator("codes")
    @classmethod
    def _codes_differ(cls, codes: dict[str, Scalar] | None) -> dict[str, Scalar] | None:
        seen: dict[str, str] = {}
        for text, value in (codes or {}).items():
            other = seen.setdefault(fold_text(text), text)
            if codes is not None and codes[other] != value:
                raise PydanticCustomError(
                    "codes",
                    "The codes '{a}' and '{b}' are the same text but for case and blanks; keep one of them.",
                    {"a": other, "b": text},
                )
        return codes

    @property
    def folded_codes(self) -> dict[str, Scalar]:
        """`codes` by folded text: look up `fold_text(cell)`."""
        return {fold_text(text): value for text, value in (self.codes or {}).items()}


RepeatEntry: TypeAlias = dict[str, FieldSpec | Scalar]


class Block(Spec):
    """One sheet read into one canonical table; `header_row` counts from 1, as spreadsheets do."""

    file: InsidePath
    table: TableName
    sheet: Text | None = None
    header_row: Annotated[int, Field(ge=1)] = 1
    where: Condition | None = None
    complete: bool = False
    fields: dict[str, FieldSpec] = Field(min_length=1)
    constants: dict[str, Scalar] = Field(default_factory=dict)
    repeat: list[RepeatEntry] = Field(default_factory=list)

    def rows(self) -> Iterator[tuple[dict[str, FieldSpec], dict[str, Scalar]]]:
        """Give the fields and constants of each row that one row of the sheet makes: one, or one a repeat entry."""
        for entry in self.repeat or [{}]:
            fields = {name: value for name, value in entry.items() if isinstance(value, FieldSpec)}
            constants = {name: value for name, value in entry.items() if not isinstance(value, FieldSpec)}
            yield {**self.fields, **fields}, {**self.constants, **constants}

    @property
    def columns(self) -> frozenset[str]:
        """Columns of the sheet that the block uses, in fields and in `where`."""
        used = {f.column for fields, _ in self.rows() for f in fields.values() if f.column is not None}
        return frozenset(used | (self.where.columns if self.where else set()))


class MappingDefaults(Spec):
    """What holds for every block unless a field says otherwise."""

    dates: Dates | None = None
    decimal: Decimal = "."
    missing: list[Text] = Field(default_factory=list)
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            # Encodes text to bytes: that alone tells a text encoding from codecs such as `zip`.
            "a".encode(codecs.lookup(name).name)
        except (LookupError, ValueError, TypeError):
            raise PydanticCustomError(
                "encoding", "There is no text encoding '{name}'; write utf-8 or cp1254, say.", {"name": name}
            ) from None
        return name


class Her2Declaration(Spec):
    """What the hospital's way of writing HER2 results means where the text alone cannot tell."""

    plus_scale: Literal["ordinal"] | None = None
    zero_plus: Literal["zero", "ultralow"] | None = None


class MappingFile(FileSpec):
    """A whole mapping file."""

    mapping: Literal[1] = 1
    defaults: MappingDefaults = MappingDefaults()
    ignore: list[Text] = Field(default_factory=list)
    unmapped_columns: Literal["list", "refuse"] = "list"
    drugs: dict[Text, str] = Field(default_factory=dict)
    her2: Her2Declaration = Her2Declaration()
    blocks: list[Block] = Field(min_length=1)


_Path: TypeAlias = tuple[str | int, ...]
_Found: TypeAlias = Iterator[tuple[_Path, str]]


def mapping_problems(data: Any) -> _Found:
    """Give what the models alone cannot see: fields against the canonical schema.

    Parameters
    ----------
    data
        A mapping file as plain values. Blocks that break the model's rules are passed over: their problems are told
        already.

    Yields
    ------
    tuple
        Path in the file, and one sentence.
    """
    blocks = data.get("blocks") if isinstance(data, dict) else None
    for number, raw in enumerate(blocks if isinstance(blocks, list) else []):
        try:
            block = Block.model_validate(raw)
        except ValidationError:
            continue
        yield from _block_problems(block, ("blocks", number))


def _block_problems(block: Block, at: _Path) -> _Found:
    if "patient" not in block.fields:
        yield (*at, "fields"), "The field 'patient' is missing; name its column, or write patient: {row_number: true}."
    if "patient" in block.constants:
        yield (*at, "constants", "patient"), "A patient id cannot be constant; give the field 'patient' a column."
    for name, field in block.fields.items():
        yield from _field_problems(block, name, field, (*at, "fields", name))
    for name, constant in block.constants.items():
        yield from _constant_problems(block, name, constant, (*at, "constants", name))
    for position, entry in enumerate(block.repeat):
        yield from _entry_problems(block, entry, (*at, "repeat", position))
    yield from _split_problems(block, at)
    needed = NEEDED.get(block.table)
    if needed and any(needed not in {**fields, **constants} for fields, constants in block.rows()):
        yield (*at, "fields"), f"The field '{needed}' is missing; rows of '{block.table}' say nothing without it."


def _field_problems(block: Block, name: str, field: FieldSpec, at: _Path) -> _Found:
    message = check_field(block.table, name, field.type)
    if message:
        yield at, message
        return
    if field.constant is not None:
        yield from _value_problem(block, name, field.constant, (*at, "constant"), field.type)
    for text, value in (field.codes or {}).items():
        yield from _value_problem(block, name, value, (*at, "codes", text), field.type)


def _constant_problems(block: Block, name: str, value: Scalar, at: _Path) -> _Found:
    # A constant's type shows in its value, so a further field needs no `type` here.
    message = check_field(block.table, name, None, typed=True)
    if message:
        yield at, message
    elif name in block.fields:
        yield at, f"'{name}' is given twice, as a field and as a constant; keep one of them."
    else:
        yield from _value_problem(block, name, value, at)


def _entry_problems(block: Block, entry: RepeatEntry, at: _Path) -> _Found:
    for name, value in entry.items():
        if name in block.fields or name in block.constants:
            yield (*at, name), f"'{name}' is given in the block too; keep one of them."
        elif isinstance(value, FieldSpec):
            yield from _field_problems(block, name, value, (*at, name))
        else:
            yield from _constant_problems(block, name, value, (*at, name))


def _value_problem(block: Block, name: str, value: Scalar, at: _Path, declared: FieldType | None = None) -> _Found:
    message = check_value(block.table, name, value, declared)
    if message:
        yield at, message


def _split_problems(block: Block, at: _Path) -> _Found:
    for fields, _ in block.rows():
        divided = [name for name, field in fields.items() if field.split is not None]
        if len(divided) > 1:
            names = " and ".join(f"'{n}'" for n in divided)
            yield at, f"Only one field of a block can be split, but {names} are; use one block for each."
            return
