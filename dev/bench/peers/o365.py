"""python-o365: python -m dev.bench.peers.o365.

As its documentation shows it: an account with the client credentials flow, a folder of the address book,
`new_contact`, `save`. In 2.1.10 the contact comes into the mailbox's main folder all the same: `new_contact` notes
the folder in an attribute that `save` does not read. Between two requests it waits until 200 ms have passed since the
one before; that is its default. Only the addresses are the simulators', since the library knows Microsoft's.
"""

from msal import ConfidentialClientApplication  # type: ignore[import-untyped]
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

from dev.bench.peers.job import CATEGORY, Job, serve


class O365:
    """An account and its folder."""

    def __init__(self, job: Job) -> None:
        """Get a token and make the folder."""
        self._people = job.people
        protocol = MSGraphProtocol()
        protocol.protocol_url = f"{job.graph_root}/"
        protocol.protocol_scope_prefix = protocol.protocol_url
        protocol.service_url = f"{job.graph_root}/v1.0/"
        account = Account(
            (job.client_id, job.client_secret),
            protocol=protocol,
            auth_flow_type="credentials",
            tenant_id=job.tenant,
            token_backend=MemoryTokenBackend(),
            main_resource=f"user:{job.user}",
        )
        account.con._msal_client = ConfidentialClientApplication(
            job.client_id,
            client_credential=job.client_secret,
            authority=f"{job.authority_host}/{job.tenant}",
            instance_discovery=False,
            token_cache=account.con.token_backend,
        )
        if not account.authenticate(requested_scopes=[f"{job.graph_root}/.default"]):
            raise RuntimeError("no token")
        self._folder = account.address_book().create_child_folder(job.folder)

    def run(self) -> None:
        """Create everybody."""
        for person in self._people:
            contact = self._folder.new_contact()
            contact.display_name = person.name
            contact.name = person.given_name
            contact.surname = person.surname
            contact.job_title = person.job_title
            contact.emails.add((person.name, person.email))
            contact.business_phones = person.phone
            contact.business_address = {
                "street": person.street,
                "city": person.city,
                "postalCode": person.postal_code,
                "countryOrRegion": person.country,
            }
            contact.categories = CATEGORY
            if not contact.save():
                raise RuntimeError("a contact was not saved")


if __name__ == "__main__":
    serve(O365, ("O365", "msal"))
