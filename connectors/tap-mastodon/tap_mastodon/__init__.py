"""What a Mastodon account publishes, who follows it, and what others do with it, over the REST API."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr

from snello.kit.rest import Compare, Limit, RestSettings, RestStream, RestTap, Values, bearer, entry, next_link

WHO = {"account_id": "account.id", "account_acct": "account.acct", "account_url": "account.url"}
WHAT = {"status_id": "status.id", "status_in_reply_to_id": "status.in_reply_to_id"}


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+", description="Server of the account, such as https://mastodon.social."
    )
    account: str = Field(pattern=r"^\d{1,20}$", description="Id of the account, as verify_credentials tells it.")
    token: SecretStr = Field(description="Access token of an application of the account, with the right to read.")


class Api(RestStream):
    """What every endpoint shares: a token, pages by the Link header, 300 requests in five minutes."""

    url_base, auth, paging = "{url}/api/v1", bearer("token"), next_link()
    limit, workers, params = Limit(300, 300), 4, "limit=80"
    values = Values(texts=("id",), left_out=("*",))  # of others no more than who did what


class Statuses(Api):
    """One row a status of the account, replies and boosts too. Read whole: an edit keeps its place in the listing."""

    name, path, params, primary_keys = "statuses", "/accounts/{account}/statuses", "limit=40", ("id",)
    compare = Compare(item="/statuses/{id}")
    values = Values(nested={"reblog_id": "reblog.id"}, left_out=("*",))


class Favourites(Api):
    """One row an account whose favourite a status is; read when a count moved. Since when is not told."""

    name, path, primary_keys = "favourites", "/statuses/{status_id}/favourited_by", ("status_id", "id")
    parent, by, only_with = Statuses, {"status_id": "id"}, "favourites_count"


class Reblogs(Api):
    """One row an account that boosted a status; read when a count moved. The interface does not tell when."""

    name, path, primary_keys = "reblogs", "/statuses/{status_id}/reblogged_by", ("status_id", "id")
    parent, by, only_with = Statuses, {"status_id": "id"}, "reblogs_count"


class Notifications(Api):
    """One row something that somebody did: a follow, a favourite, a boost, a mention and others. The newest first."""

    name, path, primary_keys = "notifications", "/notifications", ("id",)
    replication_key, newest_first, overlap = "created_at", True, timedelta(minutes=10)
    values = Values(nested={**WHO, **WHAT, "status_visibility": "status.visibility"}, left_out=("*",))


class Followers(Api):
    """One row an account that follows this one."""

    name, path, primary_keys = "followers", "/accounts/{account}/followers", ("id",)
    compare = Compare(proof="end", at_most=0.2)


class Following(Api):
    """One row an account that this one follows."""

    name, path, primary_keys = "following", "/accounts/{account}/following", ("id",)
    compare = Compare(proof="end")


class TapMastodon(RestTap):
    """Singer tap for Mastodon."""

    name, settings = "tap-mastodon", Settings
    stream_classes = (Statuses, Favourites, Reblogs, Notifications, Followers, Following)


main = entry(TapMastodon)
