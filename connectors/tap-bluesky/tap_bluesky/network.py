"""What others did, as the views of the whole network tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from snello.kit.rest import Answer, Compare, Values
from tap_bluesky.xrpc import Xrpc

ACTOR = {"actor_did": "author.did", "actor_handle": "author.handle"}


class PostCounts(Xrpc):
    """One row a post of the account, with what the network counts; who did it is read where a count moved."""

    name, path, compare = "post_counts", "/app.bsky.feed.getAuthorFeed?actor={handle}", Compare(proof="end")
    params, records_jsonpath, primary_keys = "filter=posts_with_replies", "$.feed[*]", ("uri",)

    def rows(self, answer: Answer) -> list[dict[str, Any]]:
        """The account's own: what it passed on of others stands there with a reason."""
        return [each["post"] for each in super().rows(answer) if each.get("reason") is None]


class OfPost(Xrpc):
    """What others did with a post."""

    parent, by = PostCounts, {"post_uri": "uri"}


class Likes(OfPost):
    """One row a like of a post."""

    name, path, only_with = "likes", "/app.bsky.feed.getLikes?uri={post_uri}", "likeCount"
    records_jsonpath, primary_keys = "$.likes[*]", ("post_uri", "actor_did")
    values = Values(nested={"actor_did": "actor.did", "actor_handle": "actor.handle"}, left_out=("*",))


class Reposts(OfPost):
    """One row an account that passed a post on; the interface does not tell when."""

    name, path, only_with = "reposts", "/app.bsky.feed.getRepostedBy?uri={post_uri}", "repostCount"
    records_jsonpath, primary_keys = "$.repostedBy[*]", ("post_uri", "actor_did")
    values = Values(nested={"actor_did": "did", "actor_handle": "handle"}, left_out=("*",))


class Quotes(OfPost):
    """One row a post of somebody that quotes one of the account; its text stays with them."""

    name, path, only_with = "quotes", "/app.bsky.feed.getQuotes?uri={post_uri}", "quoteCount"
    records_jsonpath, primary_keys = "$.posts[*]", ("post_uri", "uri")
    values = Values(nested={**ACTOR, "createdAt": "record.createdAt"}, left_out=("*",))


class Followers(Xrpc):
    """One row an account that follows this one."""

    name, path, primary_keys = "followers", "/app.bsky.graph.getFollowers?actor={handle}", ("did",)
    records_jsonpath, compare = "$.followers[*]", Compare(proof="end", at_most=0.2)
    values = Values(nested={"followed_by": "viewer.followedBy"}, left_out=("*",))


class Notifications(Xrpc):
    """One row something that somebody did: a follow, a like, a mention and others. The newest first."""

    name, path, primary_keys = "notifications", "/app.bsky.notification.listNotifications", ("uri", "reason")
    records_jsonpath, replication_key, newest_first = "$.notifications[*]", "indexedAt", True
    overlap = timedelta(minutes=10)
    values = Values(nested={**ACTOR, "createdAt": "record.createdAt"}, left_out=("*",))
