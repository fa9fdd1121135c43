"""What people do and what the app is asked for: told once undisturbed, and again for each death."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.storage import keys
from tests.crashes.stage import Stage

ADA, BEN = "ada@contoso.example", "ben@contoso.example"
FOLDER = "Business Central"
#: deletions of many days within one simulated day; the safety stop has tests of its own
SETTINGS = {"HOLD_REMOVALS_COUNT": "100000", "HOLD_BC_CREATIONS": "100000"}
#: two of a kind are held
CAREFUL = {"HOLD_REMOVALS_COUNT": "1", "HOLD_REMOVALS_SHARE": "0.05", "HOLD_BC_CREATIONS": "1"}

type Step = Callable[[], object]


class Story:
    """Two users of one company: Ada with all contacts, Ben with those in Berlin."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.day = 0
        self.calm: dict[str, tuple[int, dict[str, Any]]] = {}  #: of tales played undisturbed: requests, and the picture

    def begin(self, settings: Mapping[str, str] = SETTINGS) -> None:
        """Persons in BC, mailboxes with profiles, and a folder that Ada has filled; nothing is synced yet."""
        stage = self.stage
        stage.open(**settings)
        self.day = 0
        stage.bc.seed([{"displayName": "Acme", "type": "Company", "city": "Ulm"}])
        towns = {"Anna Berg": "Berlin", "Bob Tal": "Ulm", "Cem Ay": "Berlin", "Dora Fink": "Berlin"}
        for name, city in towns.items():
            stage.bc.create_contact(displayName=name, email=_email(name), city=city)
        self.ids = {address: stage.graph.create_user(address) for address in (ADA, BEN)}
        stage.graph.create_folder(ADA, FOLDER)
        for name in ("Bob Tal", "Emil Kant"):  # one whom BC knows, and one whom it does not
            stage.graph.create_contact(ADA, _outlook(name) | {"jobTitle": "Friend"}, FOLDER)
        stage.call("PUT", f"/api/profiles/{ADA}", {})
        stage.call("PUT", f"/api/profiles/{BEN}", {"filter": {"city": "Berlin"}})

    # ------------------------------------------------------------ the first day

    def first_day(self) -> list[Step]:
        """First runs: folders, first matches, creations on both sides, links, and subscriptions to changes."""
        stage = self.stage
        return [lambda: stage.timer("fan_out"), stage.work]

    # ------------------------------------------------------------ other days

    def next_day(self) -> list[Step]:
        """Both sides have changed, in every way that there is; what came yesterday has gone. Ada asks for a run, and
        what it tells BC reaches Ben."""
        self.day += 1
        self._people_work()
        return [lambda: self._call("/api/sync", {"user": ADA, "mode": "incremental"}), self.stage.work]

    def day_of_regret(self) -> list[Step]:
        """A run has changed BC and both folders; an administrator undoes it."""
        self.day += 1
        stage = self.stage
        twin = self._twin(ADA, "Anna Berg")
        for each in [one for one in stage.graph.contacts_of(ADA, FOLDER) if "Vera" in one["displayName"]]:
            stage.graph.delete_contact(ADA, each["id"])  # what an undo left of yesterday
        stage.graph.edit_contact(ADA, twin, {"jobTitle": f"Wrong {self.today}"})
        name = f"Vera {self.today}"
        stage.graph.create_contact(ADA, _outlook(name), FOLDER)
        run = self._call("/api/sync", {"user": ADA, "mode": "incremental"})["runId"]
        stage.work()
        stage.tick()
        return [lambda: self._call(f"/api/admin/runs/{run}/undo", {"actor": "admin"}), stage.work]

    def day_of_approval(self) -> list[Step]:
        """A run was held, since it would have removed two contacts and made two persons; an administrator approves."""
        self.day += 1
        stage = self.stage
        for each in [one for one in stage.bc.contacts() if "day" in one["displayName"]]:
            stage.bc.delete_contact(each["number"])  # whom yesterday's approval made
        for name in (f"Nora {self.today}", f"Otto {self.today}"):
            stage.graph.create_contact(ADA, _outlook(name), FOLDER)
        run = self._call("/api/sync", {"user": ADA, "mode": "incremental"})["runId"]
        stage.work()
        report = stage.call("GET", f"/api/runs/{run}").body
        holds = [{"kind": each["kind"], "count": each["count"]} for each in report["held"]]
        assert {each["kind"] for each in holds} >= {"bc-creations"}, report
        return [lambda: self._approve(run, holds), stage.work]

    def _approve(self, run: str, holds: list[dict[str, Any]]) -> None:
        """Whoever got no answer asks again, and may hear that it is being carried out."""
        answer = self.stage.call("POST", f"/api/admin/runs/{run}/approve", {"holds": holds, "actor": "admin"})
        assert answer.status == 202 or answer.body["code"] == "already-approved", answer.body

    def _call(self, address: str, body: object) -> dict[str, Any]:
        answer = self.stage.call("POST", address, body)
        assert answer.status == 202, answer.body
        return answer.body

    @property
    def today(self) -> str:
        """A word for the day, in all that is typed on it."""
        return f"day{self.day:05d}"

    def _people_work(self) -> None:
        bc, graph, day = self.stage.bc, self.stage.graph, self.today
        for each in [one for one in bc.contacts() if "day" in one["displayName"]]:
            bc.delete_contact(each["number"])
        bc.update_contact(self._number("Anna Berg"), jobTitle=f"Chief {day}")
        eva = f"Eva {day}"
        bc.create_contact(displayName=eva, email=_email(eva), city="Berlin")
        graph.edit_contact(ADA, self._twin(ADA, "Anna Berg"), {"jobTitle": f"Boss {day}", "businessHomePage": day})
        graph.edit_contact(ADA, self._twin(ADA, "Bob Tal"), {"mobilePhone": day[3:]})
        graph.delete_contact(ADA, self._twin(ADA, "Dora Fink"))
        for name, more in ((f"Carla {day}", {"companyName": "Acme"}), (eva, {"jobTitle": f"Friend {day}"})):
            graph.create_contact(ADA, _outlook(name) | more, FOLDER)
        graph.edit_contact(BEN, self._twin(BEN, "Cem Ay"), {"businessPhones": [day[3:]]})

    # ------------------------------------------------------------ looking

    def picture(self) -> dict[str, Any]:
        """What a person sees on both sides, in all folders, and who is linked with whom."""
        bc = {each["id"].lower(): each for each in self.stage.bc.contacts()}
        company = keys.part(self.stage.bc.companies()[0]["id"].lower())
        seen: dict[str, Any] = {"bc": sorted(self._plain(each) for each in bc.values())}
        with self.stage.wire.outside():
            for address, user in self.ids.items():
                mailbox = self.stage.graph.read_mailbox(user)
                gone = mailbox["deleted_items"]
                shown = {each["id"]: each for each in mailbox["contacts"] if each["parentFolderId"] != gone}
                seen[address] = sorted(self._plain(each) for each in shown.values())
                seen[f"folders of {address}"] = sorted(each["displayName"] for each in mailbox["folders"])
                links = self.stage.services.mailboxes.peek(user, company, user).all_links()
                seen[f"links of {address}"] = sorted(
                    self._dayless(f"{_name(bc.get(each.bc_id.lower()))} = {_name(shown.get(each.outlook_id))}")
                    for each in links
                )
        return seen

    def _plain(self, contact: dict[str, Any]) -> str:
        kept = {key: value for key, value in contact.items() if key not in _TECHNICAL}
        return self._dayless(json.dumps(kept, sort_keys=True))

    def _dayless(self, text: str) -> str:
        """Days differ only in their words."""
        return text.replace(self.today, "TODAY").replace(self.today[3:], "TODAY")

    def writes(self) -> list[str]:
        """Writes to contacts and folders so far."""
        return [
            f"{each['method']} {each['kind']}"
            for each in self.stage.graph.log()
            if each["method"] != "GET" and each["service"] in ("graph", "bc")
            and not any(word in each["kind"] for word in ("subscription", "batch"))
        ]  # fmt: skip

    def _number(self, name: str) -> str:
        (found,) = [each["number"] for each in self.stage.bc.contacts() if each["displayName"] == name]
        return str(found)

    def _twin(self, user: str, name: str) -> str:
        (found,) = [each["id"] for each in self.stage.graph.contacts_of(user, FOLDER) if each["displayName"] == name]
        return str(found)


def _name(contact: dict[str, Any] | None) -> str:
    return str(contact["displayName"]) if contact is not None else "nobody"


def _outlook(name: str) -> dict[str, Any]:
    given, _, surname = name.partition(" ")
    address = {"address": _email(name), "name": name}
    return {"displayName": name, "givenName": given, "surname": surname, "emailAddresses": [address]}


def _email(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@people.example"


#: what differs from run to run and means nothing
_TECHNICAL = (
    "id", "number", "lastModifiedDateTime", "createdDateTime", "changeKey", "parentFolderId", "extended", "etag",
    "companyNumber", "mutable_id", "immutable_id", "@odata.etag", "defaultId",
)  # fmt: skip
