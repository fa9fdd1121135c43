"""One environment of Business Central: the engine's port `BusinessCentral`."""

from collections.abc import Sequence
from urllib.parse import quote

from shared.business_central.company import Company
from shared.business_central.mapping import read_company
from shared.business_central.reactions import is_final, no_such_company
from shared.business_central.subscriptions import EnvironmentNotifications
from shared.business_central.users import read_users
from shared.business_central.walk import walk
from shared.business_central.wire import API, LANGUAGE, is_guid, query
from shared.engine.sides import BcCompany, BcUser
from shared.pace import Pace
from shared.transport.client import Client, Service
from shared.transport.gates import Rate

PARALLEL = 4  #: of the five that BC works on for one user; one is left to people (BC reference 8.3)
#: 4,500 in five minutes, of the 6,000 that BC takes of one user; each part of a batch may count (BC reference 5, 8.1)
RATE = Rate(per_second=15, burst=300)
READ_TIMEOUT = 180.0  #: a page of 20,000 contacts takes its time


def service(*, root: str, tenant: str, environment: str, scope: str, read_timeout: float = READ_TIMEOUT) -> Service:
    """How the transport shall treat one environment; `root` is the setting BC_ROOT."""
    base = f"{root.rstrip('/')}/v2.0/{quote(tenant, safe='')}/{quote(environment, safe='')}/{API}"
    return Service(
        name="bc",
        root=base,
        scope=scope,
        headers=LANGUAGE,
        read_timeout=read_timeout,
        parallel=PARALLEL,
        rate=RATE,
        is_final=is_final,
    )


class Environment:
    """The environment, for one run; `client` is shared by all runs of the process."""

    def __init__(self, client: Client, pace: Pace, *, page_size: int | None = None) -> None:
        """`page_size` lowers BC's 20,000 rows a page."""
        self._client = client
        self._pace = pace
        self._page_size = page_size

    def companies(self) -> Sequence[BcCompany]:
        """See BusinessCentral. Raises CompanyUnavailable when the environment cannot be read."""
        rows = walk(self._client, self._pace, query("companies", select="id,name,displayName"), what="companies")
        return [company for company in map(read_company, rows) if company is not None]

    def company(self, company_id: str) -> Company:
        """See BusinessCentral. Raises CompanyUnavailable for an id that BC cannot have given."""
        if not is_guid(company_id):
            raise no_such_company()
        return Company(self._client, self._pace, company_id.lower(), page_size=self._page_size)

    def announces_contacts(self, company_id: str) -> bool:
        """See BusinessCentral. Raises CompanyUnavailable for an id that BC cannot have given."""
        return self.notifications().announces_contacts(self.company(company_id).company_id)

    def users(self, company_id: str) -> Sequence[BcUser]:
        """See BusinessCentral."""
        if not is_guid(company_id):
            raise no_such_company()
        return read_users(self._client, self._pace, company_id.lower())

    def notifications(self) -> EnvironmentNotifications:
        """See BusinessCentral."""
        return EnvironmentNotifications(self._client, self._pace)
