"""Clusters story by story: chains, families, twins, sparse records, and what people decided."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from tests.identity.graphs import (
    ANNA,
    MARIO,
    MARIO_HOMOCODY,
    Edge,
    Mark,
    cut_edges,
    edges_of,
    marks_of,
    members,
    reasons,
    run,
)

from snello.errors import ConfigError, ContractError
from snello.identity.clusters import cluster
from snello.identity.contradictions import AMBIGUOUS, ITALIAN, Contradictions
from snello.identity.rules import check_seeds

SEEDS = Path(__file__).parents[2] / "transform" / "seeds"


def chain(length: int) -> tuple[list[str], list[Edge]]:
    records = [f"crm/customers/{n:05d}" for n in range(length)]
    return records, [(a, b, 0.95, "email") for a, b in pairwise(records)]


def named(**people: str) -> list[Mark]:
    """Marks of records whose name is ``given family`` with underscores."""
    return [(record, "name", name.replace("_", "|")) for record, name in people.items()]


def together(*groups: str) -> set[frozenset[str]]:
    """Groups written as words between spaces."""
    return {frozenset(group.split()) for group in groups}


def test_a_chain_of_ten_thousand_is_one_cluster() -> None:
    records, links = chain(10_000)
    shuffled = random.Random(3).sample(links, len(links))
    assert members(run(records, shuffled)) == {frozenset(records)}


def test_a_chain_of_ten_thousand_breaks_where_its_evidence_is_weakest() -> None:
    records, links = chain(10_000)
    links[6_000] = (*links[6_000][:2], 0.5, "phone")
    shuffled = random.Random(3).sample(links, len(links))
    found = run(records, shuffled, [(records[0], "tax_code", MARIO), (records[-1], "tax_code", ANNA)])
    assert members(found) == {frozenset(records[:6_001]), frozenset(records[6_001:])}
    assert found.cuts.to_pylist() == [
        {
            "left": records[6_000],
            "right": records[6_001],
            "strength": 0.5,
            "rule": "phone",
            "reason": "tax codes differ",
        }
    ]


def test_an_even_chain_between_two_people_is_neither_of_them() -> None:
    records, links = chain(1_000)
    found = run(records, links, [(records[0], "tax_code", MARIO), (records[-1], "tax_code", ANNA)])
    assert members(found) == {frozenset(records[:1]), frozenset(records[1:-1]), frozenset(records[-1:])}
    assert reasons(found) == [AMBIGUOUS, AMBIGUOUS]


def test_a_cluster_and_a_component_are_named_by_their_first_record() -> None:
    found = run(
        "dcba", [("a", "b", 0.9, "phone"), ("b", "c", 0.9, "phone")], named(a="Mario_Rossi", b="_Rossi", c="Luca_Rossi")
    )
    assert found.assignment.to_pylist() == [
        {"record": record, "cluster": record, "component": component}
        for record, component in zip("abcd", "aaad", strict=True)
    ]


def test_an_edge_listed_two_hundred_and_fifty_six_times_is_still_an_edge() -> None:
    assert len(members(run(["a", "b"], [("a", "b", 0.9, "email")] * 256))) == 1


# ---- evidence adds up


def test_two_kinds_of_evidence_outweigh_the_better_one() -> None:
    names = named(mario="Mario_Rossi", luca="Luca_Rossi", sparse="_Rossi")
    found = run(
        ["luca", "mario", "sparse"],
        [("sparse", "mario", 0.95, "email"), ("sparse", "luca", 0.9, "phone"), ("sparse", "luca", 0.86, "home")],
        names,
    )
    assert members(found) == together("luca sparse", "mario")
    assert reasons(found) == ["given names differ"]


def test_one_kind_of_evidence_said_by_many_records_counts_once() -> None:
    marios = [f"mario{n}" for n in range(5)]
    links = [(one, other, 0.95, "email") for one, other in combinations(marios, 2)]
    links += [(mario, "sparse", 0.9, "phone") for mario in marios] + [("luca", "sparse", 0.9, "phone")]
    found = run([*marios, "luca", "sparse"], links, [(m, "name", "Mario|Rossi") for m in marios] + named(luca="Luca_"))
    assert members(found) == {frozenset(marios), frozenset({"luca"}), frozenset({"sparse"})}
    assert set(reasons(found)) == {AMBIGUOUS}


def test_rules_over_one_identifier_are_one_kind_of_evidence() -> None:
    rows = [("sparse", "mario", 0.9, "email_and_name"), ("sparse", "mario", 0.9, "email_and_home")]
    edges = edges_of([*rows, ("sparse", "luca", 0.9, "phone_and_name")])
    marks = marks_of(named(mario="Mario_Rossi", luca="Luca_Rossi"))
    apart = cluster(["luca", "mario", "sparse"], edges, marks)
    assert members(apart) == together("mario sparse", "luca")
    kinds = edges.append_column("identifier_kind", pa.array(["email", "email", "phone"]))
    assert members(cluster(["luca", "mario", "sparse"], kinds, marks)) == together("mario", "sparse", "luca")


# ---- who could be either of two people


@pytest.mark.parametrize(("rival", "joined"), [(0.9, False), (0.85, False), (0.8, True)])
def test_a_sparse_record_joins_father_or_son_only_when_its_evidence_is_clearly_ahead(
    rival: float, joined: bool
) -> None:
    births = [("father", "birth_date", "1950-03-01"), ("son", "birth_date", "1981-07-15")]
    names = named(father="Mario_Rossi", son="Mario_Rossi", sparse="Mario_Rossi")
    found = run(
        ["father", "son", "sparse"],
        [("father", "sparse", 0.9, "phone"), ("son", "sparse", rival, "home"), ("father", "son", 0.85, "home")],
        names + births,
    )
    assert members(found) == together(*(["father sparse", "son"] if joined else ["father", "son", "sparse"]))
    assert ("birth dates differ" in reasons(found), AMBIGUOUS in reasons(found)) == (True, not joined)


def test_the_margin_says_when_evidence_is_clearly_ahead() -> None:
    links = [("father", "sparse", 0.9, "phone"), ("son", "sparse", 0.8, "home")]
    names = named(father="Mario_Rossi", son="Luca_Rossi")
    assert len(members(run(["father", "son", "sparse"], links, names, margin=4.0))) == 3
    assert len(members(run(["father", "son", "sparse"], links, names, margin=1.5))) == 2


def test_initials_are_given_to_neither_of_two_twins() -> None:
    twins = [(record, "birth_date", "1990-05-05") for record in ("marco", "matteo", "initial")]
    found = run(
        ["initial", "marco", "matteo"],
        [("initial", "marco", 0.95, "email"), ("initial", "matteo", 0.95, "email"), ("marco", "matteo", 0.5, "home")],
        twins + named(marco="Marco_Rossi", matteo="Matteo_Rossi", initial="M._Rossi"),
    )
    assert members(found) == together("marco", "matteo", "initial")


def test_sparse_records_in_a_row_bridge_nobody() -> None:
    found = run(
        ["father", "one", "son", "two"],
        [("father", "one", 0.9, "phone"), ("one", "two", 0.9, "phone"), ("two", "son", 0.9, "phone")],
        named(father="Mario_Rossi", son="Luca_Rossi", one="_Rossi", two="_Rossi"),
    )
    assert members(found) == together("father", "son", "one two")


def test_a_sparse_record_beside_one_person_alone_joins_them() -> None:
    found = run(
        ["a", "b", "luca", "sparse"],
        [("a", "sparse", 0.9, "phone"), ("b", "sparse", 0.9, "phone"), ("b", "luca", 0.9, "home")],
        named(a="Mario_Rossi", b="Mario_Rossi", luca="Luca_Rossi", sparse="_Rossi"),
    )
    assert members(found) == together("a b sparse", "luca")


def test_a_hub_that_two_thousand_people_share_stays_with_the_one_clearly_ahead() -> None:
    people = [f"p{n:04d}" for n in range(2_000)]
    births = [(p, "birth_date", f"{1930 + n % 60}-0{1 + n % 7}-{10 + n % 19}") for n, p in enumerate(people)]
    links = [(p, "hub", 0.8 if p != "p0777" else 0.95, "phone") for p in people]
    found = run([*people, "hub"], links, births)
    assert {"hub", "p0777"} in members(found)
    assert len(members(found)) == 2_000


def test_a_hub_that_two_thousand_people_share_alike_joins_nobody() -> None:
    people = [f"p{n:04d}" for n in range(2_000)]
    births = [(p, "birth_date", f"{1930 + n % 60}-0{1 + n % 7}-{10 + n % 19}") for n, p in enumerate(people)]
    found = run([*people, "hub"], [(p, "hub", 0.8, "phone") for p in people], births)
    assert len(members(found)) == 2_001
    assert set(reasons(found)) == {AMBIGUOUS}


def test_many_spellings_of_one_person_are_one_person() -> None:
    records = [f"r{n:03d}" for n in range(600)]
    links = [(a, b, 0.9, "email") for a, b in pairwise([*records, "anna"])]
    found = run([*records, "anna"], links, [(r, "name", f"Mario|Rossi{r}") for r in records] + named(anna="Anna_Rossi"))
    assert members(found) == {frozenset(records), frozenset({"anna"})}


# ---- one roof

OWN = [("father", "own_email", "mario.rossi@x.example"), ("son", "own_email", "mario.rossi2@x.example")]


def test_a_home_alone_does_not_join_two_whose_mailboxes_each_bear_their_name() -> None:
    link = [("father", "son", 0.86, "address")]
    found = run(["father", "son"], link, named(father="Mario_Rossi", son="Mario_Rossi"), contacts=OWN)
    assert (members(found), reasons(found)) == (together("father", "son"), [AMBIGUOUS])
    assert members(run(["father", "son"], link, contacts=OWN[1:])) == together("father son")
    more = [*link, ("father", "son", 0.85, "card")]
    assert members(run(["father", "son"], more, contacts=OWN)) == together("father son")


def test_a_home_joins_those_who_have_one_of_their_mailboxes_in_common() -> None:
    shared = [("son", "own_email", "mario.rossi@x.example")]
    found = run(["father", "son"], [("father", "son", 0.86, "address")], contacts=[*OWN, *shared])
    assert members(found) == together("father son")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("own_mobile", "+393401112221"), ("own_mobile", "+393409998887")),
        (("mail_year", "57"), ("year", "81")),
    ],
    ids=["mobiles of their own", "the year in the mailbox of one, the birth date of the other"],
)
def test_a_home_does_not_join_two_who_each_have_what_one_person_has(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    home = [("father", "son", 0.86, "address")]
    assert members(run(["father", "son"], home, contacts=[("father", *one), ("son", *other)])) == together(
        "father", "son"
    )
    assert members(run(["father", "son"], home, contacts=[("father", *one), ("son", one[0], one[1])])) == together(
        "father son"
    )


def test_a_sparse_record_at_home_is_not_the_bridge_between_two_who_each_have_a_mailbox() -> None:
    home = [("father", "sparse", 0.86, "address"), ("son", "sparse", 0.86, "address")]
    found = run(["father", "son", "sparse"], home, contacts=OWN)
    assert members(found) == together("father", "son", "sparse")
    assert reasons(found) == ["could be either of two people"] * 2


def test_a_sparse_record_whose_card_is_the_sons_is_the_sons() -> None:
    edges = [("father", "sparse", 0.86, "address"), ("son", "sparse", 0.92, "card")]
    assert members(run(["father", "son", "sparse"], edges, contacts=OWN)) == together("father", "son sparse")


@pytest.mark.parametrize(
    ("kind", "one", "other", "is_slip"),
    [
        ("own_email", "mario.rossi@casa.example", "mario.rossi@iasa.example", True),
        ("own_email", "mario.rossi#@casa.example", "mario.rossi@casa.example", True),
        ("own_email", "mario.rossi2@casa.example", "mario.rossi@casa.example", False),
        ("own_email", "mariorossi@casa.example", "mario.rossi@casa.example", False),
        ("own_email", "carlos.rossi@casa.example", "carlo.rossi@casa.example", False),
        ("own_mobile", "+393401112221", "+393401112212", True),
        ("own_mobile", "+393401112221", "+393401112335", False),
    ],
)
def test_what_one_person_has_written_with_a_slip_is_no_other_persons(
    kind: str, one: str, other: str, is_slip: bool
) -> None:
    home = [("father", "son", 0.86, "address")]
    found = members(run(["father", "son"], home, contacts=[("father", kind, one), ("son", kind, other)]))
    assert found == (together("father son") if is_slip else together("father", "son"))


def test_a_home_and_a_birth_date_together_join_two_whose_mailboxes_differ() -> None:
    both = [("one", "other", 0.86, "address"), ("one", "other", 0.85, "name_birth")]
    assert members(run(["one", "other"], both, contacts=named_boxes("one", "other"))) == together("one other")
    for alone in both:
        assert members(run(["one", "other"], [alone], contacts=named_boxes("one", "other"))) == together("one", "other")


def named_boxes(one: str, other: str) -> list[tuple[str, str, str]]:
    return [(one, "own_email", "mario.rossi@x.example"), (other, "own_email", "rossi.mario@y.example")]


def test_the_line_of_a_home_says_no_more_than_its_address_whose_record_it_is() -> None:
    births = [("father", "birth_date", "1955-12-10"), ("son", "birth_date", "1985-07-03")]
    links = [("father", "sparse", 0.86, "address"), ("son", "sparse", 0.86, "address")]
    line = ("father", "sparse", 0.84, "landline")
    found = run(["father", "son", "sparse"], [*links, line], births)
    assert (members(found), set(reasons(found))) == (together("father", "son", "sparse"), {AMBIGUOUS})


def test_a_record_with_somebody_elses_code_is_nobodys_rival() -> None:
    marks = [("known", "tax_code", MARIO), ("wrong", "tax_code", ANNA)]
    links = [("known", "sparse", 0.92, "mobile"), ("wrong", "sparse", 0.92, "mobile")]
    records = ["known", "sparse", "wrong"]
    assert members(run(records, links, marks)) == together("known", "sparse", "wrong")
    doubted = [("wrong", "doubted", "tax_code")]
    assert members(run(records, links, marks, contacts=doubted)) == together("known sparse", "wrong")
    assert members(run(records[1:], links[1:], marks[1:], contacts=doubted)) == together("sparse wrong")


# ---- what people decided


def test_no_chain_joins_those_whom_a_person_set_apart() -> None:
    links = [("a", "b", 0.95, "email"), ("b", "c", 0.8, "phone"), ("c", "d", 0.95, "email")]
    found = run("abcd", links, apart=[("d", "a"), ("a", "gone")])
    assert members(found) == together("a b", "c d")
    assert reasons(found) == ["kept apart by decision"]


def test_a_record_between_two_that_a_person_set_apart_joins_neither() -> None:
    found = run("abx", [("a", "x", 0.9, "email"), ("b", "x", 0.9, "email")], apart=[("a", "b")])
    assert (members(found), set(reasons(found))) == (together("a", "b", "x"), {AMBIGUOUS})


def test_a_link_that_a_person_made_is_the_strongest_evidence() -> None:
    names = named(father="Mario_Rossi", son="Luca_Rossi")
    links = [("father", "sparse", 0.99, "tax_code"), ("father", "sparse", 0.99, "email")]
    found = run(["father", "son", "sparse"], [*links, ("son", "sparse", 1.0, "decision")], names)
    assert members(found) == together("son sparse", "father")
    assert cut_edges(found) == {("father", "sparse", "tax_code"), ("father", "sparse", "email")}


def test_a_link_that_contradicts_is_cut_and_reported() -> None:
    found = run("ab", [("a", "b", 1.0, "decision")], [("a", "tax_code", MARIO), ("b", "tax_code", ANNA)])
    assert found.cuts.to_pylist() == [
        {"left": "a", "right": "b", "strength": 1.0, "rule": "decision", "reason": "tax codes differ"}
    ]


# ---- what contradicts is a table


def test_homocody_variants_are_one_code() -> None:
    found = run("ab", [("a", "b", 0.9, "email")], [("a", "tax_code", MARIO), ("b", "tax_code", MARIO_HOMOCODY)])
    assert members(found) == together("a b")


def test_one_tax_code_outweighs_a_mistyped_birth_date_and_a_nickname() -> None:
    said = [("a", "birth_date", "1985-12-10"), ("b", "birth_date", "1958-07-01"), *named(a="Mario_Rossi", b="Lallo_")]
    codes = [(record, "tax_code", MARIO) for record in "ab"]
    link = [("a", "b", 0.99, "tax_code")]
    assert len(members(run("ab", link, said))) == 2
    assert len(members(run("ab", link, said + codes))) == 1


def test_a_missing_tax_code_does_not_make_a_second_person() -> None:
    names = named(a="Mario_Rossi", b="Mario_Rossi")
    assert members(run("ab", [("a", "b", 0.9, "email")], [("a", "tax_code", MARIO), *names])) == together("a b")


def test_the_birth_date_in_a_tax_code_contradicts_one_said_elsewhere() -> None:
    said = [("a", "tax_code", MARIO), ("b", "birth_date", "1957-03-02")]
    link = [("a", "b", 0.9, "email")]
    assert reasons(run("ab", link, said)) == ["birth dates differ"]
    stated = Contradictions.of([("tax_code", "differ"), ("birth_date", "slip")])
    assert reasons(run("ab", link, said, contradictions=stated)) == []


def test_different_sexes_are_a_slip_where_the_given_names_agree() -> None:
    sexes = [("a", "sex", "M"), ("b", "sex", "F")]
    names = named(a="Andrea_Rossi", b="Andrea_Rossi")
    link = [("a", "b", 0.9, "email")]
    assert reasons(run("ab", link, sexes)) == ["sexes differ"]
    assert reasons(run("ab", link, sexes + names)) == []
    strict = Contradictions.of([("sex", "differ")])
    assert reasons(run("ab", link, sexes + names, contradictions=strict)) == ["sexes differ"]


def test_different_sexes_are_no_slip_where_the_given_names_are_a_letter_apart() -> None:
    sexes = [("a", "sex", "M"), ("b", "sex", "F")]
    link = [("a", "b", 0.9, "email")]
    assert reasons(run("ab", link, sexes + named(a="Jan_Nowak", b="Jana_Nowak"))) == ["sexes differ"]
    assert reasons(run("ab", link, named(a="Jan_Nowak", b="Jana_Nowak"))) == []
    assert reasons(run("ab", link, [("a", "sex", "M"), ("b", "sex", "M"), *named(a="Jan_Nowak", b="Jann_Nowak")])) == []


def test_of_the_two_centuries_that_a_tax_code_may_mean_the_stated_one_counts() -> None:
    code = "ZNDDGS20C54L781J"
    said = [("a", "tax_code", code), ("a", "birth_date", "1920-03-14"), ("b", "birth_date", "1920-03-14")]
    exact = Contradictions.of([("tax_code", "decoded"), ("birth_date", "exact")])
    link = [("a", "b", 0.99, "phone")]
    assert reasons(run("ab", link, said, contradictions=exact)) == []
    assert reasons(run("ab", link, [said[0], said[2]], contradictions=exact)) == ["birth dates differ"]
    child = [*said[:2], ("b", "birth_date", "2020-03-14")]
    assert reasons(run("ab", link, child, contradictions=exact)) == ["birth dates differ"]


def test_a_slip_in_a_birth_date_contradicts_only_where_the_table_says_exact() -> None:
    said = [("a", "birth_date", "1985-12-10"), ("b", "birth_date", "1985-10-12")]
    link = [("a", "b", 0.9, "email")]
    assert reasons(run("ab", link, said)) == []
    exact = Contradictions.of([("birth_date", "exact")])
    assert reasons(run("ab", link, said, contradictions=exact)) == ["birth dates differ"]


def test_an_empty_table_means_that_nothing_contradicts() -> None:
    said = [("a", "tax_code", MARIO), ("b", "tax_code", ANNA), *named(a="Mario_Rossi", b="Anna_Bianchi")]
    assert members(run("ab", [("a", "b", 0.9, "email")], said, contradictions=Contradictions())) == together("a b")


def test_any_other_identifier_may_contradict_when_the_table_names_it() -> None:
    said = [("a", "ssn", "123"), ("b", "ssn", "124")]
    table = Contradictions.of([("ssn", "differ")])
    assert reasons(run("ab", [("a", "b", 0.9, "email")], said, contradictions=table)) == ["ssn values differ"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("birthdate", "slip"), "did you mean 'birth_date'"),
        (("birth_date", "slipp"), "did you mean 'slip'"),
        (("ssn", "exact"), "valid: differ"),
    ],
)
def test_a_word_that_means_nothing_in_the_table_is_refused_with_the_nearest(row: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Contradictions.of([row])


def test_the_shipped_table_is_what_clusters_go_by_unless_told_otherwise() -> None:
    assert Contradictions.read(SEEDS / "identity_contradictions.csv") == ITALIAN


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seed.csv").write_text("kind,description\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no column 'how'"):
        Contradictions.read(tmp_path / "seed.csv")


def test_a_wrong_word_in_the_table_is_found_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "identity_contradictions.csv").write_text("kind,how,description\nname,unlik,\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean 'unlike'"):
        check_seeds(tmp_path)


# ---- bad input


def test_nothing_makes_no_clusters() -> None:
    found = run([], [])
    assert (found.assignment.num_rows, found.cuts.num_rows) == (0, 0)


def test_an_edge_to_a_stranger_is_refused() -> None:
    with pytest.raises(ContractError, match="name no record"):
        run(["a"], [("a", "b", 0.9, "email")])


def test_a_mark_of_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ContractError, match="did you mean 'birth_date'"):
        run(["a"], [], [("a", "birthdate", "1985-12-10")])


def test_an_edge_without_strength_is_refused() -> None:
    table = edges_of([("a", "b", 0.9, "email")]).set_column(2, "strength", pa.array([None], pa.float64()))
    with pytest.raises(ContractError, match="no strength"):
        cluster(["a", "b"], table, marks_of([]))


def test_a_strength_beyond_one_is_refused() -> None:
    with pytest.raises(ContractError, match="not from 0 to 1"):
        run("ab", [("a", "b", 2.0, "email")])
