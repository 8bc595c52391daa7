"""The parser loses no line: each ends in a record or in a rejected line."""

from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullstats import csv_log

COLUMNS = csv_log.USAGE_COLUMNS
HEADER = csv_log.write([], list(COLUMNS))
GOOD = [
    *("1558289966505760", "192.0.2.7", "1", "", "GET", "/bucket/object", "200", "0", "512"),
    *("8000", "storage.example.com", "https://example.com/", "client/1.0, linux", "request"),
    *("GET_Object", "bucket", "object"),
]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", '"', '""', ",", "\n", "\r\n", "\r", 'a"\n"b', '","', "\n\n", " ", "\ufeff", "\0", "NULL"]
)
numbers = st.integers(-(10**18) + 1, 10**18 - 1).map(str) | st.sampled_from(["", "0", "-0", "007"])
records = st.tuples(*(numbers if kind == "INT64" else texts for kind in COLUMNS.values())).map(list)


def changed(**values: str) -> list[str]:
    """The good record with other values."""
    return list({**dict(zip(COLUMNS, GOOD, strict=True)), **values}.values())


def line(record: list[str]) -> bytes:
    return csv_log.write([record]).removesuffix(b"\n")


BAD_LINES = [
    line(GOOD[:16]),
    line([*GOOD, "more"]),
    line([*GOOD, ""]),
    line(changed(sc_status="OK")),
    line(changed(cs_object="zz")).replace(b"zz", b"\xff\xfe"),
    b"\xff",
    b'"',
    b'"broken',
    b'bro"ken',
    line(GOOD) + b"x",
    line(GOOD) + b"\r" + line(GOOD),
    b'""',
    b" ",
    b"text",
]


class Parsed(NamedTuple):
    """An object as records and rejected lines."""

    records: list[list[str]]
    rejected: list[csv_log.RejectedLine]


def parsed(data: bytes, columns: dict[str, str] = COLUMNS) -> Parsed:
    found = Parsed([], [])
    for each in csv_log.parse(data, columns):
        if isinstance(each, csv_log.RejectedLine):
            found.rejected.append(each)
        else:
            found.records.append(each)
    return found


def read(lines: bytes) -> Parsed:
    return parsed(HEADER + lines)


def reasons(lines: bytes) -> list[str]:
    return [each.reason for each in read(lines).rejected]


@settings(max_examples=200, deadline=None)
@given(st.lists(records, max_size=5))
def test_when_records_are_written_then_the_same_are_read(written: list[list[str]]) -> None:
    assert parsed(csv_log.write(written, list(COLUMNS))) == Parsed(written, [])


def filled(lines: list[str]) -> int:
    return sum(each not in ("", "\r") for each in lines)


def covered(record: list[str]) -> int:
    """How many lines that aren't blank a record spans: its first, and more per quoted newline."""
    ends = [field.split("\n") for field in record if "\n" in field]
    return 1 + sum(filled(parts[1:-1]) + 1 for parts in ends)


