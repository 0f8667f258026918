from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.ingest.dates import BIRTH_PIVOT, order_evidence, read_date
from riskset.ingest.sheet import Kind

EXCEL_1900 = date(1899, 12, 30)
EXCEL_1904 = date(1904, 1, 1)
MAY_3 = date(2020, 5, 3)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("03.05.2020", "dmy"),
        ("3/5/2020", "dmy"),
        ("3-5-2020", "dmy"),
        (" 03 . 05 . 2020 ", "dmy"),
        ("03.05.20", "dmy"),
        ("05/03/2020", "mdy"),
        ("5-3-20", "mdy"),
        ("2020-05-03", "ymd"),
        ("20-05-03", "ymd"),
        ("2020-05-03", "dmy"),
        ("2020/5/3", None),
        ("20200503", None),
        ("03.05.2020 00:00:00", "dmy"),
        ("2020-05-03T13:45:00", None),
        ("3 Mayıs 2020", None),
        ("3 MAYIS 2020", None),
        ("3-May-20", None),
        ("3. Mai 2020", None),
        ("3rd May 2020", None),
        ("May 3, 2020", None),
    ],
)
def test_one_day_in_many_hands(text, order):
    assert read_date(text, order=order) == read_date("2020-05-03", order=None)
    assert read_date(text, order=order).value == MAY_3


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1 Ocak 2020", 1), ("1 ŞUBAT 2020", 2), ("1 mart 2020", 3), ("1 NİSAN 2020", 4), ("1 nisan 2020", 4),
        ("1 HAZİRAN 2020", 6), ("1 Temmuz 2020", 7), ("1 AĞUSTOS 2020", 8), ("1 agustos 2020", 8),
        ("1 Eylül 2020", 9), ("1 EKİM 2020", 10), ("1 Ekim 2020", 10), ("1 KASIM 2020", 11), ("1 kasım 2020", 11),
        ("1 Kasim 2020", 11), ("1 ARALIK 2020", 12), ("1. Jänner 2020", 1), ("1. März 2020", 3), ("1. MÄRZ 2020", 3),
        ("1. Dez. 2020", 12), ("1 Oct 2020", 10), ("1. Okt 2020", 10), ("1-Sept-2020", 9),
    ],
)  # fmt: skip
def test_month_names_whatever_the_letters_i(text, month):
    assert read_date(text, order=None).value == date(2020, month, 1)


@pytest.mark.parametrize("text", ["00.00.0000", "0000-00-00", "01.01.1900", "1900-01-01", "31.12.9999", "9999-12-31"])
def test_words_of_programs_for_an_empty_field(text):
    reading = read_date(text, order="dmy")
    assert (reading.value, reading.problem) == (None, None)


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ("2020-05", date(2020, 5, 15), "no_day"),
        ("05.2020", date(2020, 5, 15), "no_day"),
        ("5/2020", date(2020, 5, 15), "no_day"),
        ("00.05.2020", date(2020, 5, 15), "no_day"),
        ("Mayıs 2020", date(2020, 5, 15), "no_day"),
        ("März 2020", date(2020, 3, 15), "no_day"),
        ("2020", None, "year_only"),
        ("00.00.2020", None, "year_only"),
    ],
)
def test_partial_dates_are_never_full_ones(text, value, problem):
    reading = read_date(text, order="dmy")
    assert (reading.value, reading.problem) == (value, problem)


@pytest.mark.parametrize(
    "text",
    [
        "31.02.2020", "29.02.2021", "32.01.2020", "13.13.2020", "05/23/2020", "03.05.2563", "03.05.1441", "03.05",
        "03.05.020", "2020-5-300", "3 Brumaire 2020", "soon", "03-05/2020", "12345", "1.2.3.4", "00.13.2020",
    ],
)  # fmt: skip
def test_impossible_dates_are_unreadable(text):
    reading = read_date(text, order="dmy")
    assert (reading.value, reading.problem) == (None, "unreadable")


def test_year_first_declared_refuses_year_last():
    assert read_date("03.05.2020", order="ymd").problem == "unreadable"


def test_two_digit_years_have_a_pivot_of_their_own_for_births():
    assert read_date("03.05.30", order="dmy").value == date(2030, 5, 3)
    assert read_date("03.05.31", order="dmy").value == date(1931, 5, 3)
    assert read_date("03.05.28", order="dmy", pivot=BIRTH_PIVOT).value == date(1928, 5, 3)


