"""Changing one value of a study file and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.small_study import STUDY, VOCABULARY

from riskset.errors import StudyFileError
from riskset.protocol import edit, load
from riskset.protocol.document import parse_document

TEXT = """\
# above
study:
  id: small     # the id
  title: 'It''s small'
  note: |
    two
    lines
  empty:

# between
list:
- one   # first
- two
nested:
    - {a: 1, b: [x, y]}

    # inside
    - a: 2
      b: 3
last: 1 # end"""


def test_comments_order_and_layout_stay() -> None:
    changed = edit(STUDY, "covariates.age.rule", "classes")
    assert changed == STUDY.replace("age_at_index}          # at", "classes}          # at")
    assert edit(STUDY, ("eligibility", 0, "where"), "age >= 21") == STUDY.replace("age >= 18", '"age >= 21"')


def test_an_edited_study_loads() -> None:
    changed = edit(edit(STUDY, "endpoints.pfs.scheme", "fda_a"), "study.data_cutoff", date(2023, 3, 31))
    assert changed != STUDY
    protocol = load(changed, VOCABULARY)
    assert protocol.endpoints["pfs"].scheme == "fda_a"
    assert protocol.study.data_cutoff == date(2023, 3, 31)


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("study.id", "large", "id: small     #", "id: large     #"),
        ("study.title", "It's large", "'It''s small'", "'It''s large'"),
        ("study.title", 3, "'It''s small'", "3"),
        ("study.note", "one line", "|\n    two\n    lines\n", "one line\n"),
        ("study.empty", "full", "empty:\n", "empty: full\n"),
        ("study.empty", None, "empty:\n", "empty: null\n"),
        ("study.new", True, "empty:\n", "empty:\n  new: true\n"),
        ("list[0]", "uno", "- one   #", "- uno   #"),
        ("list", ["a", "b c"], "list:\n- one   # first\n- two\n", "list: [a, b c]\n"),
        ("nested[0].a", 1.5, "{a: 1,", "{a: 1.5,"),
        ("nested[0].b[1]", "no", "[x, y]", '[x, "no"]'),
        ("nested[0].c", {"d": [1, None]}, "[x, y]}", "[x, y], c: {d: [1, null]}}"),
        ("nested[1].b", "a: b # c", "b: 3", 'b: "a: b # c"'),
        ("nested[1].c", "", "b: 3\n", 'b: 3\n      c: ""\n'),
        ("last", "2", "last: 1 #", 'last: "2" #'),
        ("final", date(2020, 1, 31), "last: 1 # end", "last: 1 # end\nfinal: 2020-01-31\n"),
    ],
)
def test_one_value(path: str, value: Any, old: str, new: str) -> None:
    assert old in TEXT
    assert edit(TEXT, path, value) == TEXT.replace(old, new, 1)


def test_line_ends_of_windows_stay() -> None:
    text = TEXT.replace("\n", "\r\n")
    assert edit(text, "study.id", "large") == text.replace("id: small", "id: large")
    assert edit(text, "study.new", 1) == text.replace("  empty:\r\n", "  empty:\r\n  new: 1\r\n")


@pytest.mark.parametrize("path", ["absent.id", "list.id", "list[5]", "study.id.x", ""])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(StudyFileError):
        edit(TEXT, path, 1)


def test_an_edit_that_would_change_another_value_is_refused() -> None:
    with pytest.raises(StudyFileError, match="by hand"):
        edit("a: &x [1]\nb: *x\n", "a[0]", 2)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), inner),
    max_leaves=4,
)


_paths = st.sampled_from(["study.id", "study.title", "study.empty", "list", "nested[0].b", "nested[1]", "last", "x"])


@given(value=_values, path=_paths)
def test_what_is_set_is_read_back_and_nothing_else_changes(value: Any, path: str) -> None:
    before, after = parse_document(TEXT).data, parse_document(edit(TEXT, path, value)).data
    top = path.split(".")[0].split("[")[0]
    assert {k: v for k, v in after.items() if k != top} == {k: v for k, v in before.items() if k != top}
    found = after
    for step in path.replace("[", ".").replace("]", "").split("."):
        found = found[int(step)] if step.isdigit() else found[step]
    assert found == value
