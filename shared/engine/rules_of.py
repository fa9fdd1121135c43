"""From stored text to the rules that planning works with: filters parsed, excluded fields named (R5, R12)."""

from collections.abc import Mapping

from shared.cards.model import Field
from shared.engine.model import CompanySettings, Profile
from shared.filters import Filter, parse_filter
from shared.planning.model import Rules


def parse(text: Mapping[str, str], profile: Profile, company: CompanySettings) -> Filter:
    """Parse a filter with the profile's %me and the company's %company. Raises FilterError (R5)."""
    return parse_filter(text, me=profile.bc_user_name or None, company=company.name or None)


def rules_of(
    profile: Profile,
    company: CompanySettings,
    environment: str,
    category: str,
    limit_to: Mapping[str, str] | None = None,
) -> Rules:
    """The rules of one profile in one company; `limit_to` is a run's own filter that is not saved."""
    return Rules(
        company_id=profile.company_id,
        environment=environment,
        filter=parse(profile.filter, profile, company),
        base_filter=parse(company.base_filter, profile, company),
        policies=profile.policies,
        direction=profile.direction,
        main_folder=profile.main_folder,
        category=category,
        excluded=frozenset(Field(each) for each in company.excluded_fields),
        limit_to=None if limit_to is None else parse(limit_to, profile, company),
    )


def text_of(profile: Profile, company: CompanySettings) -> str:
    """What decides who is in scope, as one text: when it changes, the profile is compared with the snapshot."""
    parts = [
        *(f"{name}={text}" for name, text in sorted(profile.filter.items())),
        "&&",
        *(f"{name}={text}" for name, text in sorted(company.base_filter.items())),
        f"me={profile.bc_user_name}",
        f"excluded={','.join(sorted(company.excluded_fields))}",
        f"direction={profile.direction}",
    ]
    return "\n".join(parts)
