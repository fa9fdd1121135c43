"""Everything that a use case may reach, in one value; bootstrap builds it, tests build it from fakes."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from shared.engine.company_state import Companies
from shared.engine.import_state import Imports
from shared.engine.journal import Journal
from shared.engine.limits import Limits
from shared.engine.parallel import thread_ahead
from shared.engine.permissions import Granted
from shared.engine.retention_state import Retention
from shared.engine.sides import BusinessCentral, Directory
from shared.engine.state import Mailboxes, Marks, Messages, Pauses, Profiles, Reports, Subscriptions
from shared.pace import Pace


@dataclass(frozen=True, slots=True)
class Services:
    """The ports, the clock and the numbers."""

    directory: Callable[[Pace], Directory]
    business_central: Callable[[Pace], BusinessCentral]
    mailboxes: Mailboxes
    companies: Companies
    profiles: Profiles
    marks: Marks
    reports: Reports
    pauses: Pauses
    journal: Journal
    subscriptions: Subscriptions
    retention: Retention
    imports: Imports
    messages: Messages
    now: Callable[[], datetime]  #: UTC, aware
    monotonic: Callable[[], float]  #: seconds
    new_id: Callable[[], str]  #: 8 random hex digits
    environment: str  #: BC environment name, part of every stamp (R9)
    public_address: str = ""  #: root at which the services reach our webhooks; blank: no subscriptions, only polling
    mailbox_tenant: str = ""  #: the mailboxes' tenant, compared with the one that a notification names
    tenant: str = ""  #: BC's tenant, compared with the one that a caller comes from
    granted: Granted = lambda api: None  #: the permissions that a token carries
    sleep: Callable[[float], None] = time.sleep
    ahead: Callable[[], Executor] = thread_ahead  #: sends a batch while the one before it is recorded
    limits: Limits = Limits()  # noqa: RUF009 - frozen
