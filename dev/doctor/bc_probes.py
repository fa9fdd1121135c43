"""What is asked of Business Central: the points that its reference marks as not documented and that the app meets."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from dev.doctor.probing import Probe, Unclear, needed, said, shows_up
from dev.doctor.surroundings import Patient
from shared.business_central.subscriptions import CONTACTS
from shared.business_central.wire import (
    ANY_VERSION,
    GO_ON,
    LANGUAGE,
    PRIMARY,
    query,
    runtime_address,
    subscription_path,
)
from shared.engine.watching import BC_PATH
from shared.outlook import wire
from shared.transport.client import Answer


class BcLab:
    """Requests as they stand, to persons of one name."""

    def __init__(self, patient: Patient, company_id: str, name: str, wait: float) -> None:
        self.patient = patient
        self.company = f"companies({company_id})"
        self.path = f"{self.company}/contacts"
        self.name = name
        self.wait = wait

    def send(self, method: str, url: str, json: Any = None, headers: Mapping[str, str] = LANGUAGE) -> Answer:
        """One request; the answer whatever its status."""
        client = self.patient.clients.business_central
        return client.request(method, url, pace=self.patient.pace(), what="doctor.probe", json=json, headers=headers)

    def post(self, **fields: Any) -> Answer:
        """An attempt to make a person."""
        return self.send("POST", self.path, {"type": "Person", "displayName": self.name, **fields})

    def make(self, **fields: Any) -> dict[str, Any]:
        """A person without an e-mail address."""
        return dict(needed(self.post(**fields), "making a contact").body)

    def change(self, row: Mapping[str, Any], fields: Any, tag: str | None = None) -> Answer:
        """An attempt to change it; `tag` None: the one of the row."""
        return self.send("PATCH", self.at(row), fields, {**LANGUAGE, "If-Match": tag or str(row["@odata.etag"])})

    def changed(self, row: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """The row as it is after a change."""
        return dict(needed(self.change(row, fields), "changing a contact").body)

    def at(self, row: Mapping[str, Any]) -> str:
        """The path of a person."""
        return f"{self.path}({row['id']})"

    def rows(self, url: str, headers: Mapping[str, str] = PRIMARY) -> list[dict[str, Any]]:
        """The first page of a list."""
        return wire.rows(needed(self.send("GET", url, headers=headers), "a list").body)


def _stale(lab: BcLab, method: str) -> str:
    row = lab.make(jobTitle="one")
    lab.changed(row, jobTitle="two")
    headers = {**LANGUAGE, "If-Match": str(row["@odata.etag"])}
    answer = lab.send(method, lab.at(row), {"jobTitle": "three"} if method == "PATCH" else None, headers)
    return f"not honoured: {said(answer)}" if answer.ok else f"honoured: {said(answer)}"


def _without_tag(lab: BcLab, method: str) -> str:
    return said(lab.send(method, lab.at(lab.make()), {"jobTitle": "x"} if method == "PATCH" else None))


def _nothing_changed(lab: BcLab) -> str:
    row = lab.make(jobTitle="x")
    after = lab.changed(row, jobTitle="x")
    moved = [name for name in ("@odata.etag", "lastModifiedDateTime") if after.get(name) != row.get(name)]
    return f"moves {' and '.join(moved)}" if moved else "moves neither tag nor time"


def _order(lab: BcLab) -> str:
    codes = [str(row["code"]) for row in lab.rows(query(f"{lab.company}/countriesRegions", top="2", select="code"))]
    if len(codes) < 2:
        raise Unclear("the company has fewer than two countries")
    row = lab.make(country=codes[0], city="One")
    after = lab.changed(row, country=codes[1], city="Two")
    return "as in the body" if after.get("city") == "Two" else "as on the page: the country cleared the town"


def _null(lab: BcLab) -> str:
    row = lab.make(jobTitle="x")
    answer = lab.change(row, {"jobTitle": None})
    if not answer.ok:
        return said(answer)
    return "ignored" if answer.body.get("jobTitle") == "x" else "clears"


def _own_id(lab: BcLab) -> str:
    wanted = str(uuid4())
    answer = lab.post(id=wanted)
    if not answer.ok:
        return said(answer)
    return "kept" if str(answer.body.get("id")).lower() == wanted else "taken, and another one given"


def _replica(lab: BcLab) -> str:
    row = lab.changed(lab.make(jobTitle="one"), jobTitle="two")
    url = query(lab.at(row), select="id,jobTitle")

    def is_there() -> bool:
        answer = lab.send("GET", url)
        return answer.ok and answer.body.get("jobTitle") == "two"

    return shows_up(is_there, lab.wait)


def _wildcard(lab: BcLab) -> str:
    lab.make()
    literal = quote(f"displayName eq '{lab.name[:-1]}*'", safe="")
    answer = lab.send("GET", f"{lab.path}?$filter={literal}&$select=id", headers=PRIMARY)
    if not answer.ok:
        return said(answer)
    return "a wildcard" if wire.rows(answer.body) else "a letter"


def _unknown(lab: BcLab) -> str:
    return said(lab.send("GET", f"{lab.path}({uuid4()})", headers=PRIMARY))


def _read_only(lab: BcLab) -> str:
    return said(lab.post(lastInteractionDate="2020-01-01"))


def _batch_goes_on(lab: BcLab) -> str:
    there = f"{lab.at(lab.make())}?$select=id"
    urls = [f"{lab.path}({uuid4()})", there]
    parts = [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(urls)]
    counts = []
    for headers in (GO_ON, LANGUAGE):
        body = needed(lab.send("POST", "$batch", {"requests": parts}, headers), "a batch").body
        counts.append(len(body.get("responses", [])))
    return f"with `odata.continue-on-error` {counts[0]} of 2 parts are answered, without it {counts[1]}"


def _website(lab: BcLab) -> str:
    return said(lab.post(website="https://contoso.invalid/" + "x" * 100))


def _offered(lab: BcLab) -> str:
    for how, wanted in (("by name", CONTACTS), ("by wildcard only", "v2.0*")):
        path = query(f"{lab.company}/webhookSupportedResources", filter=f"resource eq '{wanted}'")
        rows = lab.rows(runtime_address(lab.patient.clients.business_central.service.root, path))
        if any(str(row.get("resource")).strip("/").lower() == CONTACTS for row in rows):
            return f"found {how}"
    return "not offered"


def _twice(lab: BcLab) -> str:
    address = lab.patient.services.public_address
    if not address:
        return "could not be asked: PUBLIC_ADDRESS is not set"
    body = {
        "notificationUrl": address + BC_PATH,
        "resource": f"/api/v2.0/{lab.path}",
        "clientState": lab.patient.services.new_id() * 4,
    }
    made: list[str] = []
    try:
        answers = []
        for _ in range(2):
            answers.append(lab.send("POST", "subscriptions", body))
            if answers[-1].ok:
                made.append(str(answers[-1].body["subscriptionId"]))
        ours = "" if answers[0].ok else "the first already, so there is one of the app: "
        return f"{ours}{said(answers[-1])}"
    finally:
        for each in made:
            lab.send("DELETE", subscription_path(each), headers=ANY_VERSION)


PROBES: tuple[Probe[BcLab], ...] = (
    Probe("`If-Match` with an old tag, changing", "reads and merges again", lambda lab: _stale(lab, "PATCH")),
    Probe("`If-Match` with an old tag, deleting", "reads again", lambda lab: _stale(lab, "DELETE")),
    Probe("changing without `If-Match`", "sends it always", lambda lab: _without_tag(lab, "PATCH")),
    Probe("deleting without `If-Match`", "sends it always", lambda lab: _without_tag(lab, "DELETE")),
    Probe("a change that changes nothing", "awaits no echo", _nothing_changed),
    Probe("order in which properties are taken", "sends type and country first, sends again what was lost", _order),
    Probe("`null` for a text", "sends an empty text", _null),
    Probe("an `id` of ours for a new contact", "claims the e-mail address, looks before it repeats", _own_id),
    Probe("a change shows in an ordinary read", "reads from the primary always", _replica),
    Probe("`*` in a filter's text is", "compares the rows again", _wildcard),
    Probe("a contact that does not exist", "asks twice, in two ways (R25)", _unknown),
    Probe("a read-only field in a body", "sends none", _read_only),
    Probe("a batch after an error", "asks it to go on", _batch_goes_on),
    Probe("a website of 124 letters", "notes what is too long, writes the rest", _website),
    Probe("contacts among what is announced", "asks in both ways", _offered),
    Probe("a second subscription to the same", "looks at the list first", _twice),
)
