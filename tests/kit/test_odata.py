"""OData by its text: metadata documents, literals, pages, and the delta links that the tests' real server lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from tests.kit.http_server import Call, Reply, Server, serving

from snello.errors import ContractError
from snello.kit.entry import entry
from snello.kit.http import Answer, Retry
from snello.kit.odata.answers import Answers
from snello.kit.odata.edm import EntitySet, Property, key_predicate, literal, schema_of
from snello.kit.odata.edmx import entity_sets
from snello.kit.odata.pages import Keyset
from snello.kit.odata.stream import ODataStream
from snello.kit.odata.tap import ODataTap
from snello.kit.testing import Run, run

CANARY = "canary@example.test"

METADATA = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
 <edmx:Reference Uri="x"><edmx:Include Namespace="Org.OData.Core.V1" Alias="SAP__core"/></edmx:Reference>
 <edmx:Reference Uri="x"><edmx:Include Namespace="Org.OData.Capabilities.V1" Alias="Caps"/></edmx:Reference>
 <edmx:DataServices>
  <Schema Namespace="acme.types" Alias="T" xmlns="http://docs.oasis-open.org/odata/ns/edm">
   <EnumType Name="Colour"><Member Name="red"/></EnumType>
   <TypeDefinition Name="Money" UnderlyingType="Edm.Decimal" Precision="15" Scale="2"/>
   <ComplexType Name="Place"><Property Name="city" Type="Edm.String"/></ComplexType>
   <EntityType Name="Base" Abstract="true">
    <Property Name="changed" Type="Edm.DateTimeOffset" Precision="7"/>
   </EntityType>
   <EntityType Name="Thing" BaseType="T.Base">
    <Key><PropertyRef Name="id"/></Key>
    <Property Name="id" Type="Edm.Int32" Nullable="false"/>
    <Property Name="name" Type="Edm.String"><Annotation Term="SAP__core.Description" String="What it is called."/></Property>
    <Property Name="price" Type="T.Money"/>
    <Property Name="rate" Type="Edm.Decimal" Precision="16" Scale="Variable"/>
    <Property Name="count" Type="Edm.Int64"/>
    <Property Name="colour" Type="acme.types.Colour"/>
    <Property Name="place" Type="T.Place"/>
    <Property Name="marks" Type="Collection(Edm.String)"/>
    <Property Name="data" Type="Edm.Binary"/>
    <Property Name="picture" Type="Edm.Stream"/>
    <NavigationProperty Name="parts" Type="Collection(acme.types.Part)"/>
    <NavigationProperty Name="owner" Type="acme.types.Part"/>
   </EntityType>
   <EntityType Name="Part">
    <Key><PropertyRef Name="thing"/><PropertyRef Name="code"/></Key>
    <Property Name="thing" Type="Edm.Int32" Nullable="false"/>
    <Property Name="code" Type="Edm.String" Nullable="false"/>
    <Property Name="note" Type="Edm.String"/>
   </EntityType>
  </Schema>
  <Schema Namespace="acme" xmlns="http://docs.oasis-open.org/odata/ns/edm">
   <EntityContainer Name="All">
    <EntitySet Name="Things" EntityType="T.Thing">
     <Annotation Term="Org.OData.Capabilities.V1.SkipSupported" Bool="false"/>
    </EntitySet>
    <EntitySet Name="Parts" EntityType="acme.types.Part"/>
   </EntityContainer>
   <Annotations Target="acme.All/Parts">
    <Annotation Term="Caps.ChangeTracking"><Record><PropertyValue Property="Supported" Bool="true"/></Record></Annotation>
    <Annotation Term="Caps.SortRestrictions"><Record>
     <PropertyValue Property="NonSortableProperties"><Collection><PropertyPath>note</PropertyPath></Collection></PropertyValue>
    </Record></Annotation>
   </Annotations>
   <Annotations Target="T.Part"><Annotation Term="SAP__core.Description"><String>One part.</String></Annotation></Annotations>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>
"""  # noqa: E501


