from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.errors import ContractError
from snello.kit.files import xml, xmlrows
from snello.kit.files.chunks import Refusal
from snello.kit.files.drift import Drift
from snello.kit.files.layout import FileSet
from snello.kit.files.reading import Source, read_part

COLUMNS = [
    {"name": "id", "source": "@id"},
    {"name": "customer", "source": "customer/name"},
    {"name": "total", "type": "decimal", "precision": 10, "scale": 2},
    {"name": "lines", "source": "lines/line", "type": "json"},
]


def layout(**changes: Any) -> FileSet:
    given = {"stream": "s", "path": "p", "format": "xml", "record": "shop/receipts/receipt", "columns": COLUMNS}
    return FileSet.model_validate(given | changes)


def read(data: bytes | str, settings: FileSet | None = None) -> tuple[list[dict[str, Any]], list[Refusal]]:
    settings = settings or layout()
    raw = io.BytesIO(data.encode() if isinstance(data, str) else data)
    rows: list[dict[str, Any]] = []
    refused: list[Refusal] = []
    for part in read_part(Source(raw, "f.xml", "tap: s: f.xml"), settings, settings.resolved(), Drift()):
        rows += part.table.to_pylist()
        refused += part.refused
    return rows, refused


def shop(*receipts: str, start: str = "<shop>") -> str:
    body = "\n".join(receipts)
    return f"{start}<receipts>\n{body}\n</receipts></shop>\n"


def receipt(number: int, inside: str = "<total>1.50</total>") -> str:
    return f'<receipt id="{number}">{inside}</receipt>'


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


# ------------------------------------------------------------------ what a row is


def test_a_row_has_attributes_children_and_lists() -> None:
    text = shop(
        '<receipt id="1" till="7"><customer vip="y"><name>Ada &amp; Co</name></customer><total>12.30</total>'
        '<lines><line sku="a">2</line><line>3</line></lines></receipt>',
        '<receipt id="2"><lines><line>9</line></lines><customer/></receipt>',
    )
    rows, refused = read(text)
    assert refused == []
    assert [(row["id"], row["customer"], str(row["total"]), row["_sdc_line"]) for row in rows] == [
        ("1", "Ada & Co", "12.30", 2),
        ("2", None, "None", 3),
    ]
    assert [json.loads(row["lines"]) for row in rows] == [[{"@sku": "a", "#text": "2"}, "3"], ["9"]]
    assert json.loads(rows[0]["_extra"]) == {"@till": "7", "customer": {"@vip": "y"}}
    assert rows[1]["_extra"] is None


def test_several_of_one_name_are_an_array_of_text() -> None:
    columns = [{"name": "id", "source": "@id"}, {"name": "note"}, {"name": "n", "type": "integer"}]
    text = shop(
        receipt(1, "<note>a</note><note>b</note>"), receipt(2, "<n>1</n><n>2</n>"), receipt(3, "<note>c</note>")
    )
    rows, refused = read(text, layout(columns=columns))
    assert [(row["id"], row["note"]) for row in rows] == [("1", '["a","b"]'), ("3", "c")]
    assert [(each.line, each.reason) for each in refused] == [(3, "n: not an integer")]


def test_the_text_of_the_row_itself_is_a_field() -> None:
    columns = [{"name": "at", "source": "@at"}, {"name": "value", "source": "."}]
    rows, _ = read("<log><e at='1'> x </e><e>y</e></log>", layout(record="log/e", columns=columns))
    assert [(row["at"], row["value"], row["_extra"]) for row in rows] == [("1", "x", None), (None, "y", None)]


def test_only_elements_at_the_path_are_rows() -> None:
    inner = "<receipts><x><receipt id='2'/></x><receipt id='3'/></receipts>"
    text = f"<shop><receipt id='0'/><old><receipt id='1'/></old>{inner}</shop>"
    assert ids(read(text)[0]) == ["3"]


