"""What is asked of Microsoft Graph: the points that its reference marks as not documented and that the app meets."""

from datetime import timedelta
from typing import Any

from dev.doctor.graph_lab import KEY, GraphLab, expand_key, key
from dev.doctor.probing import Probe, at_a_time, needed, said, shows_up
from dev.doctor.scratch import NAME
from shared.engine.connection import NOBODY
from shared.engine.watching import GRAPH_LIFECYCLE_PATH, GRAPH_PATH
from shared.outlook import wire
from shared.outlook.stamps import SENSITIVITY
from shared.outlook.subscriptions import CHANGES

_PARTS = 20
_TELLING = 0.2  #: seconds that 20 parts must take for their number at a time to be told
_TEXTS = ("jobTitle", "companyName", "mobilePhone", "businessHomePage", "middleName")
_ADDRESS = {"street": "1 Road", "city": "Town", "state": "", "postalCode": "1", "countryOrRegion": "Land"}


def _stale(lab: GraphLab, method: str) -> str:
    contact = lab.make(jobTitle="one")
    lab.change(contact, jobTitle="two")
    stale = {"If-Match": str(contact["@odata.etag"])}
    if method == "DELETE":
        answer = lab.remove(contact, stale)
    else:
        answer = lab.send(method, lab.at(contact), {"jobTitle": "three"}, stale)
    return f"not honoured: {said(answer)}" if answer.ok else f"honoured: {said(answer)}"


def _current(lab: GraphLab) -> str:
    contact = lab.make()
    return said(lab.send("PATCH", lab.at(contact), {"jobTitle": "x"}, {"If-Match": str(contact["@odata.etag"])}))


def _moved(lab: GraphLab) -> str:
    contact, target = lab.make(), lab.subfolder("moved")
    answer = lab.send("PATCH", lab.at(contact), {"parentFolderId": target})
    if not answer.ok:
        return said(answer)
    if answer.body.get("parentFolderId") != target:
        return "ignored"
    there = wire.contact_path(lab.mailbox, target, str(contact["id"]))
    return "moves; the immutable id stays" if lab.send("GET", there).ok else "moves; the immutable id changes"


def _found_by_key(lab: GraphLab) -> str:
    value = lab.patient.services.new_id()
    contact = lab.make(singleValueExtendedProperties=key(value))
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq '{value}')"
    url = wire.with_query(lab.path, filter=wanted, select="id")

    def is_there() -> bool:
        return any(row["id"] == contact["id"] for row in wire.rows(needed(lab.send("GET", url), "the filter").body))

    return shows_up(is_there, lab.wait)


def _change_shows(lab: GraphLab) -> str:
    feed = lab.feed()
    contact = lab.make()
    made = shows_up(lambda: feed.shows(contact), lab.wait)
    feed.items.clear()
    lab.change(contact, jobTitle="changed")
    return f"made: {made}; changed: {shows_up(lambda: feed.shows(contact), lab.wait)}"


def _removal_shows(lab: GraphLab) -> str:
    contact, feed = lab.make(), lab.feed()
    needed(lab.remove(contact), "removing a contact")
    shown = shows_up(lambda: feed.tells_removal(contact), lab.wait)
    reason = feed.items.get(contact["id"], {}).get("@removed", {}).get("reason", "none")
    return f"{shown}; reason: {reason if reason in ('deleted', 'changed', 'none') else 'another'}"


def _stamp_shows(lab: GraphLab) -> str:
    contact, feed = lab.make(), lab.feed()
    lab.change(contact, singleValueExtendedProperties=key("new"))
    return shows_up(lambda: feed.shows(contact), lab.wait)


def _delta_expand(lab: GraphLab) -> str:
    lab.make(singleValueExtendedProperties=key("x"))
    answer = lab.send("GET", expand_key(f"{lab.path}/delta"))
    if not answer.ok:
        return said(answer)
    carried = any(row.get("singleValueExtendedProperties") for row in wire.rows(answer.body))
    return "the feed carries it" if carried else "taken, and ignored"


def _same_name(lab: GraphLab) -> str:
    lab.subfolder("twice")
    url = f"{wire.folder_path(lab.mailbox, lab.folder.id)}/childFolders"
    return said(lab.send("POST", url, {"displayName": "twice"}))


def _short_path(lab: GraphLab) -> str:
    contact = lab.make()
    found = "finds it" if lab.send("GET", lab.short(contact)).ok else "does not find it"
    needed(lab.remove(contact), "removing a contact")
    deleted = "finds it" if lab.send("GET", lab.short(contact)).ok else "does not find it"
    return f"in another folder: {found}; in Deleted Items: {deleted}"


def _own_folder_only(lab: GraphLab) -> str:
    contact, other = lab.make(), lab.subfolder("other")
    answer = lab.send("GET", wire.contact_path(lab.mailbox, other, str(contact["id"])))
    return "found there, too" if answer.ok else f"only there: {said(answer)}"