class TapProbe(ODataTap):
    """The tap of these tests."""

    name = "tap-probe"


main = entry(TapProbe)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(ODataStream, "retry", Retry(tries=3, first=0.01, longest=1.0))


def sets() -> dict[str, EntitySet]:
    return {each.name: each for each in entity_sets(METADATA.encode(), "tap-probe")}


# ------------------------------------------------------------ metadata


def test_a_type_has_the_properties_of_those_it_derives_from() -> None:
    assert list(sets()["Things"].properties)[:3] == ["changed", "id", "name"]
    assert sets()["Things"].keys == ("id",)


def test_types_of_the_services_own_are_resolved_through_aliases() -> None:
    schemas = {name: schema_of(each) for name, each in sets()["Things"].properties.items()}
    decimal = {"type": ["string", "null"], "format": "singer.decimal"}
    assert schemas["price"] == decimal | {"precision": 15, "scale": 2}
    assert schemas["rate"] == decimal | {"precision": 38, "scale": 18}
    assert schemas["colour"] == {"type": ["string", "null"]}
    assert schemas["place"] == {"type": ["object", "null"]}
    assert schemas["marks"] == {"type": ["array", "null"]}
    assert schemas["count"] == {"type": ["integer", "null"]}
    assert schemas["name"] == {"type": ["string", "null"], "description": "What it is called."}


def test_what_a_service_says_it_can_is_heard_inside_and_outside_of_the_element() -> None:
    things, parts = sets()["Things"], sets()["Parts"]
    assert (things.skips, things.tracks_changes, things.navigations) == (False, False, {"parts": True, "owner": False})
    assert (parts.skips, parts.tracks_changes, parts.description) == (True, True, "One part.")
    assert (parts.walks_by(("thing", "code")), parts.walks_by(("note",))) == (True, False)
    assert not things.walks_by(("colour",))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (METADATA.replace('Version="4.0"', 'Version="1.0"'), "the service speaks OData 2 or 3, and only version 4"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + METADATA.partition("?>")[2], "the metadata document has a DOCTYPE"),
        (METADATA[:900], "the metadata document is not whole XML"),
        ("<feed/>", "there is no OData metadata document"),
        (METADATA.replace("BaseType=\"T.Base\"", "BaseType=\"T.Thing\""), "does not explain the type of Things"),
        (METADATA.replace("EntityType=\"T.Thing\"", "EntityType=\"T.Else\""), "does not explain the type of Things"),
    ],
)  # fmt: skip
def test_a_document_that_is_none_is_refused(content: str, told: str) -> None:
    with pytest.raises(ContractError, match=told):
        entity_sets(content.strip().encode(), "tap-probe")


# ------------------------------------------------------------ what goes into an address


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [
        ("Edm.String", "O'Neill", "'O''Neill'"),
        ("Edm.Guid", "0000-1", "0000-1"),
        ("Edm.DateTimeOffset", "2026-03-01T08:00:00+02:00", "2026-03-01T08:00:00+02:00"),
        ("Edm.Decimal", "1.10", "1.10"),
        ("Edm.Int64", 9007199254740993, "9007199254740993"),
        ("Edm.Boolean", True, "true"),
        ("Edm.Duration", "PT1H", "duration'PT1H'"),
        ("Edm.String", None, "null"),
    ],
)
def test_a_value_is_quoted_by_its_type(type_: str, value: Any, written: str) -> None:
    assert literal(type_, value) == written


def test_a_key_in_an_address_is_quoted_and_encoded() -> None:
    parts = sets()["Parts"].properties
    assert key_predicate(parts, {"thing": 1, "code": "a/b'c"}) == "(thing=1,code=%27a%2Fb%27%27c%27)"
    assert key_predicate(parts, {"code": "x"}) == "(%27x%27)"