def test_namespaces_count_by_local_name_or_by_the_prefixes_given() -> None:
    text = (
        '<s:shop xmlns:s="urn:shop" xmlns="urn:plain" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<s:receipts><s:receipt id="1" s:till="4">'
        '<s:total>1</s:total><total>2</total><note xsi:nil="true"/></s:receipt>'
        "</s:receipts></s:shop>"
    )
    columns = [
        {"name": "id", "source": "@id"},
        {"name": "total"},
        {"name": "till", "source": "@till"},
        {"name": "note"},
    ]
    [row] = read(text, layout(columns=columns))[0]
    assert (row["total"], row["till"], row["note"], row["_extra"]) == ('["1","2"]', "4", None, None)
    columns = [
        {"name": "total", "source": "a:total"},
        {"name": "other", "source": "p:total"},
        {"name": "till", "source": "@a:till"},
    ]
    named = {"a": "urn:shop", "p": "urn:plain"}
    [row] = read(text, layout(columns=columns, record="a:shop/a:receipts/a:receipt", namespaces=named))[0]
    assert (row["total"], row["other"], row["till"], row["_extra"]) == ("1", "2", "4", '{"@id":"1"}')


@pytest.mark.parametrize("encoding", ["iso-8859-15", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_the_encoding_that_the_file_declares_is_used(encoding: str) -> None:
    declared = encoding.removesuffix("-sig").removesuffix("-le")
    text = f'<?xml version="1.0" encoding="{declared}"?>\n' + shop(
        receipt(1, "<customer><name>perché €</name></customer>")
    )
    rows, refused = read(text.encode(encoding), layout(encoding="ascii"))
    assert (rows[0]["customer"], refused) == ("perché €", [])


def test_without_a_declaration_the_encoding_is_that_of_the_layout() -> None:
    text = shop(receipt(1, "<customer><name>perché</name></customer>"))
    assert read(text.encode("latin-1"), layout(encoding="latin-1"))[0][0]["customer"] == "perché"
    rows, refused = read(shop(receipt(0), text[17:-25], receipt(2)).encode("latin-1"))
    assert (ids(rows), refused[0].reason) == (["0", "2"], "not well-formed: not well-formed (invalid token)")
    assert "perch\\xe9" in refused[0].record


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿")),
            st.booleans(),
        )
    )
)
def test_what_is_written_is_read_back(values: list[tuple[str, bool]]) -> None:
    columns = [{"name": "a", "source": "@a"}, {"name": "b"}]
    body = "".join(
        f"<r a={quoteattr(text)}><b>{f'<![CDATA[{text}]]>' if raw and ']]>' not in text else escape(text)}</b></r>"
        for text, raw in values
    )
    rows, refused = read(f"<x>{body}</x>", layout(record="x/r", columns=columns))
    assert refused == []
    assert [(row["a"] or "", row["b"] or "") for row in rows] == [(text, text) for text, _ in values]


# ------------------------------------------------------------------ what is not well-formed


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('<receipt id="2"><total>1</receipt>', "not well-formed: mismatched tag"),
        ('<receipt id="2"><total>1 & 2</total></receipt>', "not well-formed: not well-formed (invalid token)"),
        ('<receipt id="2" id="3"></receipt>', "not well-formed: duplicate attribute"),
        ('<receipt id="2"><a>&nbsp;</a></receipt>', "not well-formed: undefined entity"),
        ('<receipt id="2"><a\n</receipt>', "not well-formed: not well-formed (invalid token)"),
        ("<receipt id=2/>", "not well-formed: not well-formed (invalid token)"),
        (f'<receipt id="2">{"<a>" * 120}{"</a>" * 120}</receipt>', "elements nested deeper than 100"),
    ],
)
@pytest.mark.parametrize("block", [7, 1 << 18])
def test_a_broken_row_costs_only_itself(bad: str, reason: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "BLOCK", block)
    rows, refused = read(shop(receipt(1), bad, receipt(3), bad, bad, receipt(4)))
    first = bad.count("\n")
    assert ids(rows) == ["1", "3", "4"]
    assert [row["_sdc_line"] for row in rows] == [2, 4 + first, 7 + 3 * first]
    assert [each.reason for each in refused] == [reason] * 3
    assert [each.line for each in refused] == [3, 5 + first, 6 + 2 * first]
    assert [each.record.startswith("<receipt id=") for each in refused] == [True] * 3


def test_a_row_that_is_never_closed_costs_only_itself() -> None:
    rows, refused = read(shop(receipt(1), '<receipt id="2"><total>1</total>', receipt(3), receipt(4)))
    assert (ids(rows), [(each.line, each.reason) for each in refused]) == (
        ["1", "3", "4"],
        [(3, "not well-formed: mismatched tag")],
    )


