"""From paths to what they mean (reference 1.4, 2, 11)."""

from dataclasses import dataclass

from dev.simulators.graph.refusals import Refused, wrong_verb


@dataclass(frozen=True, slots=True)
class Target:
    """What a path below /users/{id} names."""

    thing: str  #: folders, folder, contacts, contact, delta, purge-folder, purge-contact
    folder: str | None = None  #: None: the default folder, or the whole mailbox for a contact's short path
    contact: str | None = None


#: Verb in the request log by thing and method; what is missing here is 405.
VERBS: dict[tuple[str, str], str] = {
    ("folders", "GET"): "folders.list",
    ("folders", "POST"): "folders.create",
    ("folder", "GET"): "folders.get",
    ("folder", "PATCH"): "folders.update",
    ("folder", "DELETE"): "folders.delete",
    ("purge-folder", "POST"): "folders.purge",
    ("contacts", "GET"): "contacts.list",
    ("contacts", "POST"): "contacts.create",
    ("contact", "GET"): "contacts.get",
    ("contact", "PATCH"): "contacts.update",
    ("contact", "DELETE"): "contacts.delete",
    ("purge-contact", "POST"): "contacts.purge",
    ("delta", "GET"): "contacts.delta",
}


def read_path(segments: tuple[str, ...]) -> Target:
    """Return what the segments after /users/{id} name; raises 400 for paths that do not exist."""
    match segments:
        case ("contacts", *rest):
            return _contacts(None, rest)
        case ("contactFolders",):
            return Target("folders")
        case ("contactFolders", folder, *rest):
            while len(rest) > 1 and rest[0] == "childFolders":
                folder, rest = rest[1], rest[2:]
            return _folder(folder, rest)
        case _:
            raise no_segment(segments[0])


def verb_of(target: Target, method: str) -> str:
    """Return the verb for the request log; raises 405."""
    verb = VERBS.get((target.thing, method))
    if verb is None or "" in (target.folder, target.contact):
        raise wrong_verb(method)
    return verb


def no_segment(name: str) -> Refused:
    """A path that does not exist."""
    return Refused(400, "BadRequest", f"Resource not found for the segment '{name}'.")


def _folder(folder: str, rest: list[str]) -> Target:
    match rest:
        case []:
            return Target("folder", folder)
        case ["childFolders"]:
            return Target("folders", folder)
        case ["permanentDelete"]:
            return Target("purge-folder", folder)
        case ["contacts", "delta"]:
            return Target("delta", folder)
        case ["contacts", *further]:
            return _contacts(folder, further)
        case _:
            raise no_segment(rest[0])


def _contacts(folder: str | None, rest: list[str]) -> Target:
    match rest:
        case []:
            return Target("contacts", folder)
        case ["delta"]:
            raise no_segment("delta")  # only documented below a folder
        case [contact]:
            return Target("contact", folder, contact)
        case [contact, "permanentDelete"]:
            return Target("purge-contact", folder, contact)
        case _:
            raise no_segment(rest[1])
