"""What the account itself wrote, out of its repository: any server of the protocol has it."""

from __future__ import annotations

from snello.kit.rest import Compare, Values
from tap_bluesky.xrpc import Xrpc

POST = {"text": "value.text", "reply_root": "value.reply.root.uri", "reply_parent": "value.reply.parent.uri"}


class Records(Xrpc):
    """A collection of the account's repository, read whole: an edit keeps its place, and has another ``cid``."""

    records_jsonpath, primary_keys, compare = "$.records[*]", ("uri",), Compare(proof="end")


class Posts(Records):
    """One row a post of the account, replies too."""

    name, path = "posts", "/com.atproto.repo.listRecords?repo={handle}&collection=app.bsky.feed.post"
    values = Values(nested={**POST, "createdAt": "value.createdAt", "langs": "value.langs"})


class Profile(Records):
    """The one row of the account's own profile."""

    name, path = "profile", "/com.atproto.repo.listRecords?repo={handle}&collection=app.bsky.actor.profile"


class Follows(Records):
    """One row an account that this one follows."""

    name, path = "follows", "/com.atproto.repo.listRecords?repo={handle}&collection=app.bsky.graph.follow"
    values = Values(nested={"subject_did": "value.subject", "createdAt": "value.createdAt"}, left_out=("*",))


class LikesGiven(Records):
    """One row a post that this account likes."""

    name, path = "likes_given", "/com.atproto.repo.listRecords?repo={handle}&collection=app.bsky.feed.like"
    values = Values(nested={"subject_uri": "value.subject.uri", "createdAt": "value.createdAt"}, left_out=("*",))
