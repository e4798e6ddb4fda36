from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from snello.activation import Erasures, Ledger, prints
from snello.activation.audience import Audience
from snello.activation.erasures import DONE, Erasure, Step
from snello.activation.sync import Sync
from snello.errors import ConfigError
from snello.kit.channel.rehearsal import Rehearsal

ROWS = [{"customer_id": f"c{n}", "number": n, "email": f"p{n}@example.org"} for n in range(5)]


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    staged = Rehearsal(tmp_path)
    staged.publish(ROWS)
    return staged


@pytest.fixture
def engine(stage: Rehearsal) -> Iterator[Engine]:
    with closing(stage.ledger()) as ledger:
        yield ledger.engine


def printed(stage: Rehearsal, engine: Engine, salt: str = "salt", **terms: str) -> dict[str, str]:
    audience = Audience(stage.lake, Sync.read(stage.sync, {**stage.terms, **terms}), salt, engine)
    return dict(audience.connection.execute("select key, fingerprint from printed").fetchall())


def kept(engine: Engine) -> list[Path]:
    return sorted(Path(f"{engine.url.database}.prints").rglob("*.parquet"))


def test_what_is_kept_is_taken_while_the_published_table_stays_as_it_is(stage: Rehearsal, engine: Engine) -> None:
    first = printed(stage, engine)
    (file,) = kept(engine)
    table = pq.read_table(file)
    pq.write_table(table.set_column(1, "fingerprint", [[f"kept {n}" for n in range(5)]]), file)
    mark = file.name.partition(".")[0]
    file.rename(file.with_name(f"{mark}.{zlib.crc32(file.read_bytes()):08x}.parquet"))
    assert sorted(printed(stage, engine).values()) == [f"kept {n}" for n in range(5)]
    stage.publish([*ROWS[:4], {**ROWS[4], "email": "other@example.org"}])
    second = printed(stage, engine)
    assert {key for key in first if first[key] != second[key]} == {"c4"}
    assert len(kept(engine)) == 1


def test_another_salt_or_key_is_reckoned_anew(stage: Rehearsal, engine: Engine) -> None:
    first = printed(stage, engine)
    assert set(printed(stage, engine, salt="pepper").values()).isdisjoint(first.values())
    assert printed(stage, engine, key="number") == {key[1:]: value for key, value in first.items()}
    assert printed(stage, engine) == first


def test_a_consent_that_came_since_is_heeded(stage: Rehearsal, engine: Engine) -> None:
    stage.publish(ROWS, refusing=["c1", "c2"])
    assert sorted(printed(stage, engine)) == ["c0", "c3", "c4"]
    before = kept(engine)
    stage.publish(ROWS, refusing=["c3"])
    assert sorted(printed(stage, engine)) == ["c0", "c1", "c2", "c4"]
    assert kept(engine) == before


@pytest.mark.parametrize("place", [100, 400, -20])
def test_a_damaged_file_costs_nothing_but_time(stage: Rehearsal, engine: Engine, place: int) -> None:
    first = printed(stage, engine)
    (file,) = kept(engine)
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 0x10
    for content in (whole[:place], bytes(damaged)):
        file.write_bytes(content)
        assert printed(stage, engine) == first
        assert [path.read_bytes() for path in kept(engine)] == [whole]


def test_where_nothing_can_be_kept_nothing_is_missing(stage: Rehearsal, engine: Engine) -> None:
    Path(f"{engine.url.database}.prints").write_text("in the way")
    assert len(printed(stage, engine)) == 5


def test_an_erasure_that_cannot_drop_them_is_told(stage: Rehearsal, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(f"{engine.url.database}.prints").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"cannot be removed\. Next: remove it by hand"):
        prints.forget(engine)


def test_a_ledger_in_postgresql_keeps_none(stage: Rehearsal, engine: Engine, postgres: str) -> None:
    with closing(Ledger(postgres)) as ledger:
        assert printed(stage, ledger.engine) == printed(stage, engine)


def test_the_steps_of_an_erasure_drop_them(stage: Rehearsal, engine: Engine) -> None:
    printed(stage, engine)
    with closing(stage.ledger()) as ledger:
        erasures = Erasures(ledger, "salt")
        asked = Erasure("e1", "s1", ("c1",), "ada", "asked", datetime.now(UTC), None, (Step("published"),))
        erasures.begin(asked, [])
        erasures.ended("e1", Step("published", DONE))
    assert kept(engine) == []
