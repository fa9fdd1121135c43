"""What a caller wants of a profile, applied to what it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.engine.folder_choice import read_folder
from shared.engine.model import Profile
from shared.errors import RequestError
from shared.planning.model import (
    CompanyFromOutlook,
    Direction,
    OnBcDelete,
    OnOutlookDelete,
    OnOutOfScope,
    Policies,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """The members of a profile that a request names; None for those that it leaves out."""

    folder: str | None = None  #: a name, or "default"
    filter: Mapping[str, str] | None = None
    bc_user_name: str | None = None
    enabled: bool | None = None
    automatic: bool | None = None
    on_bc_delete: OnBcDelete | None = None
    on_out_of_scope: OnOutOfScope | None = None
    on_outlook_delete: OnOutlookDelete | None = None
    company_from_outlook: CompanyFromOutlook | None = None
    # an administrator's alone
    direction: Direction | None = None
    mailbox: str | None = None
    adopt: bool = False
    etag: str | None = None  #: of the profile that the caller read


def applied(wish: Wish, profile: Profile, *, whole: bool, usual_folder: str) -> Profile:
    """The profile with the wish in it, but for the mailbox.

    `whole` (PUT): members that are left out take their defaults, but for an administrator's choices, which stay; else
    (PATCH) they stay. `usual_folder` is the name of a folder that nobody named. Raises RequestError `folder-name`.
    """
    start = _reset(profile, usual_folder) if whole else profile
    name, main = start.folder_name, start.main_folder
    if wish.folder is not None:
        name, main = read_folder(wish.folder)
        name = name or usual_folder
    return replace(
        start,
        folder_name=name,
        main_folder=main,
        filter=start.filter if wish.filter is None else dict(wish.filter),
        bc_user_name=start.bc_user_name if wish.bc_user_name is None else wish.bc_user_name.strip(),
        enabled=start.enabled if wish.enabled is None else wish.enabled,
        automatic=start.automatic if wish.automatic is None else wish.automatic,
        direction=start.direction if wish.direction is None else wish.direction,
        policies=_policies(wish, start.policies),
    )


def decided_by_hand(profile: Profile, *, admin: bool) -> Profile:
    """A profile that an import switched off since its user left: an administrator who enables it takes it over from the
    import; at the user door it stays off, or everybody could come back by saving."""
    if not profile.left or not profile.enabled:
        return profile
    return replace(profile, left=False, imported="") if admin else replace(profile, enabled=False)


def refuse_admin_only(wish: Wish, profile: Profile, own_mailbox: bool) -> None:
    """What the user door may not change; naming the present value is no change. Raises RequestError `admin-only`.

    `own_mailbox`: the wish's mailbox, if any, is the one that the profile has.
    """
    if wish.direction is not None and wish.direction is not profile.direction:
        raise _admin_only("direction")
    if wish.mailbox is not None and not own_mailbox:
        raise _admin_only("mailbox")
    if wish.adopt:
        raise _admin_only("adopt")
    if wish.enabled and profile.left:
        raise _admin_only("enabled")
    wanted = wish.on_outlook_delete
    if wanted is OnOutlookDelete.DELETE and profile.policies.on_outlook_delete is not wanted:
        raise _admin_only("policies.onOutlookDelete")


def effective(profile: Profile) -> Policies:
    """The policies as they act: without writing to BC, `delete` acts as `restore` (R37)."""
    if profile.direction is Direction.TO_OUTLOOK and profile.policies.on_outlook_delete is OnOutlookDelete.DELETE:
        return replace(profile.policies, on_outlook_delete=OnOutlookDelete.RESTORE)
    return profile.policies


def _reset(profile: Profile, usual_folder: str) -> Profile:
    kept = profile.policies.on_outlook_delete
    policies = Policies(on_outlook_delete=kept) if kept is OnOutlookDelete.DELETE else Policies()
    return replace(
        profile,
        folder_name=usual_folder,
        main_folder=False,
        filter={},
        bc_user_name="",
        enabled=True,
        automatic=True,
        policies=policies,
    )


def _policies(wish: Wish, now: Policies) -> Policies:
    return Policies(
        on_bc_delete=wish.on_bc_delete or now.on_bc_delete,
        on_out_of_scope=wish.on_out_of_scope or now.on_out_of_scope,
        on_outlook_delete=wish.on_outlook_delete or now.on_outlook_delete,
        company_from_outlook=wish.company_from_outlook or now.company_from_outlook,
    )


def _admin_only(field: str) -> RequestError:
    return RequestError(
        f"Only an administrator may set `{field}` (PUT /api/admin/profiles/{{user}}); leave it out.",
        code="admin-only",
        field=field,
    )
