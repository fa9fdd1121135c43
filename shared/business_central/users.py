"""Business Central's users at its automation API (BC reference 9.3), which wants a permission of its own.

Sign-in names (`usersPermissions`) came with version 29. Before, an address is what somebody typed as contact e-mail, or
none; the directory decides whether it is a user's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.business_central.walk import walk
from shared.business_central.wire import automation_address
from shared.cards.normalise import clean
from shared.engine.sides import BcUser
from shared.errors import CompanyUnavailable, SourceUnreadable
from shared.pace import Pace
from shared.planning.importing import Unfit
from shared.transport.client import Client

_NOBODY = "00000000-0000-0000-0000-000000000000"
NO_PERMISSION = (
    "The app may not read Business Central's users. Grant it the application permission Automation.ReadWrite.All with "
    "admin consent, and its entry in 'Microsoft Entra Applications' the permission set D365 AUTOMATION "
    "(infra/identity/README.md): both are needed for importing Business Central's users only."
)


def read_users(client: Client, pace: Pace, company_id: str) -> Sequence[BcUser]:
    """All users; who has neither a sign-in name nor a contact e-mail comes with a blank address."""
    contacts = _rows(client, pace, company_id, "users")
    try:
        signed_in = _rows(client, pace, company_id, "usersPermissions")
    except CompanyUnavailable as error:
        if error.code != "bc-endpoint-missing":
            raise
        signed_in = []  # an older version
    sign_in = {_text(row, "userSecurityId").lower(): row for row in signed_in}
    return [_user(row, sign_in.get(_text(row, "userSecurityId").lower(), {})) for row in contacts]


def _rows(client: Client, pace: Pace, company_id: str, name: str) -> Sequence[dict[str, Any]]:
    address = automation_address(client.service.root, f"companies({company_id})/{name}")
    try:
        return list(walk(client, pace, address, what=name))
    except CompanyUnavailable as error:
        if error.code in ("bc-token-refused", "bc-permission"):
            raise SourceUnreadable(NO_PERMISSION, code="bc-permission") from None
        raise


def _user(row: Mapping[str, Any], sign_in: Mapping[str, Any]) -> BcUser:
    address = clean(_text(sign_in, "authenticationEmail")) or clean(_text(row, "contactEmail"))
    unfit = None
    if _text(row, "state") != "Enabled":
        unfit = Unfit.BC_DISABLED
    elif _text(sign_in, "applicationId") not in ("", _NOBODY):
        unfit = Unfit.BC_APPLICATION
    return BcUser(_text(row, "userName"), address, unfit)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
