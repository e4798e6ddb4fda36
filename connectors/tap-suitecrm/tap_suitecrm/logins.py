"""Logins to V8, by OAuth 2: of a client for itself, and of a user through a client of the kind password."""

from __future__ import annotations

from snello.kit.http import Auth, oauth2_client, session_login

ADDRESS = "{url}/Api/access_token"
USER = {
    "grant_type": "password",
    "client_id": "{client_id}",
    "client_secret": "{client_secret}",
    "username": "{user}",
    "password": "{password}",
}

OF_CLIENT: Auth = oauth2_client(ADDRESS, style="body")
OF_USER: Auth = session_login(ADDRESS, USER, token="$.access_token", form=True)
