"""What a Bluesky account posts, who follows it, and what others do with its posts, over XRPC (AT protocol)."""

from __future__ import annotations

from snello.kit.rest import RestTap, entry
from tap_bluesky.network import Followers, Likes, Notifications, PostCounts, Quotes, Reposts
from tap_bluesky.repository import Follows, LikesGiven, Posts, Profile
from tap_bluesky.xrpc import Settings


class TapBluesky(RestTap):
    """Singer tap for Bluesky."""

    name, settings = "tap-bluesky", Settings
    stream_classes = (
        Posts, Profile, Follows, LikesGiven, PostCounts, Likes, Reposts, Quotes, Followers, Notifications,
    )  # fmt: skip


main = entry(TapBluesky)
