from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"

FOLDER = {
    "_gym.yml": """
sources:
  - name: gym
    schema: raw_gym
    description: The gym next door.
    tables:
      - name: members
        description: Members. One row a member.
        columns:
          - {name: id, data_type: bigint}
          - {name: name, data_type: varchar}
          - {name: mail, data_type: varchar}
          - {name: updated_at, data_type: timestamp with time zone}
""",
    "_gym__shapes.sql": """
{{ config(enabled=false) }}
{% macro shapes__gym() %}{{ return({'person_observed': ['stg_gym__persons']}) }}{% endmacro %}
""",
    "stg_gym__persons.sql": """
select
    'members' as stream,
    id as record_key,
    name as full_name,
    mail as email,
    updated_at as observed_at
from {{ source('gym', 'members') }}
""",
}
UNTESTED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
ROWS = {
    "crm.customers": [{"customer_no": 1, "first_name": "Ada", "last_name": "Rossi", "email": "ada@posta.example"}],
    "gym.members": [
        {"id": 7, "name": "Rossi Ada", "mail": "ADA@posta.example"},
        {"id": 8, "name": "Bruno Neri", "mail": "bruno@posta.example"},
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which another source has a folder."""
    copy = tmp_path_factory.mktemp("project") / "transform"
    copytree(PROJECT, copy, ignore=ignore_patterns("target", "logs"))
    folder = copy / "models" / "staging" / "gym"
    folder.mkdir()
    for name, text in FOLDER.items():
        (folder / name).write_text(text.lstrip())
    return copy


@pytest.fixture(scope="module")
def gym(project: Path, make_hub: Callable[..., Hub]) -> Hub:
    """What dbt makes of the copy."""
    return make_hub(ROWS, project).make("build", *UNTESTED, "--select", "+customer_values")


@pytest.mark.long
def test_a_source_and_a_segment_that_come_after_the_first_run_are_in_the_next(
    project: Path, make_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    later = tmp_path / "transform"
    copytree(project, later)
    gym, tall = later / "models" / "staging" / "gym", later / "models" / "segments" / "tall.sql"
    shutil.move(gym, tmp_path / "gym")
    hub = make_hub({}, later)
    listed = ("--quiet", "ls", "--resource-type", "model", "--output", "name", "--select")
    assert "person_observed" in hub.dbt(*listed, "person_observed").stdout
    shutil.move(tmp_path / "gym", gym)
    tall.write_text(
        "{% macro segment__tall() %}{{ return('tall') }}{% endmacro %}\n"
        "select customer_id, 'tall' as reason, [] as purposes from {{ ref('customers') }}\n"
    )
    assert "person_observed" in hub.dbt(*listed, "stg_gym__persons+1").stdout.split()
    assert "segments" in hub.dbt(*listed, "tall+1").stdout.split()
    # the same file of the source says that its persons are nobody any more
    shapes = gym / "_gym__shapes.sql"
    shapes.write_text(shapes.read_text().replace("person_observed", "review_observed"))
    assert "person_observed" not in hub.dbt(*listed, "stg_gym__persons+1").stdout.split()


def test_a_new_folder_under_staging_adds_its_people_with_no_other_edit(gym: Hub) -> None:
    assert gym.customer("gym/members/7") == gym.customer("crm/customers/1")
    assert gym.customer("gym/members/8") not in (None, gym.customer("crm/customers/1"))


def test_a_source_of_which_nobody_said_what_its_notice_allows_serves_service_alone(gym: Hub) -> None:
    assert gym.query("select distinct purposes from marts.customer_values where source = 'gym'") == [("service",)]


def test_a_column_that_the_shape_does_not_have_is_refused_by_name(gym: Hub, project: Path) -> None:
    staged = project / "models" / "staging" / "gym" / "stg_gym__persons.sql"
    staged.write_text(staged.read_text().replace("as email", "as e_mail"))
    done = gym.dbt("build", *UNTESTED, "--select", "stg_gym__persons", "person_observed")
    assert done.returncode != 0
    assert "shape person_observed has no column 'e_mail'. Next: rename it to one of" in done.stdout


def test_a_sync_without_a_purpose_does_not_compile(gym: Hub, project: Path) -> None:
    audiences = project / "models" / "activation" / "_activation.yml"
    declared = audiences.read_text()
    for wrong, told in (
        ("          purpose: email_marketng\n", "for the purpose 'email_marketng', which nobody knows, reaches nobody"),
        ("", "without a declared purpose reaches nobody"),
    ):
        audiences.write_text(declared.replace("          purpose: email_marketing\n", wrong))
        done = gym.dbt("compile", "--select", "brevo__long_absent")
        assert done.returncode != 0
        assert f"brevo__long_absent: a sync {told}" in done.stdout
