"""A bare Graph client for these tests: a token, immutable ids, short paths."""

from typing import Any

import requests

from dev.simulators.launch import Simulators

STAMP = "String {b9d3c1f0-6d1e-4d8f-9f57-0c3a54f1e0a1} Name ContactKey"
IMMUTABLE = 'IdType="ImmutableId"'


def expand(*ids: str) -> str:
    wanted = " or ".join(f"id eq '{one}'" for one in ids)
    return f"singleValueExtendedProperties($filter={wanted})"


class GraphApi:
    """Calls Graph for one mailbox. Paths begin after /users/{id}; a path with // in it is taken as it is."""

    def __init__(self, simulators: Simulators, session: requests.Session, user: str) -> None:
        self.root = f"{simulators.graph_root}/v1.0"
        self.user = user
        self._session = session
        self._token = token_for(simulators, session)

    def __call__(
        self, method: str, path: str, body: Any = None, *, prefer: str | None = IMMUTABLE, **changes: Any
    ) -> requests.Response:
        url = path if "://" in path else f"{self.root}/users/{self.user}{path}"
        headers = {"Authorization": f"Bearer {self._token}", **changes.pop("headers", {})}
        if prefer:
            headers["Prefer"] = prefer
        return self._session.request(method, url, json=body, headers=headers, timeout=30, **changes)

    def get(self, path: str, **options: str) -> dict[str, Any]:
        """GET what must succeed; options without their $."""
        answer = self("GET", path, params={f"${name}": value for name, value in options.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, body: dict[str, Any], folder: str | None = None) -> dict[str, Any]:
        path = "/contacts" if folder is None else f"/contactFolders/{folder}/contacts"
        answer = self("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def folder(self, name: str) -> str:
        answer = self("POST", "/contactFolders", {"displayName": name})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def batch(self, items: list[dict[str, Any]], **changes: Any) -> dict[str, dict[str, Any]]:
        """Send a batch that must be accepted; returns the responses by id."""
        answer = self("POST", f"{self.root}/$batch", {"requests": items}, prefer=None, **changes)
        assert answer.status_code == 200, answer.text
        return {one["id"]: one for one in answer.json()["responses"]}

    def round(self, link: str, prefer: str = IMMUTABLE) -> tuple[list[dict[str, Any]], str]:
        """Walk a delta round; returns all items and the deltaLink."""
        items: list[dict[str, Any]] = []
        while True:
            answer = self("GET", link, prefer=prefer)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
            items += page["value"]
            if "@odata.deltaLink" in page:
                return items, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]


def token_for(simulators: Simulators, session: requests.Session, scope: str | None = None) -> str:
    addresses = simulators.addresses
    form = {
        "grant_type": "client_credentials",
        "client_id": addresses.client_id,
        "client_secret": addresses.client_secret,
        "scope": scope or addresses.graph_scope,
    }
    return str(session.post(f"{simulators.authority}/oauth2/v2.0/token", data=form).json()["access_token"])


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]
