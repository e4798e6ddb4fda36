"""What is wrong, before anything runs."""

from __future__ import annotations

import http.server
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from snello.cli.checks import connections, meltano, run, transform
from snello.cli.checks import hub as hub_check
from snello.cli.checks.finding import Finding
from snello.cli.checks.ground import Ground
from snello.lake import Lake

Snello = Callable[..., Any]


def plugin(name: str, executable: str = "true", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": name.replace("-", "_"), "executable": executable, **more}


def project(root: Path, jobs: dict[str, list[str]], **kinds: list[dict[str, Any]]) -> Ground:
    """A Meltano file with some plugins and jobs."""
    file = {
        "project_id": "test",
        "send_anonymous_usage_stats": False,
        "plugins": {
            "extractors": [plugin("tap-a"), plugin("tap-b")],
            "loaders": [plugin("target-a"), plugin("target-b")],
            "utilities": [plugin("tool", commands={"build": "build"})],
        }
        | kinds,
        "jobs": [{"name": name, "tasks": tasks} for name, tasks in jobs.items()],
    }
    (root / "meltano.yml").write_text(yaml.safe_dump(file))
    return Ground(root)


def faults(findings: Iterator[Finding]) -> list[str]:
    return [finding.told for finding in findings if finding.exit_code]


def test_a_sound_hub_has_no_fault(empty: Any) -> None:
    found = list(hub_check.check(Ground(empty.root)))
    assert [finding.subject for finding in found if not finding.exit_code] == [
        "settings",
        "lake",
        "ledger",
        "warehouse",
    ]


def test_a_hub_without_the_sources_suppressions_is_told_so_once_and_it_is_no_fault(
    empty: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, one = Lake(str(empty.root / "published")), pa.table({"customer_id": ["c1"]})
    monkeypatch.setenv("SNELLO_LAKE", lake.root)
    terms = {"webhook__loyal": {"target": "target-webhook", "purpose": "profiling", "channel": "any"}}
    said = []
    for tables in ({"activation/webhook__loyal": one}, {"suppressions": one}):
        lake.publish(tables, run_id="x", syncs=terms)
        found = list(hub_check.check(Ground(empty.root)))
        assert faults(found) == []
        said.append([finding.told for finding in found if finding.told])
    assert [len(told) for told in said] == [1, 0]
    assert "no table suppressions is published" in said[0][0]


def test_an_empty_salt_is_a_fault(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_SALT", "")
    [told] = faults(hub_check.check(Ground(empty.root)))
    assert "SNELLO_SALT is empty" in told


def test_a_lake_under_a_file_is_a_fault(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty.root / "file").write_text("")
    monkeypatch.setenv("SNELLO_LAKE", str(empty.root / "file" / "lake"))
    [told] = faults(hub_check.check(Ground(empty.root)))
    assert told.startswith("lake: cannot write")


def test_a_ledger_that_does_not_answer_is_a_fault(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_LEDGER", "postgresql://hub:s3cret@127.0.0.1:1/ledger")
    [told] = faults(hub_check.check(Ground(empty.root)))
    assert told.startswith("ledger: ")
    assert "s3cret" not in told


def test_a_broken_meltano_file_is_named_by_its_line(empty: Any) -> None:
    (empty.root / "meltano.yml").write_text("jobs:\n- name: [\n")
    told = faults(meltano.check(Ground(empty.root)))
    assert told == ["meltano.yml: it is not valid YAML at line 3. Next: mend the file."]


def test_a_job_that_names_no_plugin_is_answered_with_the_nearest(empty: Any) -> None:
    ground = project(empty.root, {"loop": ["tap-a target-aa", "tool:bild"]})
    [told] = faults(meltano.check(ground))
    assert told.startswith("meltano.yml: job loop: no plugin 'target-aa'. Next: did you mean 'target-a'?")


def test_a_job_that_names_no_command_is_answered_with_the_nearest(empty: Any) -> None:
    ground = project(empty.root, {"loop": ["tool:bild"]})
    [told] = faults(meltano.check(ground))
    assert "no command 'bild'. Next: did you mean 'build'?" in told


def test_a_plugin_in_two_pipelines_is_a_fault(empty: Any) -> None:
    ground = project(empty.root, {"extract": ["tap-a target-a", "tap-b target-a"]})
    [told] = faults(meltano.check(ground))
    assert "target-a runs with tap-a and with tap-b" in told


def test_the_same_pipeline_in_two_jobs_is_no_fault(empty: Any) -> None:
    ground = project(empty.root, {"extract": ["tap-a target-a"], "loop": ["tap-a target-a", "tool:build"]})
    assert faults(meltano.check(ground)) == []


def test_a_missing_executable_is_a_fault(empty: Any) -> None:
    ground = project(empty.root, {"loop": ["tap-a target-a"]}, extractors=[plugin("tap-a", "tap-nowhere")])
    [told] = faults(meltano.check(ground))
    assert told == "tap-a: no executable 'tap-nowhere' on PATH. Next: run `make setup`."


def test_a_plugin_that_no_job_runs_is_not_asked(empty: Any) -> None:
    ground = project(empty.root, {"loop": ["tool:build"]}, extractors=[plugin("tap-a", "tap-nowhere")])
    assert faults(meltano.check(ground)) == []


def test_a_wrong_setting_is_told_by_the_name_of_the_plugin(empty: Any) -> None:
    tap = plugin("tap-files--till", "tap-files", capabilities=["about"], settings=[{"name": "file"}])
    tap["config"] = {"file": "cards.csv"}
    ground = project(empty.root, {"loop": ["tap-files--till target-a"]}, extractors=[tap])
    [told] = faults(meltano.check(ground))
    assert told.startswith("tap-files--till: unknown setting file. Next: did you mean 'files'?")


def test_a_foreign_plugin_is_asked_whether_it_would_start(empty: Any) -> None:
    script = empty.root / "tap-foreign"
    script.write_text("#!/bin/sh\necho 'secret body' >&2\nexit 1\n")
    script.chmod(0o755)
    tap = plugin("tap-foreign", str(script), capabilities=["about"])
    ground = project(empty.root, {"loop": ["tap-foreign target-a"]}, extractors=[tap])
    [told] = faults(meltano.check(ground))
    assert told.startswith("tap-foreign: it refuses its settings")
    assert "secret body" not in told


def connected(root: Path, **config: Any) -> list[str]:
    settings = [{"name": "url"}, {"name": "files", "kind": "array"}]
    tap = plugin("tap-a", settings=settings, config=config)
    return faults(connections.check(project(root, {"loop": ["tap-a target-a"]}, extractors=[tap])))


def test_a_database_that_answers_is_no_fault(empty: Any) -> None:
    with closing(sqlite3.connect(empty.root / "shop.db")) as made:
        made.execute("create table t (a)")
    assert connected(empty.root, url="sqlite:///shop.db") == []


def test_a_missing_database_file_is_a_fault_and_is_not_made(empty: Any) -> None:
    [told] = connected(empty.root, url="sqlite:///none.db")
    assert told.startswith("tap-a: url: no SQLite file")
    assert not (empty.root / "none.db").exists()


def test_a_database_server_that_is_down_is_told_without_its_password(empty: Any) -> None:
    [told] = connected(empty.root, url="postgresql://hub:s3cret@127.0.0.1:1/crm")
    assert "does not answer" in told
    assert "s3cret" not in told


def test_the_hubs_own_ledger_may_not_be_there_yet(empty: Any) -> None:
    assert connected(empty.root, url=empty.ledger) == []


def test_files_that_no_path_matches_are_a_fault(empty: Any) -> None:
    (empty.root / "cards_1.csv").write_text("")
    told = connected(empty.root, files=[{"stream": "cards", "path": "cards_*.csv"}, {"stream": "x", "path": "x_*.csv"}])
    assert told == ["tap-a: x: no file matches x_*.csv. Next: correct the path, or put the files there."]


def test_text_that_is_no_url_is_a_fault(empty: Any) -> None:
    [told] = connected(empty.root, url="shop")
    assert "it is not a URL" in told


@pytest.fixture
def service() -> Iterator[Callable[[int], str]]:
    """A web service that answers everything with one status."""

    class Answer(http.server.BaseHTTPRequestHandler):
        status = 200

        def do_HEAD(self) -> None:
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

        def answering(status: int) -> str:
            Answer.status = status
            return f"http://127.0.0.1:{server.server_port}/"

        yield answering
        server.shutdown()


@pytest.mark.parametrize("status", [200, 401, 404, 405])
def test_a_service_that_answers_is_no_fault(empty: Any, service: Callable[[int], str], status: int) -> None:
    assert connected(empty.root, url=service(status)) == []


def test_a_service_that_is_not_well_is_a_fault(empty: Any, service: Callable[[int], str]) -> None:
    [told] = connected(empty.root, url=service(503))
    assert "it answers with 503" in told


def test_a_service_that_is_down_is_a_fault(empty: Any) -> None:
    [told] = connected(empty.root, url="http://127.0.0.1:1/")
    assert "nobody answers" in told


SYNCS = {
    "good__sync": ({"target": "target-a", "purpose": "email_marketing", "channel": "email"}, True, "customer_id"),
    "no__purpose": ({"target": "target-a", "channel": "email"}, True, "customer_id"),
    "no__target": ({"target": "target-aa", "purpose": "service", "channel": "any"}, True, "customer_id"),
    "no__contract": ({"target": "target-a", "purpose": "service", "channel": "any"}, False, "customer_id"),
    "no__key": ({"target": "target-a", "purpose": "service", "channel": "any"}, True, "customer"),
}


def dbt_project(root: Path) -> None:
    models = root / "transform" / "models"
    models.mkdir(parents=True)
    about = {"name": "test", "version": "1.0.0", "profile": "test", "model-paths": ["models"]}
    (root / "transform" / "dbt_project.yml").write_text(yaml.safe_dump(about))
    profile = {
        "test": {"target": "t", "outputs": {"t": {"type": "duckdb", "path": "{{ env_var('SNELLO_WAREHOUSE') }}"}}}
    }
    (root / "transform" / "profiles.yml").write_text(yaml.safe_dump(profile))
    told = []
    for name, (sync, contract, column) in SYNCS.items():
        (models / f"{name}.sql").write_text(f"select 'c1' as {column}")
        config = {"meta": {"sync": sync}, "contract": {"enforced": contract}}
        told.append({"name": name, "config": config, "columns": [{"name": column, "data_type": "varchar"}]})
    (models / "models.yml").write_text(yaml.safe_dump({"models": told}))


def test_each_sync_is_held_to_its_settings_target_and_contract(empty: Any) -> None:
    dbt_project(empty.root)
    found = {finding.subject: finding for finding in transform.check(project(empty.root, {}))}
    assert found["dbt project"].exit_code == found["sync good__sync"].exit_code == 0
    assert "setting purpose is missing" in found["sync no__purpose"].told
    assert "did you mean 'target-a'?" in found["sync no__target"].told
    assert found["sync no__contract"].exit_code == found["sync no__key"].exit_code == 3
    assert not (empty.root / "transform" / "target").exists()


def test_a_project_that_does_not_parse_is_told_in_dbts_words(empty: Any) -> None:
    dbt_project(empty.root)
    (empty.root / "transform" / "models" / "broken.sql").write_text("select * from {{ ref('nowhere') }}")
    [told] = faults(transform.check(project(empty.root, {})))
    assert "nowhere" in told
    assert told.endswith("Next: mend the project, then run `dbt parse`.")


def test_a_folder_without_a_dbt_project_is_told(empty: Any) -> None:
    [told] = faults(transform.check(project(empty.root, {})))
    assert "no dbt project" in told


def test_all_faults_are_told_at_once_and_the_worst_decides(
    empty: Any, snello: Snello, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNELLO_SALT", "")
    tap = plugin("tap-a", settings=[{"name": "url"}], config={"url": "http://127.0.0.1:1/"})
    project(empty.root, {"loop": ["tap-a target-b"]}, extractors=[tap])
    told = snello("check")
    assert told.code == 2
    assert sum(line.startswith("FAULT ") for line in told.out.splitlines()) == 3
    codes = {finding["exit_code"] for finding in json.loads(snello("check", "--json").out)}
    assert codes == {0, 2, 4}


@pytest.mark.parametrize(("codes", "left"), [([], 0), ([0], 0), ([0, 4], 4), ([4, 3], 3), ([4, 2, 3], 2)])
def test_a_wrong_configuration_outweighs_a_contract_and_that_who_is_down(codes: list[int], left: int) -> None:
    assert run.worst([Finding("area", "subject", "told", code) for code in codes]) == left
