"""Many users at once: members of a group, users by name, and whether their mailboxes can be used (Graph reference 11).

Microsoft's page group-list-transitivemembers says that members whom the app may not read come with their id alone: then
nobody can tell a guest from a user, so the whole group counts as unreadable.
"""

from collections.abc import Sequence

from shared.errors import RetryableError, SourceUnreadable, SyncError
from shared.outlook import wire
from shared.outlook.errors import Meaning, label, mailbox_failure, meaning
from shared.outlook.service import Requests, reading
from shared.planning.importing import Person, Unfit
from shared.transport.batch import Unanswered
from shared.transport.client import Answer

EVENTUAL = {"ConsistencyLevel": "eventual"}  #: what a list of one kind of members needs, on each page
_PURPOSES = {"room": Unfit.ROOM, "equipment": Unfit.ROOM, "shared": Unfit.SHARED}
_NO_MAILBOX = {Meaning.NO_MAILBOX: Unfit.NO_MAILBOX, Meaning.UNKNOWN_USER: Unfit.UNKNOWN}
_REFUSED = {Meaning.NO_DIRECTORY, Meaning.NO_PERMISSION}

GROUP_PERMISSION = (
    "The app may not read members of groups. Grant it the application permission GroupMember.Read.All with admin "
    "consent (infra/identity/README.md): it is needed for importing a group."
)
USERS_PERMISSION = (
    "The app sees the members of the group but may not read who they are. Grant it the application permission "
    "User.Read.All with admin consent (infra/identity/README.md): it is needed for importing a group."
)
NO_GROUP = "Entra has no group with this object id. Check it, or name another group."


class People:
    """The tenant's users, for one run."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._sees_purposes = True

    def members(self, group_id: str) -> Sequence[Person]:
        """See `Directory`."""
        url = wire.with_query(wire.members_path(group_id), count="true", select=wire.USER_SELECT, top=str(wire.PAGE))
        rows = [
            row
            for page in self._requests.pages(url, what="group.members", headers=EVENTUAL, failure=_group_failure)
            for row in _listed(page)
        ]
        if any(not _is_whole(row) for row in rows):
            raise SourceUnreadable(USERS_PERMISSION, code="no-permission")
        return [_person(row) for row in rows]

    def find_all(self, names: Sequence[str]) -> Sequence[Person]:
        """See `Directory`."""
        urls = [wire.user_urls(each) for each in names]
        outcomes = iter(self._requests.batch([reading(url) for each in urls for url in each], what="users"))
        return [_found(name, [next(outcomes) for _ in each]) for name, each in zip(names, urls, strict=True)]

    def unusable(self, user_ids: Sequence[str]) -> Sequence[Unfit | None]:
        """See `Directory`."""
        probes = [reading(wire.probe_url(each)) for each in user_ids]
        purposes = [reading(wire.purpose_path(each)) for each in user_ids] if self._sees_purposes else []
        outcomes = self._requests.batch([*probes, *purposes], what="mailboxes.probe")
        reasons = [_by_mailbox(each) for each in outcomes[: len(probes)]]
        for place, outcome in enumerate(outcomes[len(probes) :]):
            if reasons[place] is None:
                reasons[place] = self._by_purpose(outcome)
        return reasons

    def _by_purpose(self, outcome: Answer | Unanswered) -> Unfit | None:
        """Without MailboxSettings.Read nobody says what a mailbox is for; then it is not asked for the next ones."""
        if not isinstance(outcome, Answer):
            return Unfit.LATER
        if outcome.ok and isinstance(outcome.body, dict):
            return _PURPOSES.get(wire.raw_text(outcome.body.get("value")))
        if meaning(outcome) in _REFUSED:
            self._sees_purposes = False
            return None
        return Unfit.LATER if meaning(outcome) is Meaning.BUSY else None


def _listed(page: Answer) -> Sequence[wire.Json]:
    """The rows of a page; one that is none would make leavers of those who are missing."""
    value = page.body.get("value") if isinstance(page.body, dict) else None
    if not isinstance(value, list) or not all(isinstance(row, dict) and row.get("id") for row in value):
        raise SourceUnreadable(
            "Microsoft Graph's list of the group's members cannot be read.", code="unexpected-answer"
        )
    return value


def _is_whole(row: wire.Json) -> bool:
    return isinstance(row.get("accountEnabled"), bool) and bool(wire.raw_text(row.get("userPrincipalName")))


def _person(row: wire.Json) -> Person:
    unfit = None
    if wire.is_guest(row):
        unfit = Unfit.GUEST
    elif row.get("accountEnabled") is False:
        unfit = Unfit.DISABLED
    return Person(wire.raw_text(row.get("id")).lower(), wire.address_of(row), unfit)


def _found(name: str, outcomes: Sequence[Answer | Unanswered]) -> Person:
    answers = [each for each in outcomes if isinstance(each, Answer)]
    for answer in answers:
        rows = wire.users(answer.body) if answer.ok else []
        if len(rows) > 1:
            return Person("", name, Unfit.AMBIGUOUS)
        if rows:
            return _person(rows[0])
    if len(answers) < len(outcomes) or any(meaning(each) is Meaning.BUSY for each in answers if not each.ok):
        # taken for unknown, somebody who has a profile would become a leaver (R25)
        raise RetryableError("The directory did not answer for everybody; it is asked again later.")
    for answer in answers:
        if not answer.ok and meaning(answer) in _REFUSED:
            raise SourceUnreadable(
                "The app may not look up users. Grant it the application permission User.Read.All with admin consent "
                "(infra/identity/README.md), or name users by Entra object id only.",
                code="no-permission",
            )
    return Person("", name, Unfit.UNKNOWN)


def _by_mailbox(outcome: Answer | Unanswered) -> Unfit | None:
    if not isinstance(outcome, Answer):
        return Unfit.LATER
    if outcome.ok:
        return None
    says = meaning(outcome)
    return Unfit.NO_PERMISSION if says in _REFUSED else _NO_MAILBOX.get(says, Unfit.LATER)


def _group_failure(answer: Answer) -> SyncError:
    says = meaning(answer)
    if says in _REFUSED:
        return SourceUnreadable(GROUP_PERMISSION, code="no-permission")
    if says is Meaning.UNKNOWN_USER or answer.status == 404:
        return SourceUnreadable(NO_GROUP, code="unknown-group")
    if says in (Meaning.BUSY, Meaning.CONFLICT):
        return mailbox_failure(answer)
    return SourceUnreadable(
        f"Microsoft Graph gave an unexpected answer ({label(answer)}) to the list of members.", code="unexpected-answer"
    )
