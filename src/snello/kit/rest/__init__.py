"""Taps over HTTP, declared: a stream says its path, keys, auth and paging; the loop, retries and faults are here."""

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.entry import entry
from snello.kit.http import Answer, Auth, Expired, Limit, Retry, Transient, api_key, basic, bearer
from snello.kit.rest.asking import Ask, Paging, Request, Row, Send, Token
from snello.kit.rest.compare import Compare
from snello.kit.rest.errors import Errors
from snello.kit.rest.graphql import GraphQLStream
from snello.kit.rest.jsonapi import JsonApiStream
from snello.kit.rest.jsonrpc import JsonRpcStream
from snello.kit.rest.paging import cursor, keyset, next_link, offset, page_number, single_page
from snello.kit.rest.settings import RestSettings
from snello.kit.rest.stream import RestStream
from snello.kit.rest.tap import RestTap
from snello.kit.rest.values import Values

__all__ = [
    "Answer",
    "Ask",
    "Auth",
    "Compare",
    "ConfigError",
    "ContractError",
    "Errors",
    "Expired",
    "GraphQLStream",
    "JsonApiStream",
    "JsonRpcStream",
    "Limit",
    "Paging",
    "Request",
    "RestSettings",
    "RestStream",
    "RestTap",
    "Retry",
    "RetryLater",
    "Row",
    "Send",
    "Token",
    "Transient",
    "Values",
    "api_key",
    "basic",
    "bearer",
    "cursor",
    "entry",
    "keyset",
    "next_link",
    "offset",
    "page_number",
    "single_page",
]
