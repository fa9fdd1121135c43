"""The whole examination, part by part, each told as soon as it is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dev.doctor import announcing, canary, public_address
from dev.doctor.surroundings import Patient
from dev.doctor.trial import write_to_bc, write_to_outlook
from shared.engine.callers import Caller, Subject, find_company
from shared.engine.checks import Check, not_tried
from shared.engine.connection import permissions, try_directory, try_mailbox
from shared.engine.permissions import Api
from shared.engine.profiles import usable
from shared.engine.sides import BcCompany, Mailbox
from shared.errors import RequestError, RetryableError, SyncError

_NAMES = {Api.GRAPH: "Microsoft Graph", Api.BC: "Business Central"}
_POLLED = "Nothing is lost by it: changes are found by the timer (SYNC_SCHEDULE)."


@dataclass(frozen=True, slots=True)
class Questions:
    """What somebody wants to know; blank for what is not to be tried."""

    mailbox: str = ""  #: of a user whom the app shall reach: e-mail address or object id
    company: str = ""  #: name or id; blank: the only one
    canary: str = ""  #: a mailbox that the app must not reach
    write: bool = False  #: write on both sides, and remove it again


class Examination:
    """Of one installation. Afterwards `mailbox` and `company` are what can be worked with."""

    def __init__(self, patient: Patient, questions: Questions) -> None:
        self._patient = patient
        self._services = patient.services
        self._questions = questions
        self._tokens: set[Api] = set()
        self.mailbox: Mailbox | None = None
        self.company: BcCompany | None = None

    def checks(self) -> Iterator[Check]:
        """All parts; what another part keeps from being tried says so."""
        yield self._storage()
        yield from self._tokens_and_permissions()
        yield from self._graph()
        yield from self._business_central()
        yield from self._announcements()
        yield from self._writing()
        yield self._outside()

    # ------------------------------------------------------------ parts

    def _storage(self) -> Check:
        if not self._patient.storage:
            detail = (
                "Not looked at: the settings here name none. GET /api/admin/health of the deployed app looks at it."
            )
            return Check("storage", None, detail)
        return _tried(
            "storage",
            "Storage cannot be used.",
            lambda: f"Companies that have profiles: {len(self._services.profiles.companies())}.",
        )

    def _tokens_and_permissions(self) -> Iterator[Check]:
        for api, name in _NAMES.items():
            token = _tried(f"token {name}", "The app gets no token.", partial(self._token, api))
            if token.ok:
                self._tokens.add(api)
            yield token
        if len(self._tokens) == len(_NAMES):
            yield from permissions(self._services, limited=bool(self._questions.canary))
        else:
            yield not_tried("permissions")

    def _token(self, api: Api) -> str:
        self._services.granted(api)
        return f"Got with {self._patient.credential}."

    def _graph(self) -> Iterator[Check]:
        if Api.GRAPH not in self._tokens:
            yield from (not_tried("Microsoft Graph"), not_tried("mailbox"), not_tried("folder"))
            return
        pace = self._patient.pace()
        yield _tried("Microsoft Graph", "It cannot be worked with.", lambda: try_directory(self._services, pace))
        if not self._questions.mailbox:
            advice = "Name a user of the group with MAILBOX=, by e-mail address or object id."
            yield from (Check(each, None, "Not tried: none is named.", advice) for each in ("mailbox", "folder"))
            return
        mailbox = _tried("mailbox", "The mailbox cannot be used.", self._look_at_mailbox)
        yield mailbox
        yield _tried("folder", "The folder cannot be used.", self._folder) if mailbox.ok else not_tried("folder")

    def _look_at_mailbox(self) -> str:
        found = usable(self._services.directory(self._patient.pace()).find(self._questions.mailbox), "mailbox")
        said = try_mailbox(self._services, found.id, self._patient.pace())
        self.mailbox = found
        return said if found.kind == "user" else f"{said} It is a shared one, or its account is switched off."

    def _folder(self) -> Check:
        assert self.mailbox is not None  # noqa: S101 - for the type checker
        name = self._services.limits.default_folder
        found = self._services.directory(self._patient.pace()).outlook(self.mailbox.id).folder_named(name)
        if found is None:
            return Check("folder", True, f"There is no folder “{name}” yet; the first run makes it.")
        if found.stamp is None:
            advice = (
                "A profile that uses this folder name takes the folder as it is; more than a few contacts in it that "
                "nobody in Business Central matches are held for approval (R26). Rename it in Outlook to begin afresh."
            )
            return Check("folder", True, f"There is a folder “{name}” which the sync did not make.", advice)
        if found.stamp.environment != self._services.environment:
            advice = "Only one deployment may sync a mailbox: end the other one's profile, or rename its folder."
            return Check("folder", True, f"The folder “{name}” belongs to another environment's sync.", advice)
        return Check("folder", True, f"The folder “{name}” is there, made by the sync.")

    def _business_central(self) -> Iterator[Check]:
        if Api.BC not in self._tokens:
            yield from (not_tried("company"), not_tried("contacts"))
            return
        company = _tried("company", "The company cannot be used.", self._look_at_company)
        yield company
        yield _tried("contacts", "They cannot be read.", self._contacts) if company.ok else not_tried("contacts")

    def _look_at_company(self) -> str:
        pace = self._patient.pace()
        try:
            self.company = find_company(self._services, Subject("", self._questions.company), Caller(), pace)
        except RequestError as error:
            names = ", ".join(f"“{each.name}”" for each in self._services.business_central(pace).companies())
            raise RequestError(
                f"{error} Name one with COMPANY=. The app may enter: {names or 'none, so give it permission sets'}."
            ) from None
        return f"The app may enter “{self.company.name}”."

    def _contacts(self) -> str:
        assert self.company is not None  # noqa: S101 - for the type checker
        company = self._services.business_central(self._patient.pace()).company(self.company.id)
        company.changed_since(self._services.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        return f"Contacts and countries can be read; there are {len(company.countries())} countries."

    def _announcements(self) -> Iterator[Check]:
        yield self._offered()
        address = self._services.public_address
        if not address:
            advice = "Set PUBLIC_ADDRESS in the environment to the function app's address. " + _POLLED
            for name in (public_address.CHECK, announcing.GRAPH, announcing.BC):
                yield Check(name, None, "Not tried: the address is not known here.", advice)
            return
        yield _tried(
            public_address.CHECK, f"The app cannot be reached at {address}.", partial(public_address.look, address)
        )
        refused = "The service gives no subscription."
        yield self._tried_on(self.mailbox, announcing.GRAPH, refused, announcing.graph_takes_it)
        yield self._tried_on(self.company, announcing.BC, refused, announcing.bc_takes_it)

    def _offered(self) -> Check:
        name, company = "webhooks Business Central", self.company
        if company is None:
            return not_tried(name)

        def offered() -> Check:
            if self._services.business_central(self._patient.pace()).announces_contacts(company.id):
                return Check(name, True, "The environment announces changes of contacts.")
            advice = (
                "Business Central's own list, webhookSupportedResources, must name v2.0/contacts, and the app must be "
                f"allowed to read it (permission set Webhook - Edit). {_POLLED}"
            )
            return Check(name, False, "The environment does not offer to announce changes of contacts.", advice)

        return _tried(name, "It could not be asked.", offered)

    def _writing(self) -> Iterator[Check]:
        if not self._questions.write:
            advice = "WRITE=1 makes a contact of its own on both sides, and removes it again."
            yield from (Check(each, None, "Not tried.", advice) for each in ("write Outlook", "write Business Central"))
            return
        refused = "A contact could not be written."
        yield self._tried_on(self.mailbox, "write Outlook", refused, write_to_outlook)
        yield self._tried_on(self.company, "write Business Central", refused, write_to_bc)

    def _outside(self) -> Check:
        named = self._questions.canary
        if not named:
            advice = f"Name one that the app must not reach in {canary.VARIABLE}, if Exchange's roles limit the app."
            return Check(canary.CHECK, None, "Not tried: none is named.", advice)
        if Api.GRAPH not in self._tokens:
            return not_tried(canary.CHECK)
        works = None if not self._questions.mailbox else self.mailbox is not None
        member = self.mailbox.id if self.mailbox else ""
        return _tried(canary.CHECK, "It could not be tried.", lambda: canary.look(self._patient, named, member, works))

    def _tried_on(
        self, found: Mailbox | BcCompany | None, name: str, failed: str, attempt: Callable[[Patient, str], str | Check]
    ) -> Check:
        """An attempt on the mailbox or the company, by its id, once that is found."""
        return not_tried(name) if found is None else _tried(name, failed, partial(attempt, self._patient, found.id))


def _tried(name: str, failed: str, attempt: Callable[[], str | Check]) -> Check:
    """`failed` says in short what did not work; the error says what to do."""
    try:
        found = attempt()
    except RetryableError as error:
        advice = "Run this again; if it stays, look at the way there: network, proxy, root addresses in the settings."
        return Check(name, False, failed, f"{error} {advice}")
    except SyncError as error:
        return Check(name, False, failed, str(error))
    return found if isinstance(found, Check) else Check(name, True, found)
