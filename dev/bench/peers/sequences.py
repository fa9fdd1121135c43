"""Tools that cannot run here, as the requests that they send: python -m dev.bench.peers.sequences
lookups|listing|wizard.

What is assumed of each, in its favour: one connection that stays open, and nothing between two requests but what builds
and reads them. Nobody's processor time can be told from it: it is that of `requests`, not of the tool.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import batched
from typing import Any

import requests

from dev.bench.peers.job import BATCH, CATEGORY, Job, Peer, Person, body, serve

_TIMEOUT = 60


class _Mailbox:
    """A session with a token, and the folder."""

    def __init__(self, job: Job) -> None:
        self._people = job.people
        self._session = requests.Session()
        form = {
            "grant_type": "client_credentials",
            "client_id": job.client_id,
            "client_secret": job.client_secret,
            "scope": f"{job.graph_root}/.default",
        }
        address = f"{job.authority_host}/{job.tenant}/oauth2/v2.0/token"
        token = self._session.post(address, data=form, timeout=_TIMEOUT).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._root = f"{job.graph_root}/v1.0"
        folders = f"{self._root}/users/{job.user}/contactFolders"
        self._folder = self._post(folders, {"displayName": job.folder})["id"]
        self._contacts = f"{folders}/{self._folder}/contacts"

    def _get(self, address: str, **options: str) -> dict[str, Any]:
        return self._read(self._session.get(address, params=options, timeout=_TIMEOUT))

    def _post(self, address: str, content: dict[str, Any]) -> dict[str, Any]:
        return self._read(self._session.post(address, json=content, timeout=_TIMEOUT))

    def _read(self, answer: requests.Response) -> dict[str, Any]:
        if not answer.ok:
            raise RuntimeError(f"{answer.request.method} was answered with {answer.status_code}: {answer.text}")
        read: dict[str, Any] = answer.json()
        return read

    def _pages(self, address: str, **options: str) -> Iterator[dict[str, Any]]:
        page = self._get(address, **options)
        yield page
        while "@odata.nextLink" in page:
            page = self._get(page["@odata.nextLink"])
            yield page


class Lookups(_Mailbox):
    """Look up, then create: for each contact a request that finds it by its e-mail address, and one POST if it is not
    there. What a flow of a connector does, "find or create", and a tool that remembers nothing."""

    def run(self) -> None:
        """Look everybody up, and create who is missing."""
        for person in self._people:
            address = person.email.replace("'", "''")
            which = f"emailAddresses/any(a:a/address eq '{address}')"
            if not self._get(self._contacts, **{"$filter": which, "$select": "id"})["value"]:
                self._post(self._contacts, body(person))


class Listing(_Mailbox):
    """List, then create: the folder's contacts by pages of 100, and one POST for each that is missing. What published
    scripts do, and the first form of Business Central's own wizard, of which only the POSTs are known for certain."""

    def run(self) -> None:
        """List everybody, and create who is missing."""
        asked = {"$top": "100", "$select": "id,displayName,emailAddresses"}
        rows = [row for page in self._pages(self._contacts, **asked) for row in page["value"]]
        known = {mail["address"].lower() for row in rows for mail in row["emailAddresses"]}
        for person in self._people:
            if person.email.lower() not in known:
                self._post(self._contacts, body(person))


class Wizard(_Mailbox):
    """Business Central's own wizard, "Microsoft 365 Contact Sync", as Microsoft publishes it in BCApps (BaseApp,
    CRM/Outlook; it came with version 28): the folder's delta from where the last one ended, then batches of 20 POSTs,
    one batch after the other, for those whose e-mail address was not met. A throttled item is counted as an error and
    not tried again; what is there already is never changed.
    """

    def __init__(self, job: Job) -> None:
        """As of a user who has just chosen a new folder."""
        super().__init__(job)
        self._user = job.user
        self._link = ""
        self._known: set[str] = set()

    def run(self) -> None:
        """Read what is new in the folder, and create who is missing."""
        for page in self._pages(self._link or f"{self._contacts}/delta"):
            mails = [row.get("primaryEmailAddress") for row in page["value"]]
            self._known |= {each["address"].lower() for each in mails if each}
            self._link = page.get("@odata.deltaLink", self._link)
        missing = [each for each in self._people if each.email.lower() not in self._known]
        for some in batched(missing, BATCH, strict=False):
            items = [self._item(number, each) for number, each in enumerate(some, 1)]
            answer = self._post(f"{self._root}/$batch", {"requests": items})
            if wrong := [each for each in answer["responses"] if each["status"] >= 300 and each["status"] != 429]:
                raise RuntimeError(f"an item was answered with {wrong[0]}")

    def _item(self, number: int, person: Person) -> dict[str, Any]:
        """One contact with the properties that the wizard writes: no street, no middle name."""
        return {
            "id": str(number),
            "method": "POST",
            "url": f"/users/{self._user}/contactFolders/{self._folder}/contacts",
            "headers": {"Content-Type": "application/json"},
            "body": {
                "givenName": person.given_name,
                "surname": person.surname,
                "displayName": person.name,
                "companyName": "",
                "initials": "",
                "mobilePhone": "",
                "jobTitle": person.job_title,
                "categories": [CATEGORY],
                "parentFolderId": self._folder,
                "primaryEmailAddress": {"address": person.email, "name": person.email},
                "businessPhones": [person.phone],
                "businessAddress": {
                    "city": person.city,
                    "state": "",
                    "postalCode": person.postal_code,
                    "countryOrRegion": person.country,
                },
            },
        }


TOOLS: dict[str, Callable[[Job], Peer]] = {"lookups": Lookups, "listing": Listing, "wizard": Wizard}

if __name__ == "__main__":
    serve(TOOLS[sys.argv[1]], ("requests",))
