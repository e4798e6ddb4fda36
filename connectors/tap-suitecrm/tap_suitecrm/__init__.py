"""People, accounts, opportunities, cases, calls, meetings and campaigns of a SuiteCRM, over V8 or v4_1."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestTap
from tap_suitecrm.stream import SuiteStream

Stream = Literal["contacts", "accounts", "leads", "opportunities", "cases", "calls", "meetings", "campaigns"]


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+",
        description="Address of SuiteCRM, such as https://crm.example; for version 8 with /legacy behind it.",
    )
    interface: Literal["v8", "v4_1"] = Field("v8", description="Which of SuiteCRM's interfaces is read.")
    client_id: str | None = Field(None, description="Id of an OAuth2 client, for v8.")
    client_secret: SecretStr | None = Field(None, description="Secret of that client.")
    user: str | None = Field(
        None, description="Login of the user to read as: for v4_1, and for v8 with a client of the kind password."
    )
    password: SecretStr | None = Field(None, description="Password of that user.")
    page_size: int = Field(200, ge=1, le=5_000, description="Records of one request.")
    custom_fields: list[str] = Field(
        [], description="Names of fields of your own, as loyalty_card_c, that arrive in _extra where a module has them."
    )
    deletions: list[Stream] = Field(
        [], description="Streams that are read whole and compared, every run, so that records that are gone are told."
    )


class Contacts(SuiteStream):
    """One row a contact, with the first of its e-mail addresses."""

    name, module = "contacts", "Contacts"


class Accounts(SuiteStream):
    """One row an account: a company or other organisation."""

    name, module = "accounts", "Accounts"


class Leads(SuiteStream):
    """One row a lead; a converted one names the contact, account and opportunity that it became."""

    name, module = "leads", "Leads"


class Opportunities(SuiteStream):
    """One row an opportunity: a sale that may come about, which is no order."""

    name, module = "opportunities", "Opportunities"


class Cases(SuiteStream):
    """One row a case: a request or complaint."""

    name, module = "cases", "Cases"


class Calls(SuiteStream):
    """One row a call, planned or held."""

    name, module = "calls", "Calls"


class Meetings(SuiteStream):
    """One row a meeting, planned or held."""

    name, module = "meetings", "Meetings"


class Campaigns(SuiteStream):
    """One row a campaign."""

    name, module = "campaigns", "Campaigns"


class TapSuiteCRM(RestTap):
    """Singer tap for SuiteCRM."""

    name, settings = "tap-suitecrm", Settings
    stream_classes = (Contacts, Accounts, Leads, Opportunities, Cases, Calls, Meetings, Campaigns)


main = entry(TapSuiteCRM)