def test_the_page_behind_a_row_is_asked_for_by_moment_and_keys_in_order() -> None:
    by = {"at": "Edm.DateTimeOffset", "a": "Edm.Int32", "b": "Edm.String"}
    params = Keyset(by, 50).ask(["behind", "2026-03-01T08:00:00Z", 1, "x'y"]).params
    assert params == {
        "$filter": "(at gt 2026-03-01T08:00:00Z or (at eq 2026-03-01T08:00:00Z and a gt 1)"
        " or (at eq 2026-03-01T08:00:00Z and a eq 1 and b gt 'x''y'))",
        "$orderby": "at,a,b",
        "$top": 50,
    }


# ------------------------------------------------------------ a service by the text


def part(code: str, note: str | None = "n", thing: int = 1) -> dict[str, Any]:
    return {"thing": thing, "code": code, "note": note}


@dataclass
class Service:
    """Parts in pages of two, with delta links: each names the moment in the log of changes that it goes on from."""

    parts: list[dict[str, Any]] = field(default_factory=lambda: [part(code) for code in "abcde"])
    log: list[dict[str, Any]] = field(default_factory=list)
    forgotten: bool = False
    broken: str = ""

    def __call__(self, call: Call) -> Reply:
        if call.path.endswith("/$metadata"):
            return Reply(METADATA.encode(), headers=[("Content-Type", "application/xml")])
        if self.broken and self.broken in call.query.get("$skiptoken", ""):
            return Reply({"error": {"code": "500", "message": CANARY}}, 500)
        if "$deltatoken" in call.query:
            return self._delta(int(call.query["$deltatoken"]))
        if "$filter" in call.query:
            rows = [row for row in self.parts if f"code eq '{row['code']}'" in call.query["$filter"]]
            return self._page(rows)
        at = int(call.query.get("$skiptoken", 0))
        more = {"@odata.nextLink": f"Parts?$skiptoken={at + 2}"} if at + 2 < len(self.parts) else self._link(call)
        return self._page(self.parts[at : at + 2], **more)

    def _link(self, call: Call) -> dict[str, str]:
        return {"@odata.deltaLink": f"Parts?$deltatoken={len(self.log)}"}

    def _delta(self, since: int) -> Reply:
        if self.forgotten:
            return Reply({"error": {"code": "gone", "message": CANARY}}, 410)
        return self._page(self.log[since:], **{"@odata.deltaLink": f"Parts?$deltatoken={len(self.log)}"})

    def _page(self, rows: list[dict[str, Any]], **more: Any) -> Reply:
        return Reply({"@odata.context": "$metadata#Parts", "value": rows, **more})


@contextmanager
def service(answer: Callable[[Call], Reply]) -> Iterator[tuple[Server, Callable[..., Run]]]:
    with serving(answer) as server:

        def read(state: Any = None, **changes: Any) -> Run:
            config = {"url": f"{server.url}/v4/acme", "entities": ["Parts"], "page_size": 2} | changes
            done = run(main, config, state=state)
            assert CANARY not in done.err
            assert "Traceback" not in done.err
            return done

        yield server, read


def codes(done: Run) -> list[str]:
    return [row["code"] for row in done.records("Parts")]


def asked(server: Server) -> list[Call]:
    return [call for call in server.calls if not call.path.endswith("$metadata")]


def test_the_first_reading_follows_relative_links_and_keeps_the_delta_link() -> None:
    with service(Service()) as (server, read):
        done = read()
    assert (done.code, codes(done)) == (0, list("abcde"))
    assert {row["_deleted_at"] for row in done.records("Parts")} == {None}
    assert done.state["bookmarks"]["Parts"]["delta"]["link"] == f"{server.url}/v4/acme/Parts?$deltatoken=0"
    first = asked(server)[0]
    assert first.headers["Prefer"] == "odata.track-changes,odata.maxpagesize=2"
    assert "IEEE754Compatible=true" in first.headers["Accept"]
    assert first.headers["OData-MaxVersion"] == "4.0"