def _id_without_header(lab: GraphLab) -> str:
    return said(lab.send("GET", lab.at(lab.make()), immutable=False))


def _folder_ids(lab: GraphLab) -> str:
    contact = lab.make()
    url = wire.with_query(wire.folders_path(lab.mailbox), top="100", select=wire.FOLDER_SELECT)
    seen = {"made": lab.folder.id, "of a contact": str(contact.get("parentFolderId"))}
    for name, immutable in (("listed", True), ("listed without the header", False)):
        rows = wire.rows(needed(lab.send("GET", url, immutable=immutable), "the list of folders").body)
        seen[name] = next((str(row["id"]) for row in rows if row.get("displayName") == lab.folder.name), "not listed")
    other = [name for name, each in seen.items() if each != lab.folder.id]
    return f"another one: {', '.join(other)}" if other else "one form everywhere"


def _main_folder(lab: GraphLab) -> str:
    url = wire.with_query(wire.folders_path(lab.mailbox), top="100", select=wire.FOLDER_SELECT)
    rows = wire.rows(needed(lab.send("GET", url), "the list of folders").body)
    listed = any(row["id"] == lab.folder.parent_id for row in rows)
    alias = lab.send("GET", f"{wire.folders_path(lab.mailbox)}/contacts")
    of_alias = "is it" if alias.ok and alias.body.get("id") == lab.folder.parent_id else said(alias)
    return f"{'' if listed else 'not '}in the list; the alias “contacts”: {of_alias}"


def _deleted_folder(lab: GraphLab) -> str:
    path = wire.folder_path(lab.mailbox, lab.subfolder("deleted"))
    needed(lab.send("DELETE", path), "removing a folder")
    answer = lab.send("GET", path)
    if not answer.ok:
        return f"gone: {said(answer)}"
    needed(lab.send("POST", f"{path}/permanentDelete"), "removing a folder for good")
    elsewhere = answer.body.get("parentFolderId") != lab.folder.id
    return f"still there, with {'another' if elsewhere else 'the same'} parent"


def _at_a_time(lab: GraphLab) -> str:
    path = lab.at(lab.make())
    part: dict[str, Any] = {"method": "GET", "url": path, "headers": wire.PREFER}
    chain = [{**part, **({"dependsOn": [str(number - 1)]} if number else {})} for number in range(_PARTS)]
    one, ordered, free = (lab.seconds_of(each) for each in ([part], chain, [part] * _PARTS))
    seconds = f"1 part {one * 1000:.0f} ms, {_PARTS} in order {ordered * 1000:.0f} ms, unordered {free * 1000:.0f} ms"
    if ordered - one < _TELLING:
        return f"too fast to tell ({seconds})"
    return f"about {at_a_time(one, ordered, free, _PARTS):.0f} ({seconds})"


def _outer_header(lab: GraphLab) -> str:
    made = lab.make()
    url = wire.with_query(lab.path, select="id", top="999")
    answer = lab.batch([{"method": "GET", "url": url}], wire.PREFER)["0"]
    ids = {row["id"] for row in wire.rows(needed(answer, "a list inside a batch").body)}
    return "inherited" if made["id"] in ids else "not inherited"


def _long_text(lab: GraphLab) -> str:
    return said(lab.send("POST", lab.path, {"displayName": NAME, "jobTitle": "x" * 256}))


def _many_addresses(lab: GraphLab) -> str:
    addresses = [{"address": f"doctor{number}@contoso.invalid", "name": NAME} for number in range(4)]
    return said(lab.send("POST", lab.path, {"displayName": NAME, "emailAddresses": addresses}))


def _cleared(lab: GraphLab) -> str:
    contact = lab.make(**dict.fromkeys(_TEXTS, "x"), businessAddress=_ADDRESS, businessPhones=["1"], categories=[NAME])
    kept = []
    values: dict[str, Any] = {
        **dict.fromkeys(_TEXTS),
        "businessPhones": [],
        "categories": [],
        "businessAddress": dict.fromkeys(_ADDRESS),
    }
    for name, value in values.items():
        answer = lab.send("PATCH", lab.at(contact), {name: value})
        left = answer.body.get(name) if answer.ok else said(answer)
        if any(left.values()) if isinstance(left, dict) else left:
            kept.append(name if answer.ok else f"{name} {left}")
    return f"not cleared: {', '.join(kept)}" if kept else "cleared"


def _blank_forms(lab: GraphLab) -> str:
    shown = [row.get(name, "left out") for row in (lab.make(), lab.make()) for name in (*_TEXTS, "department")]
    names = {"": "an empty text", None: "null", "left out": "left out"}
    return ", ".join(sorted({names.get(each, "something else") for each in shown}))


def _display_name(lab: GraphLab) -> str:
    changed = lab.change(lab.make(givenName="One", surname="Name"), givenName="Two")
    return "stays" if changed.get("displayName") == NAME else "is made anew"


