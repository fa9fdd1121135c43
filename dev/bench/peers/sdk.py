"""msgraph-sdk: python -m dev.bench.peers.sdk one|four|batch.

With azure-identity and its default middleware; only the addresses are the simulators', since the library knows
Microsoft's.
"""

import asyncio
import sys
from itertools import batched
from typing import Any
from urllib.parse import urlsplit

from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.contact_folder import ContactFolder
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.physical_address import PhysicalAddress
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

from dev.bench.peers.job import BATCH, CATEGORY, Job, Person, serve

AT_ONCE = 4


class Sdk:
    """A client, its folder, and one of three ways to create contacts."""

    def __init__(self, job: Job) -> None:
        """Get a token and make the folder."""
        self._people = job.people
        credential = ClientSecretCredential(
            job.tenant,
            job.client_id,
            job.client_secret,
            authority=job.authority_host,
            disable_instance_discovery=True,
        )
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=[f"{job.graph_root}/.default"], allowed_hosts=[urlsplit(job.graph_root).hostname]
        )
        self._adapter = GraphRequestAdapter(provider)
        self._adapter.base_url = f"{job.graph_root}/v1.0"
        client = GraphServiceClient(request_adapter=self._adapter)
        self._runner = asyncio.Runner()
        folders = client.users.by_user_id(job.user).contact_folders
        made = self._runner.run(folders.post(ContactFolder(display_name=job.folder)))
        self._contacts = folders.by_contact_folder_id(made.id).contacts
        self._work = {"one": self._one, "four": self._four, "batch": self._batch}[sys.argv[1]]

    def run(self) -> None:
        """Create everybody."""
        self._runner.run(self._work())

    async def _one(self) -> None:
        for person in self._people:
            await self._contacts.post(_contact(person))

    async def _four(self) -> None:
        waiting = iter(self._people)

        async def create() -> None:
            for person in waiting:
                await self._contacts.post(_contact(person))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(create())

    async def _batch(self) -> None:
        builder = BatchRequestBuilder(self._adapter)
        for people in batched(self._people, BATCH, strict=False):
            items = [self._item(person) for person in people]
            answer = await builder.post(BatchRequestContent({item.id: item for item in items}))
            for response in answer.responses.values():
                if response.status >= 300:
                    raise RuntimeError(f"an item was answered with {response.status}: {response.body}")

    def _item(self, person: Person) -> Any:
        item = BatchRequestItem(self._contacts.to_post_request_information(_contact(person)))
        # absolute once the client has sent anything, and Graph takes none but relative ones
        item.url = item.url.removeprefix(self._adapter.base_url)
        return item


def _contact(person: Person) -> Contact:
    return Contact(
        display_name=person.name,
        given_name=person.given_name,
        middle_name=person.middle_name,
        surname=person.surname,
        job_title=person.job_title,
        email_addresses=[EmailAddress(name=person.name, address=person.email)],
        business_phones=[person.phone],
        business_address=PhysicalAddress(
            street=person.street,
            city=person.city,
            postal_code=person.postal_code,
            country_or_region=person.country,
        ),
        categories=[CATEGORY],
    )


if __name__ == "__main__":
    serve(Sdk, ("msgraph-sdk", "msgraph-core", "microsoft-kiota-http", "azure-identity"))