MARKS = [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\n\n", line(GOOD)[:80]]
LINES = [line(GOOD), line(changed(cs_object="a\n\nb\r\n")), *BAD_LINES]
fragments = st.binary(max_size=8) | st.sampled_from([*MARKS, *(each + b"\n" for each in LINES)])


@settings(max_examples=200, deadline=None)
@example([b'"\n', line(changed(cs_object="a\n\nb"))])
@given(st.lists(fragments, max_size=12))
def test_when_bytes_are_arbitrary_then_no_line_is_lost(parts: list[bytes]) -> None:
    body = b"".join(parts)
    found = read(body)
    lines = (HEADER + body).split(b"\n")
    assert all(lines[each.line_number - 1] == each.line_bytes for each in found.rejected)
    numbers = [each.line_number for each in found.rejected]
    assert numbers == sorted(set(numbers))
    whole = sum(each not in (b"", b"\r") for each in lines[1:])
    assert len(numbers) + sum(covered(record) for record in found.records) == whole


@settings(max_examples=200, deadline=None)
@given(st.lists(records, max_size=4), st.lists(records, max_size=4), st.sampled_from(BAD_LINES))
def test_when_one_line_is_bad_then_it_alone_is_rejected(
    before: list[list[str]], after: list[list[str]], bad: bytes
) -> None:
    head = csv_log.write(before, list(COLUMNS))
    tail = csv_log.write(after, list(COLUMNS)).removeprefix(HEADER)
    found = parsed(head + bad + b"\n" + tail)
    assert found.records == before + after
    assert [(x.line_number, x.line_bytes) for x in found.rejected] == [(head.count(b"\n") + 1, bad)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(GOOD[:16]), "16 fields instead of 17"),
        (line([*GOOD, ""]), "18 fields instead of 17"),
        (line(changed(sc_status="OK")), "sc_status is no integer: 'OK'"),
        (b'"ab\xff"', "not UTF-8 at byte 4"),
        (b'"broken', "the closing quote is missing"),
        (line(GOOD)[:-1], "the closing quote is missing"),
        (line(GOOD) + b'"', "the closing quote is missing"),
        (line(GOOD) + b"\r" + line(GOOD), "a carriage return outside quotes"),
        (line(GOOD) + b'x""', "not CSV: ',' expected after '\"'"),
        (line(changed(cs_object="x" * csv_log.MAX_RECORD_BYTES)), "longer than 1000000 bytes"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_when_a_line_is_rejected_then_the_reason_says_why(bad: bytes, reason: str) -> None:
    assert reasons(bad + b"\n" + line(GOOD)) == [reason]


@pytest.mark.parametrize(
    "value", ["1e3", "1.5", " 1", "1 ", "0x10", "1_000", "+1", "--1", "1,2", "\u0661", "1\n"]
)
@pytest.mark.parametrize("column", [name for name, kind in COLUMNS.items() if kind == "INT64"])
def test_when_a_number_is_not_plain_then_its_line_is_rejected(column: str, value: str) -> None:
    found = read(line(changed(**{column: value})) + b"\n" + line(GOOD))
    assert found.records == [GOOD]
    assert found.rejected[0].line_number == 2


def test_when_a_number_has_more_than_18_digits_then_its_line_is_rejected() -> None:
    assert read(line(changed(sc_bytes="9" * 18))).records
    assert reasons(line(changed(sc_bytes="9" * 19))) == [f"sc_bytes is no integer: {'9' * 19!r}"]


def test_when_lines_end_in_crlf_then_they_are_read() -> None:
    crlf = (HEADER + line(GOOD) + b"\nbad\n" + line(GOOD) + b"\n").replace(b"\n", b"\r\n")
    found = parsed(crlf)
    assert found.records == [GOOD, GOOD]
    assert [(each.line_number, each.line_bytes) for each in found.rejected] == [(3, b"bad\r")]


def test_when_lines_are_blank_then_they_are_no_records() -> None:
    found = read(b"\n\r\n" + line(GOOD) + b"\n\n" + line(GOOD) + b"\n\n\n")
    assert found == Parsed([GOOD, GOOD], [])


@pytest.mark.parametrize("data", [HEADER, HEADER[:-1], HEADER[:-1] + b"\r\n", HEADER + b"\n"])
def test_when_there_is_only_a_header_then_there_are_no_records(data: bytes) -> None:
    assert parsed(data) == Parsed([], [])


@pytest.mark.parametrize("header", [b"\xef\xbb\xbf" + HEADER, HEADER.replace(b'"', b"")])
def test_when_the_header_has_a_bom_or_no_quotes_then_it_is_known(header: bytes) -> None:
    assert parsed(header + line(GOOD)).records == [GOOD]


@pytest.mark.parametrize("value", ['say "hi"', '"', '""', "a\nb", "a\r\n\r\nb", "\n", "\r"])
def test_when_a_field_holds_quotes_or_newlines_then_they_stay(value: str) -> None:
    record = changed(cs_object=value, cs_user_agent=value)
    assert read(line(record) + b"\n" + line(GOOD)).records == [record, GOOD]


def test_when_fields_are_not_quoted_then_they_are_read() -> None:
    assert read(",".join(changed(cs_user_agent="curl")).encode()).records[0][12] == "curl"


def test_when_a_quoted_newline_never_ends_then_the_lines_behind_it_are_read() -> None:
    found = read(b'"' + b"\n".join([line(GOOD)] * 3000))
    assert len(found.records) == 2999
    assert [each.line_number for each in found.rejected] == [2]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n" + HEADER,
        line(GOOD) + b"\n",
        HEADER.replace(b'"cs_object"', b'"object"'),
        HEADER.replace(b',"cs_object"', b""),
        HEADER[:-1] + b',"more"\n',
        csv_log.write([], list(csv_log.STORAGE_COLUMNS)),
        b"\x28\xb5\x2f\xfd\x00",
        (HEADER + line(GOOD)).replace(b"\n", b"\r"),
    ],
)
def test_when_the_header_is_another_then_it_is_no_log(data: bytes) -> None:
    with pytest.raises(csv_log.NotALogError, match="not the v0 header"):
        parsed(data)


def test_when_the_log_is_of_storage_then_two_columns_are_read() -> None:
    data = b'"bucket","storage_byte_hours"\n"example","240"\n"example","x"\n"example"\n'
    found = parsed(data, csv_log.STORAGE_COLUMNS)
    assert found.records == [["example", "240"]]
    assert [each.line_number for each in found.rejected] == [3, 4]
