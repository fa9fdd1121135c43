"""The bodies that callers send. Imported when the first body is read: pydantic takes its time.

`docs/openapi.yaml` describes the same members; a test compares them.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from shared.engine.import_state import OnLeave, Source, SourceKind
from shared.engine.importing import ImportWish
from shared.engine.model import Mode
from shared.engine.wishes import Wish
from shared.planning.model import CompanyFromOutlook, Direction, OnBcDelete, OnOutlookDelete, OnOutOfScope, Policies

type Text = Annotated[str, Field(max_length=400)]
type FilterText = dict[str, str]


class _Body(BaseModel):
    """Members have the names of the wire; unknown ones are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)


class Common(_Body):
    """Where a request comes from, and who asks."""

    tenant_id: Text | None = None
    environment: Text | None = None
    company_id: Text | None = None
    actor: Text | None = None
    company: Text | None = None


class PoliciesBody(_Body):
    """A profile's choices; what is left out stays or takes its default."""

    on_bc_delete: Literal["remove", "keep"] | None = None
    on_out_of_scope: Literal["remove", "keep"] | None = None
    on_outlook_delete: Literal["restore", "hide", "delete"] | None = None
    company_from_outlook: Literal["fill", "move"] | None = None

    def applied(self, policies: Policies) -> Policies:
        """The policies with what is named here in them."""
        return Policies(
            on_bc_delete=OnBcDelete(self.on_bc_delete or policies.on_bc_delete),
            on_out_of_scope=OnOutOfScope(self.on_out_of_scope or policies.on_out_of_scope),
            on_outlook_delete=OnOutlookDelete(self.on_outlook_delete or policies.on_outlook_delete),
            company_from_outlook=CompanyFromOutlook(self.company_from_outlook or policies.company_from_outlook),
        )


class ProfileBody(Common):
    """A profile to save, or to try."""

    folder: str | None = None
    filter: FilterText | None = None
    bc_user_name: Text | None = None
    enabled: bool | None = None
    automatic: bool | None = None
    policies: PoliciesBody | None = None
    direction: Literal["both", "toOutlook"] | None = None
    mailbox: Text | None = None
    adopt: bool = False
    etag: Text | None = None

    def wish(self, etag: str | None) -> Wish:
        """The same in the engine's terms; `etag` of the body or the header."""
        policies = self.policies or PoliciesBody()
        return Wish(
            folder=self.folder,
            filter=self.filter,
            bc_user_name=self.bc_user_name,
            enabled=self.enabled,
            automatic=self.automatic,
            on_bc_delete=None if policies.on_bc_delete is None else OnBcDelete(policies.on_bc_delete),
            on_out_of_scope=None if policies.on_out_of_scope is None else OnOutOfScope(policies.on_out_of_scope),
            on_outlook_delete=(
                None if policies.on_outlook_delete is None else OnOutlookDelete(policies.on_outlook_delete)
            ),
            company_from_outlook=(
                None if policies.company_from_outlook is None else CompanyFromOutlook(policies.company_from_outlook)
            ),
            direction=None if self.direction is None else Direction(self.direction),
            mailbox=self.mailbox,
            adopt=self.adopt,
            etag=etag,
        )


class SyncBody(Common):
    """A run to start."""

    user: Text
    mode: Literal["incremental", "full"]
    filter: FilterText | None = None
    save_filter: bool = True
    confirm_removals: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    preview: bool = False


class SyncAllBody(Common):
    """Runs for everybody, or for a list of users."""

    users: Annotated[list[Text], Field(min_length=1, max_length=200)] | None = None
    mode: Literal["incremental", "full"]

    @property
    def wanted(self) -> Mode:
        """The mode in the engine's terms."""
        return Mode(self.mode)


class ContactBody(Common):
    """A contact: BC id, number or e-mail address."""

    contact: Annotated[str, Field(min_length=1, max_length=400)]


class EraseBody(ContactBody):
    """A person to erase: BC id, or the e-mail address of somebody who is gone from there."""

    preview: bool = False


class HoldBody(_Body):
    """What is approved: the number as the held run's report gives it."""

    kind: Annotated[str, Field(min_length=1, max_length=40)]
    count: Annotated[int, Field(ge=1, le=10_000_000)]


class ApproveBody(Common):
    """What a held run holds, to be done now."""

    holds: Annotated[list[HoldBody], Field(min_length=1, max_length=20)]


class UndoBody(Common):
    """What of a run is to be undone."""

    contact: Annotated[str, Field(max_length=400)] = ""
    recreate: bool = False
    preview: bool = False


class ResumeBody(Common):
    """What goes on: a user's profile, a company, or with neither everything."""

    user: Text = ""


class PauseBody(ResumeBody):
    """What stops."""

    reason: Text = ""


class PlainBody(Common):
    """A call that says nothing more."""


class SourceBody(_Body):
    """Whom an import is about: exactly one of the three."""

    business_central: Literal[True] | None = None
    group: Text | None = None
    users: Annotated[list[Text], Field(min_length=1, max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.business_central, self.group, self.users)) != 1:
            raise ValueError("name one of `businessCentral` (true), `group` and `users`")
        return self

    @property
    def source(self) -> Source:
        """The same in the engine's terms."""
        if self.group is not None:
            return Source(SourceKind.GROUP, group=self.group.strip().lower())
        if self.users is not None:
            return Source(SourceKind.USERS, users=tuple(dict.fromkeys(each.strip() for each in self.users)))
        return Source(SourceKind.BC)


class ImportBody(Common):
    """Users to take on, with what their profiles have in common. A filter must be named, `{}` for everybody."""

    source: SourceBody
    filter: FilterText
    direction: Literal["both", "toOutlook"] = "toOutlook"
    policies: PoliciesBody | None = None
    name: Annotated[str, Field(max_length=40)] = ""
    on_leave: Literal["keep", "remove"] | None = None
    preview: bool = False

    @property
    def wish(self) -> ImportWish:
        """The same in the engine's terms."""
        return ImportWish(
            source=self.source.source,
            filter=self.filter,
            direction=Direction(self.direction),
            policies=(self.policies or PoliciesBody()).applied(Policies()),
            on_leave=None if self.on_leave is None else OnLeave(self.on_leave),
            name=self.name,
            preview=self.preview,
        )


class CompanyBody(Common):
    """What an administrator sets for a company; what is left out is empty."""

    base_filter: FilterText = {}
    excluded_fields: list[Text] = []
    etag: Text | None = None
