"""Whether a mailbox that the app must not reach is out of its reach, and whether a refusal is worth anything."""

from dev.doctor.surroundings import Patient
from shared.engine.checks import Check
from shared.engine.permissions import CONTACTS_READ, CONTACTS_WRITE, Api
from shared.errors import MailboxUnavailable

CHECK = "mailbox outside the group"
VARIABLE = "DOCTOR_CANARY_MAILBOX"
_TOLD_AT_ONCE = (
    "Test-ServicePrincipalAuthorization -Identity CLIENT_ID -Resource MAILBOX tells at once what is assigned, without "
    "the 30 minutes to 2 hours that it takes to work."
)


def look(patient: Patient, canary: str, member: str, member_works: bool | None) -> Check:
    """`member` is the object id of a mailbox that the app shall reach, blank when it is not known; `member_works`
    whether it does, None when none was tried. Raises SettingsError, RetryableError."""
    directory = patient.services.directory(patient.pace())
    try:
        mailbox = directory.find(canary)
    except MailboxUnavailable as error:
        return _no_answer("It cannot be looked up, so that a refusal would say nothing.", str(error))
    if mailbox.id == member:
        return _no_answer("It is the mailbox that the app shall reach.", f"Name in {VARIABLE} one outside the group.")
    try:
        directory.probe(mailbox.id)
    except MailboxUnavailable as error:
        if error.code == "no-permission":
            return _refused(member_works)
        return _no_answer(
            "There is no mailbox, so that a refusal would say nothing.", f"Name another one in {VARIABLE}."
        )
    return _readable(patient)


def _refused(member_works: bool | None) -> Check:
    if member_works:
        return Check(CHECK, True, "Refused, while the other mailbox can be reached: the limit is in force.")
    if member_works is None:
        advice = "Name a mailbox of the group with MAILBOX=, to tell the limit from no access at all."
        return Check(CHECK, True, "Refused. Whether the app reaches any mailbox is not known.", advice)
    return Check(
        CHECK,
        False,
        "Refused, but so is the mailbox of the group: the roles are not yet effective, or not assigned.",
        f"{_TOLD_AT_ONCE} If it is right for the mailbox of the group, wait and run this again.",
    )


def _readable(patient: Patient) -> Check:
    roles = patient.services.granted(Api.GRAPH) or frozenset()
    if roles & {CONTACTS_READ, CONTACTS_WRITE}:
        return Check(
            CHECK,
            False,
            "The app can read it: the consent for Contacts.* reaches every mailbox.",
            "Take Contacts.Read and Contacts.ReadWrite away from the app registration's permissions; roles of "
            "Exchange limit the app only without that. It can take 2 hours to work.",
        )
    return Check(
        CHECK,
        False,
        "The app can read it without consent for Contacts.*: the scope is too wide, or a change not yet effective.",
        f"{_TOLD_AT_ONCE} InScope True for this mailbox: narrow the scope of the role assignments, or take the user "
        "out of the group. False: consent, scope or member were taken away a short while ago; wait and run this again.",
    )


def _no_answer(detail: str, what_to_do: str) -> Check:
    return Check(CHECK, False, detail, what_to_do)