REMOVALS = [
    {"@odata.context": "$metadata#Parts/$deletedEntity", "id": "Parts(thing=1,code='b')", "reason": "deleted"},
    {"@odata.context": "#Parts/$deletedEntity", "id": "http://x/v4/Parts(code='b',thing=1)", "reason": "changed"},
    {"@removed": {"reason": "deleted"}, "@id": "Parts(thing=1,code=%27b%27)"},
    {"@removed": {}, "thing": 1, "code": "b"},
    {"@odata.removed": {}, "@odata.id": "Parts(thing=1,code='b')"},
]


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda value: json.dumps(value)[:40])
def test_a_removed_entity_becomes_a_tombstone_however_it_is_written(removal: dict[str, Any]) -> None:
    parts = Service()
    with service(parts) as (server, read):
        first = read()
        parts.log += [removal, part("f"), {"@odata.context": "#Parts/$link", "source": "x", "target": "y"}]
        before = len(asked(server))
        second = read(first.state)
        third = read(second.state)
        calls = asked(server)[before:]
    new, gone = second.records("Parts")
    assert (gone["thing"], gone["code"], gone["note"]) == (1, "b", None)
    assert gone["_deleted_at"]
    assert (new["code"], new["_deleted_at"]) == ("f", None)
    assert codes(third) == []
    assert [call.query for call in calls] == [{"$deltatoken": "0"}, {"$deltatoken": "3"}]
    assert all("odata.track-changes" in call.headers["Prefer"] for call in calls)


@pytest.mark.parametrize("id_", ["7a-1", "Accounts(7a-1)", "http://x/v4/Companies(1)/Accounts(7a-1)", "Accounts/7a-1"])
def test_the_key_of_a_removed_entity_is_read_out_of_its_id(id_: str) -> None:
    account = EntitySet("Accounts", ("id",), {"id": Property("id", "Edm.Guid")})
    stream: Any = SimpleNamespace(entity=account, where="x", along=(), chosen=("id",))
    row = {"@odata.context": "$metadata#Accounts/$deletedEntity", "id": id_, "reason": "deleted"}
    [gone] = Answers(stream).changes(Answer("GET", "http://x", 200, {}, b""), [row])
    assert (gone["id"], "@deleted" in gone) == ("7a-1", True)


def test_the_last_word_on_an_entity_counts() -> None:
    parts = Service()
    with service(parts) as (_, read):
        first = read()
        parts.log += [part("b", "changed"), {"@removed": {}, "thing": 1, "code": "b"}]
        gone = read(first.state).records("Parts")
    assert [(row["code"], row["note"], bool(row["_deleted_at"])) for row in gone] == [("b", None, True)]


def test_an_entity_of_which_only_the_change_is_told_is_read_whole() -> None:
    parts = Service()
    with service(parts) as (server, read):
        first = read()
        parts.log += [{"thing": 1, "code": "c"}, {"thing": 1, "code": "zz"}]  # the second one is gone by now
        second = read(first.state)
        last = unquote(asked(server)[-1].query["$filter"])
    assert second.records("Parts") == [part("c") | {"_extra": None, "_deleted_at": None}]
    assert last == "(thing eq 1 and code eq 'c') or (thing eq 1 and code eq 'zz')"


def test_a_forgotten_delta_link_leads_to_a_whole_reading() -> None:
    parts = Service()
    with service(parts) as (_, read):
        first = read()
        parts.forgotten = True
        second = read(first.state)
    assert (second.code, codes(second)) == (0, list("abcde"))
    assert "the service forgot what it told last; reading all" in second.err


def test_a_reading_that_is_cut_off_keeps_no_delta_link_and_goes_on_at_its_page() -> None:
    parts = Service(broken="4")
    with service(parts) as (server, read):
        first = read()
        parts.broken = ""
        before = len(asked(server))
        second = read(first.state)
        calls = asked(server)[before:]
    assert (first.code, codes(first)) == (4, list("abcd"))
    assert "delta" not in first.state["bookmarks"]["Parts"]
    assert codes(second) == ["e"]
    assert all("$skiptoken" in call.query for call in calls)  # not from the beginning
    assert "delta" in second.state["bookmarks"]["Parts"]