def _email_name(lab: GraphLab) -> str:
    made = lab.make(emailAddresses=[{"address": "doctor@contoso.invalid"}])
    addresses = made.get("emailAddresses") or [{}]
    return "stays blank" if not addresses[0].get("name") else "is filled in"


def _category(lab: GraphLab) -> str:
    return "kept" if NAME in (lab.make(categories=[NAME]).get("categories") or []) else "dropped"


def _private_mark(lab: GraphLab) -> str:
    url = wire.with_query(
        lab.at(lab.make()), expand=f"singleValueExtendedProperties($filter=id eq '{SENSITIVITY}')", select="id"
    )
    found = needed(lab.send("GET", url), "reading it").body.get("singleValueExtendedProperties") or []
    if not found:
        return "not there"
    number = str(found[0].get("value"))
    form = "as asked for" if found[0].get("id") == SENSITIVITY else "in another form"
    return f"{number if number.isdigit() else 'something else'}; its id comes {form}"


def _nobody(lab: GraphLab) -> str:
    return said(lab.send("GET", f"{wire.folders_path(NOBODY)}?$top=1"))


def _subscription(lab: GraphLab) -> str:
    services = lab.patient.services
    if not services.public_address:
        return "could not be asked: PUBLIC_ADDRESS is not set"
    body = {
        "changeType": CHANGES,
        "resource": wire.watched(lab.mailbox, lab.folder.id),
        "notificationUrl": services.public_address + GRAPH_PATH,
        "lifecycleNotificationUrl": services.public_address + GRAPH_LIFECYCLE_PATH,
        "expirationDateTime": wire.written(services.now() + timedelta(hours=1)),
        "clientState": services.new_id() * 4,
        "latestSupportedTlsVersion": "v1_2",
    }
    answer = lab.send("POST", wire.SUBSCRIPTIONS, body)
    if not answer.ok:
        return said(answer)
    path = wire.subscription_path(str(answer.body["id"]))
    try:
        shown = lab.send("GET", path).body.get("clientState") == body["clientState"]
    finally:
        lab.send("DELETE", path)
    same = answer.body.get("resource") == body["resource"]
    form = "as asked for" if same else "in another form"
    return f"taken; resource {form}; clientState is {'' if shown else 'not '}shown when read"


PROBES: tuple[Probe[GraphLab], ...] = (
    Probe(
        "`If-Match` with an old tag, changing a contact",
        "reads the contact right before, and sends the tag besides",
        lambda lab: _stale(lab, "PATCH"),
    ),
    Probe(
        "`If-Match` with an old tag, removing a contact",
        "sends the tag of the contact as it was judged (R24)",
        lambda lab: _stale(lab, "DELETE"),
    ),
    Probe("`If-Match` with the current tag", "must be taken", _current),
    Probe("changing `parentFolderId` of a contact", "never does", _moved),
    Probe(
        "a new contact is found by its extended property",
        "reads the whole folder where it might have died (R9)",
        _found_by_key,
    ),
    Probe("a contact shows in the change feed", "reads again at the next run", _change_shows),
    Probe("a removal shows in the change feed", "makes sure of each; the reason does not matter", _removal_shows),
    Probe("a change of an extended property alone shows there", "no echo is awaited, one does no harm", _stamp_shows),
    Probe("`$expand` of extended properties in the change feed", "reads them in a batch", _delta_expand),
    Probe("a second folder of one name", "goes by the code", _same_name),
    Probe("the path without a folder finds a contact", "uses the path with it", _short_path),
    Probe("the path with a folder finds a contact", "compares the folder that the answer names", _own_folder_only),
    Probe("an immutable id without the header `Prefer`", "sends the header always", _id_without_header),
    Probe("the id of a folder, wherever it stands", "compares them letter by letter", _folder_ids),
    Probe("the main folder", "finds it in several ways", _main_folder),
    Probe("a removed folder, by its id", "compares the parent", _deleted_folder),
    Probe("parts of an unordered batch at a time", "one batch of 20 at a time for each mailbox", _at_a_time),
    Probe("`Prefer` of a batch, in its parts", "repeats it in each part", _outer_header),
    Probe("a text of 256 letters", "notes what is refused, writes the rest", _long_text),
    Probe("four e-mail addresses", "sends three at most", _many_addresses),
    Probe("`null` and empty lists clear", "compares the answer with what was sent", _cleared),
    Probe("blank texts come as", "takes all of them for blank", _blank_forms),
    Probe("`displayName` when only a part of the name is sent", "sends it always", _display_name),
    Probe("the name of an address that is sent without one", "ignores it", _email_name),
    Probe(
        "a category that the user does not have",
        "needs it for R28; in the main folder also the stamp tells ours (R27)",
        _category,
    ),
    Probe("the mark “private” of a contact that has none", "reads 1 and 2 only, in any form", _private_mark),
    Probe("the contacts of a user who does not exist", "takes each of the known codes", _nobody),
    Probe("a subscription to one folder", "falls back to the mailbox; keeps its own secret", _subscription),
)
