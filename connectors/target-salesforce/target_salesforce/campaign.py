"""A campaign whose members the audience is: made and taken off by the customer_id of the contact or lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from snello.kit.channel import ConfigError
from target_salesforce.faults import ALREADY, WHERE, RowFault
from target_salesforce.jobs import MEMBER, Jobs
from target_salesforce.org import Org, Row, Told, quoted

PEOPLE = ("Contact", "Lead")


class Campaign:
    """The campaign that the settings name; ``key``: the external id of its people."""

    def __init__(self, org: Org, jobs: Jobs, key: str) -> None:
        self.org, self.jobs = org, jobs
        self.person = f"{org.settings.object}.{key}"

    @cached_property
    def id(self) -> str:
        """Its id, asked for once a run. Raises ``ConfigError``."""
        given, kind = self.org.settings.campaign or "", self.org.settings.object
        if kind not in PEOPLE:
            raise ConfigError(
                WHERE, f"{kind} is no member of campaigns", "set object to Contact or Lead, or leave campaign"
            )
        by = "Id" if given.startswith("701") and len(given) in (15, 18) else "Name"
        found = [one["Id"] for one in self.org.query(f"SELECT Id FROM Campaign WHERE {by} = {quoted(given)}")]
        if len(found) != 1:
            many = "more than one campaign" if found else "no campaign"
            raise ConfigError(
                WHERE, f"the org has {many} called {given!r}", "let campaign hold an id, or make the campaign"
            )
        return str(found[0])

    @property
    def condition(self) -> str:
        """What holds for its members of ours."""
        return f"CampaignId = {quoted(self.id)} AND {self.person} != null"

    def join(self, keys: Sequence[str]) -> Iterator[Told]:
        """Make these people members; who is one already is fine."""
        status = self.org.settings.campaign_status
        fixed = {"CampaignId": self.id} | ({"Status": status} if status else {})
        if len(keys) >= self.org.settings.bulk_threshold:
            told = self.jobs.run("insert", [Row(key, fixed) for key in keys], MEMBER, self.person)
        else:
            told = self.org.create(MEMBER, [Row(key, {**fixed, self.person: key}) for key in keys])
        for key, fault in told:
            yield key, None if fault and fault.word == ALREADY else fault

    def leave(self, keys: Sequence[str]) -> dict[str, RowFault]:
        """Take these people off; the faults by key. Who is no member is fine."""
        found = self.org.ids(keys, self.person, MEMBER, f"CampaignId = {quoted(self.id)}")
        told = self.org.delete([Row(key, {}, record) for key, record in found.items()])
        return {key: fault for key, fault in told if fault and fault.word != "entity_is_deleted"}