def test_another_selection_makes_the_delta_link_void() -> None:
    with service(Service()) as (_, read):
        first = read()
        second = read(first.state, expand={"Parts": []}, parameters={"client": "100"})
    assert codes(second) == list("abcde")


def test_a_removed_entity_without_its_key_is_told() -> None:
    parts = Service()
    with service(parts) as (_, read):
        first = read()
        parts.log.append({"@removed": {}, "@id": f"Parts('{CANARY}')"})
        second = read(first.state)
    assert second.code == 3
    assert "tap-probe: Parts: a removed entity does not tell its key. Next:" in second.last_line
    assert second.state["bookmarks"]["Parts"]["delta"] == first.state["bookmarks"]["Parts"]["delta"]


def linking(link: str) -> Callable[[Call], Reply]:
    def answer(call: Call) -> Reply:
        if call.path.endswith("/$metadata"):
            return Reply(METADATA.encode(), headers=[("Content-Type", "application/xml")])
        page = int(call.query.get("$skiptoken", 0))
        return Reply({"value": [part(f"{page}")], "@odata.nextLink": link})

    return answer


def test_a_service_that_hands_out_no_delta_link_is_told() -> None:
    with service(things) as (_, read):
        done = read(entities=["Things"], delta=["Things"])
    assert (done.code, len(done.records("Things"))) == (0, 1)
    assert "Things: the service hands out no delta link, and all is read in every run. Next: set delta" in done.err
    assert "delta" not in done.state["bookmarks"]["Things"]


def test_links_in_a_circle_are_refused() -> None:
    with service(linking("Parts?$skiptoken=1")) as (_, read):
        done = read()
    assert done.code == 3
    assert "the server points back to a page already read" in done.last_line


def test_a_link_to_another_host_is_refused_and_gets_no_credentials() -> None:
    with (
        serving([Reply({"value": []})]) as elsewhere,
        service(linking(f"{elsewhere.url}/steal")) as (_, read),
    ):
        done = read(token="secret-token")
        assert elsewhere.calls == []
    assert done.code == 3
    assert "points to another server" in done.last_line


def test_an_error_inside_a_success_is_told_by_its_code_alone() -> None:
    def answer(call: Call) -> Reply:
        if call.path.endswith("/$metadata"):
            return Reply(METADATA.encode(), headers=[("Content-Type", "application/xml")])
        return Reply({"value": [part("a")], "error": {"code": "SY/530", "message": CANARY, "x": "A.1"}})

    with service(answer) as (_, read):
        done = read()
    assert done.code == 3
    assert "200 from GET /v4/acme/Parts holds an error" in done.last_line


# ------------------------------------------------------------ values and pages of plain sets


THING = {
    "@odata.etag": 'W/"1"', "id": 1, "name": CANARY, "price": "1234567890123.45", "rate": 0.1,
    "count": "9007199254740993",
    "colour": "red", "place": {"city": "Roma", "@odata.type": "#x"}, "marks": ["a"], "data": "_-8",
    "changed": "2026-03-01T08:00:00.1234567Z", "picture@odata.mediaReadLink": "x",
    "parts": [{"@odata.id": "x", "thing": 1, "code": "a"}], "parts@odata.nextLink": "Things(1)/parts?$skip=1",
}  # fmt: skip


def things(call: Call) -> Reply:
    if call.path.endswith("/$metadata"):
        return Reply(METADATA.encode(), headers=[("Content-Type", "application/xml")])
    if call.path.endswith("/Things(1)/parts"):
        return Reply({"value": [{"thing": 1, "code": "b"}]})
    if "eq null" in call.query.get("$filter", "") or "gt" in call.query.get("$filter", ""):
        return Reply({"value": []})
    return Reply({"value": [THING]})


def read_things(**changes: Any) -> tuple[Run, list[Call]]:
    with service(things) as (server, read):
        changed = {"entities": ["Things"], "replication": {"Things": "changed"}, "expand": {"Things": ["parts"]}}
        done = read(**(changed | changes))
        return done, asked(server)


