"""Whether the app may write: on each side a contact is made, read, changed and removed by the app's own adapters."""

from dev.doctor.scratch import NAME, scratch_folder, scratch_persons
from dev.doctor.surroundings import Patient
from shared.cards.model import BcContact, Card, Field, Origin, OutlookContact, Stamp
from shared.engine.connection import NOBODY
from shared.engine.permissions import CONTACTS_WRITE, Api
from shared.engine.sides import BcDraft, BcWrite, OutlookDraft, OutlookWrite
from shared.errors import ContactError, MailboxUnavailable, SyncError

_CHANGED = {Field.JOB_TITLE: "changed"}


def write_to_outlook(patient: Patient, mailbox_id: str) -> str:
    """In a folder of its own. Raises SyncError with what to do."""
    try:
        return _in_a_folder(patient, mailbox_id)
    except MailboxUnavailable as error:
        if error.code != "no-permission" or CONTACTS_WRITE in (patient.services.granted(Api.GRAPH) or ()):
            raise
        raise MailboxUnavailable(
            "The app may read this mailbox, not write to it: assign the Exchange role Application Contacts.ReadWrite, "
            "too, with the same scope. It takes 30 minutes to 2 hours to work.",
            code=error.code,
        ) from None


def _in_a_folder(patient: Patient, mailbox_id: str) -> str:
    with scratch_folder(patient, mailbox_id) as folder:
        outlook = patient.services.directory(patient.pace()).outlook(mailbox_id)
        card = Card(name=NAME, job_title="made", given_name="Contact", surname="sync doctor")
        made = _went_well(
            outlook.create(folder.id, [OutlookDraft(card, Stamp(NOBODY, Origin.SYNC, "doctor", NOBODY))])[0]
        )
        read = outlook.read(folder.id, [made.id]).get(made.id)
        if read is None or read.card.job_title != "made":
            raise SyncError("A contact that was made cannot be read again. Try once more; if it stays, report it.")
        written = _went_well(outlook.write(folder.id, [OutlookWrite(read, _CHANGED)])[0])
        if written.card.job_title != "changed":
            raise SyncError("A change was accepted and did not happen. Try once more; if it stays, report it.")
        if (error := outlook.erase(folder.id, [made.id])[0]) is not None:
            raise error
    return "A contact was made, read, changed and removed, in a folder of its own, which is gone again."


def write_to_bc(patient: Patient, company_id: str) -> str:
    """A person without an e-mail address, which no profile takes in. Raises SyncError with what to do."""
    with scratch_persons(patient, company_id) as name:
        company = patient.services.business_central(patient.pace()).company(company_id)
        made = _went_well(company.create([BcDraft({Field.NAME: name, Field.JOB_TITLE: "made"})])[0])
        read = company.read([made.id]).get(made.id)
        if read is None or read.card.job_title != "made":
            raise SyncError("A contact that was made cannot be read again. Try once more; if it stays, report it.")
        written = _went_well(company.write([BcWrite(read, _CHANGED)])[0])
        if written.card.job_title != "changed":
            raise SyncError("A change was accepted and did not happen. Try once more; if it stays, report it.")
        if (error := company.remove([written])[0]) is not None:
            raise error
    return "A contact was made, read, changed and removed."


def _went_well[Done: (BcContact, OutlookContact)](outcome: Done | ContactError) -> Done:
    if isinstance(outcome, ContactError):
        raise outcome
    return outcome
