"""What the suites of the Business Central adapter share."""

from typing import Any

from shared.business_central.company import Company
from shared.cards.model import BcContact, Field
from shared.engine.sides import BcDraft


def draft(name: str = "Ada King", email: str = "ada@x.example", **more: str) -> BcDraft:
    values = {Field.NAME: name, Field.EMAIL: email}
    return BcDraft({**values, **{Field[each.upper()]: value for each, value in more.items()}})


def created(company: Company, *drafts: BcDraft) -> list[BcContact]:
    results = company.create(drafts or [draft()])
    assert all(isinstance(each, BcContact) for each in results), results
    return [each for each in results if isinstance(each, BcContact)]


def only(results: Any) -> Any:
    assert len(results) == 1
    return results[0]