def test_values_arrive_as_the_lake_has_them() -> None:
    done, _ = read_things()
    assert (done.code, done.records("_quarantine")) == (0, [])
    [row] = done.records("Things")
    assert row == {
        "changed": "2026-03-01T08:00:00.123456Z", "id": 1, "name": CANARY, "price": "1234567890123.45", "rate": "0.1",
        "count": 9007199254740993, "colour": "red", "place": {"city": "Roma", "@odata.type": "#x"}, "marks": ["a"],
        "data": "/+8=", "parts": [{"thing": 1, "code": "a"}, {"thing": 1, "code": "b"}], "_extra": None,
    }  # fmt: skip


def test_moments_finer_than_a_microsecond_neither_repeat_a_row_nor_end_the_walk() -> None:
    moments = [f"2026-03-01T08:00:00.00000{n:02}Z" for n in range(12)]  # seven digits, as .NET writes them
    rows = [THING | {"id": n, "changed": moment} for n, moment in enumerate(moments)]

    def answer(call: Call) -> Reply:
        if call.path.endswith(("$metadata", "parts")) or "eq null" in call.query["$filter"].partition(" or ")[0]:
            return things(call)
        behind = re.search(r"changed gt ([^ ]+)", call.query["$filter"])
        return Reply({"value": [row for row in rows if not behind or row["changed"] > behind[1]][:2]})

    with service(answer) as (_, read):
        done = read(entities=["Things"], replication={"Things": "changed"})
    assert (done.code, [row["id"] for row in done.records("Things")]) == (0, list(range(12)))


def test_a_set_that_cannot_be_walked_is_read_by_its_links() -> None:
    done, calls = read_things(paging="links")
    assert len(done.records("Things")) == 1
    assert not any("$top" in call.query or "$orderby" in call.query for call in calls)


def test_a_service_that_does_not_know_a_query_option_is_told_with_the_way_out() -> None:
    def answer(call: Call) -> Reply:
        if call.path.endswith("/$metadata"):
            return things(call)
        return Reply({"error": {"code": "501", "message": CANARY}}, 400)

    with service(answer) as (_, read):
        done = read(entities=["Things"], replication={"Things": "changed"})
    assert done.code == 3
    assert "400 from GET /v4/acme/Things. Next: set paging to links for this service" in done.last_line


# ------------------------------------------------------------ who asks


def test_sets_may_be_below_a_path_that_the_metadata_is_not_below() -> None:
    _, calls = read_things(within="/companies(7)/")
    assert {call.path for call in calls if "parts" not in call.path} == {"/v4/acme/companies(7)/Things"}


def test_business_one_is_read_in_a_session_of_its_own() -> None:
    def answer(call: Call) -> Reply:
        if call.path.endswith("/Login"):
            assert call.json == {"CompanyDB": "SBODEMO", "UserName": "manager", "Password": "sesame-1"}
            return Reply({"SessionTimeout": 30}, headers=[("Set-Cookie", "B1SESSION=s1; Path=/; HttpOnly")])
        if "B1SESSION=s1" not in (call.headers["Cookie"] or ""):
            return Reply({"error": {"code": "301"}}, 401)
        return things(call)

    with service(answer) as (_, read):
        changes = {"entities": ["Things"], "company": "SBODEMO", "user": "manager", "password": "sesame-1"}
        done = read(**changes)
    assert (done.code, len(done.records("Things"))) == (0, 1)


def test_a_client_of_oauth_reads_with_its_token() -> None:
    def answer(call: Call) -> Reply:
        if call.path == "/token":
            assert call.form["scope"] == "all/.default"
            return Reply({"access_token": "at-12345678", "expires_in": 3600, "token_type": "Bearer"})
        if call.headers["Authorization"] != "Bearer at-12345678":
            return Reply({"error": {"code": "401"}}, 401)
        return things(call)

    with service(answer) as (server, read):
        client = {"client_id": "c", "client_secret": "sesame-2", "scope": "all/.default"}
        done = read(entities=["Things"], token_url=f"{server.url}/token", **client)
    assert (done.code, len(done.records("Things"))) == (0, 1)