def test_a_broken_place_between_rows_is_refused_and_the_rows_behind_it_read() -> None:
    rows, refused = read(shop(receipt(1), "</wrong>", receipt(3)))
    assert (ids(rows), [(each.line, each.record) for each in refused]) == (["1", "3"], [(3, "</wrong>")])


@pytest.mark.parametrize("block", [7, 1 << 18])
@pytest.mark.parametrize(("keep", "whole", "broken"), [(-15, 3, 0), (-25, 2, 1), (-60, 2, 0)])
def test_a_file_that_is_cut_off_is_told_after_the_rows_that_are_whole(
    block: int, keep: int, whole: int, broken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml, "BLOCK", block)
    text = shop(receipt(1), receipt(2), receipt(3))[:keep]
    rows: list[Any] = []
    refused: list[Refusal] = []

    def collect() -> None:
        source = Source(io.BytesIO(text.encode()), "f", "tap: s: f")
        for part in read_part(source, layout(), layout().resolved(), Drift()):
            rows.extend(part.table.to_pylist())
            refused.extend(part.refused)

    with pytest.raises(ContractError, match=r"the file ends on line \d before its elements are closed"):
        collect()
    assert (ids(rows), len(refused)) == (["1", "2", "3"][:whole], broken)


@pytest.mark.parametrize(
    "text", ["id,n\n1,2\n", "<html><p>Please log in<br></p></html>", '{"a": 1}', "<shop", "\x00\x01"]
)
def test_what_is_no_xml_is_one_sentence_that_tells_nothing_of_it(text: str) -> None:
    with pytest.raises(ContractError, match=r"(no XML as of line 1|the file ends on line 1) ") as told:
        read(text)
    assert "log in" not in str(told.value)


def test_an_empty_file_is_cut_off() -> None:
    with pytest.raises(ContractError, match="the file ends on line 1 before its elements are closed"):
        read("")


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;',
    ],
)
def test_declared_entities_are_refused_whatever_they_are(declaration: str) -> None:
    text = f"<!DOCTYPE shop [{declaration}]>" + shop(receipt(1, "<total>&a;</total>"))
    with pytest.raises(ContractError, match="the file declares entities, which are refused"):
        read(text)


def test_an_outer_document_type_is_not_fetched_and_its_entities_cost_their_rows() -> None:
    text = '<!DOCTYPE shop SYSTEM "http://127.0.0.1:9/shop.dtd">' + shop(receipt(1, "<total>&a;</total>"), receipt(2))
    rows, refused = read(text)
    assert (ids(rows), [each.reason for each in refused]) == (["2"], ["not well-formed: undefined entity"])


def test_a_row_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmlrows, "LARGEST_ROW", 10_000)
    monkeypatch.setattr(xml, "BLOCK", 1000)
    endless = '<receipt id="2">' + "<a>x</a>" * 20_000
    rows, refused = read(shop(receipt(1), endless, receipt(3)))
    assert ids(rows) == ["1", "3"]
    assert refused[0].reason == "a row that is larger than 16 MB, or never ends"


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "CHUNK_ROWS", 500)

    class Endless(io.RawIOBase):
        """A shop of so many receipts, written while it is read."""

        def __init__(self, count: int) -> None:
            self._parts = (text.encode() for text in self._texts(count))
            self._rest = b""

        def _texts(self, count: int) -> Any:
            yield "<shop><receipts>"
            for number in range(count):
                yield receipt(number, f"<total>{number}.10</total><customer><name>Name {number}</name></customer>\n")
            yield "</receipts></shop>"

        def read(self, size: int = -1) -> bytes:
            while len(self._rest) < size and (
                more := b"".join(part for _, part in zip(range(100), self._parts, strict=False))
            ):
                self._rest += more
            block, self._rest = self._rest[:size], self._rest[size:]
            return block

    def peak(count: int) -> int:
        tracemalloc.start()
        most, rows = 0, 0
        for part in read_part(Source(Endless(count), "f", "w"), layout(), layout().resolved(), Drift()):  # type: ignore[arg-type]
            rows += part.table.num_rows
            most = max(most, pa.total_allocated_bytes())
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows == count
        return python + most

    peak(1000)
    assert peak(20_000) < 1.5 * peak(4_000)
