"""A plain client of the Business Central simulator, for its tests."""

from collections.abc import Mapping
from typing import Any

import requests

from dev.simulators.business_central.control import BusinessCentralControl
from dev.simulators.launch import Simulators


def bc_token(simulators: Simulators) -> str:
    """Return an access token for Business Central from the Entra simulator."""
    form = {
        "grant_type": "client_credentials",
        "client_id": simulators.addresses.client_id,
        "client_secret": simulators.addresses.client_secret,
        "scope": simulators.addresses.bc_scope,
    }
    answer = requests.post(
        f"{simulators.authority}/oauth2/v2.0/token", data=form, verify=str(simulators.ca_file), timeout=10
    )
    return str(answer.json()["access_token"])


class BcClient:
    """Sends requests to one company, reading the primary unless told otherwise."""

    def __init__(self, simulators: Simulators) -> None:
        self.control: BusinessCentralControl = simulators.bc
        self.base = f"{simulators.bc_root}/v2.0/{simulators.addresses.tenant}/Production/api/v2.0"
        self.company = self.control.companies()[0]["id"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(simulators.ca_file)
        self.session.headers["Authorization"] = f"Bearer {bc_token(simulators)}"

    @property
    def contacts(self) -> str:
        return f"companies({self.company})/contacts"

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: str):
        if method == "GET":
            headers = {"Data-Access-Intent": "ReadWrite", **(headers or {})}
        url = path if path.startswith("https:") else f"{self.base}/{path}"
        params = {f"${name.rstrip('_')}": value for name, value in query.items()}
        return self.session.request(method, url, params=params, json=body, headers=headers, timeout=30)

    def page(self, headers: Mapping[str, str] | None = None, **query: str) -> dict[str, Any]:
        answer = self.send("GET", self.contacts, headers=headers, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, filter_: str, **query: str) -> list[str]:
        """Return the names that a filter lets through, sorted."""
        return sorted(row["displayName"] for row in self.page(filter=filter_, **query)["value"])

    def get(self, key: str) -> dict[str, Any]:
        return self.send("GET", f"{self.contacts}({key})").json()

    def post(self, headers: Mapping[str, str] | None = None, **values: Any) -> requests.Response:
        return self.send("POST", self.contacts, values, headers)

    def patch(self, row: Mapping[str, Any], values: Mapping[str, Any], tag: str | None = "") -> requests.Response:
        """PATCH with the row's own tag, another one, or none."""
        headers = {} if tag is None else {"If-Match": tag or row["@odata.etag"]}
        return self.send("PATCH", f"{self.contacts}({row['id']})", values, headers)

    def delete(self, row: Mapping[str, Any], tag: str | None = "*") -> requests.Response:
        return self.send("DELETE", f"{self.contacts}({row['id']})", headers={} if tag is None else {"If-Match": tag})

    def batch(self, *requests_: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> requests.Response:
        return self.send("POST", "$batch", {"requests": list(requests_)}, headers)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return status and code of an error, having checked its form."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    assert "  CorrelationId:  " in error["message"]
    return answer.status_code, error["code"]