@pytest.mark.parametrize(
    ("text", "origin", "value", "problem"),
    [
        ("43954", EXCEL_1900, MAY_3, None),
        ("43954.57", EXCEL_1900, MAY_3, None),
        ("42492", EXCEL_1904, MAY_3, None),
        ("20200503", EXCEL_1900, MAY_3, None),
        ("2020", EXCEL_1900, None, "year_only"),
        ("1961", EXCEL_1900, None, "year_only"),
        ("1961.5", EXCEL_1900, None, "unreadable"),
        ("9999", EXCEL_1900, None, "unreadable"),
        ("10000", EXCEL_1900, date(1927, 5, 18), None),
        ("80001", EXCEL_1900, None, "unreadable"),
        ("nan", EXCEL_1900, None, "unreadable"),
        ("inf", EXCEL_1900, None, "unreadable"),
        ("0", EXCEL_1900, None, None),
        ("12", EXCEL_1900, None, "unreadable"),
        ("-3", EXCEL_1900, None, "unreadable"),
        ("5.202", EXCEL_1900, None, "unreadable"),
        ("43954", None, None, "unreadable"),
    ],
)
def test_number_cells_are_serial_days_of_their_system(text, origin, value, problem):
    reading = read_date(text, Kind.NUMBER, order="dmy", origin=origin)
    assert (reading.value, reading.problem) == (value, problem)


def test_a_year_typed_into_a_cell_with_a_date_format_is_a_year():
    assert read_date("1905-05-14", Kind.DATE, order=None, origin=EXCEL_1900).problem == "year_only"
    assert read_date("1961-05-14", Kind.DATE, order=None, origin=EXCEL_1900).value == date(1961, 5, 14)
    assert read_date("1905-05-14", Kind.TEXT, order=None, origin=EXCEL_1900).value == date(1905, 5, 14)


def test_a_number_written_as_text_is_no_serial_day():
    assert read_date("43954", Kind.TEXT, order="dmy", origin=EXCEL_1900).problem == "unreadable"


def test_cells_that_hold_a_time_or_an_error():
    assert read_date("00:00:00", Kind.DATE, order=None).problem is None
    assert read_date("13:45:00", Kind.DATE, order=None).problem == "unreadable"
    assert read_date("#VALUE!", Kind.ERROR, order=None).problem == "unreadable"


DAYS = st.dates(date(1900, 1, 2), date(2100, 12, 31)).filter(lambda day: day != date(1904, 1, 1))
SEPARATORS = st.sampled_from(["/", ".", "-"])


@given(day=DAYS, separator=SEPARATORS, order=st.sampled_from(["dmy", "mdy", "ymd"]), pad=st.booleans())
def test_a_written_date_reads_back(day, separator, order, pad):
    width = 2 if pad else 1
    parts = {"d": f"{day.day:0{width}}", "m": f"{day.month:0{width}}", "y": str(day.year)}
    assert read_date(separator.join(parts[letter] for letter in order), order=order).value == day


@given(day=st.dates(date(1920, 1, 1), date(2100, 12, 31)), origin=st.sampled_from([EXCEL_1900, EXCEL_1904]))
def test_a_serial_day_reads_back(day, origin):
    serial = (day - origin).days
    reading = read_date(str(serial), Kind.NUMBER, order=None, origin=origin)
    if 10_000 <= serial <= 80_000:
        assert reading.value == day
    else:
        assert reading.value is None  # a bare year is likelier than a day of the 1900s
        assert reading.problem == ("year_only" if 1900 <= serial <= 2100 else "unreadable")


@given(st.text(max_size=30), st.sampled_from(list(Kind)), st.sampled_from([None, "dmy", "mdy", "ymd"]))
def test_no_text_breaks_the_reader(text, kind, order):
    reading = read_date(text, kind, order=order, origin=EXCEL_1900)
    assert reading.value is None or 1900 <= reading.value.year <= 2100


@given(DAYS)
def test_unambiguous_texts_tell_their_order(day):
    evidence = order_evidence([f"{day.day}.{day.month}.{day.year}"])
    assert evidence.order == ("dmy" if day.day > 12 else None)
    assert bool(evidence.open) == (day.day <= 12 and day.day != day.month)


def test_a_column_with_both_orders_contradicts_itself():
    evidence = order_evidence(["25.03.2020", "03/25/2020", "03.04.2020", "13.13.2020", "2020-05-03"])
    assert evidence.contradictory
    assert evidence.order is None
    assert evidence.open == {"03.04.2020"}
