"""Finding persons by their e-mail address in the whole company (R7, R9).

BC takes a literal in a query as one of its own filters to some degree (BC reference 3.4, rule 5), and its e-mail field
may hold several addresses. So BC is asked for more than is wanted, by a part of the address that cannot be
misunderstood, and every row is checked here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shared.business_central.existence import run
from shared.business_central.mapping import read_contact
from shared.business_central.reactions import company_error
from shared.business_central.walk import page, walk
from shared.business_central.wire import PRIMARY, SELECT, query
from shared.cards import emails as addresses
from shared.cards.model import BcContact
from shared.cards.normalise import email_key
from shared.pace import Pace
from shared.transport.batch import Batches, Part
from shared.transport.client import Answer, Client

PER_FILTER = 25  #: addresses in one filter: keeps the URL below 4 KB
LONGEST = 60  #: of a literal; BC refuses literals longer than the field, and it may add wildcards
SHORTEST = 3  #: anything shorter would find half the company
_SAFE = re.compile(r"[a-z0-9_@.+-]+")


def find_persons(
    client: Client, batches: Batches, pace: Pace, contacts: str, emails: Sequence[str]
) -> Mapping[str, tuple[BcContact, ...]]:
    """Persons whose first valid address is one of `emails`, by address as given; addresses with none are left out.

    Where BC does not take the query, or an address has no safe part, all persons are read instead.
    Raises CompanyUnavailable and RetryableError.
    """
    keys = {each: email_key(each) for each in emails}
    wanted = {key for key in keys.values() if key}
    found: dict[str, dict[str, BcContact]] = defaultdict(dict)
    for row in _candidates(client, batches, pace, contacts, wanted):
        person = read_contact(row)
        if person is not None and person.is_person and (key := addresses.key_of(person.text("email"))) in wanted:
            found[key][person.id] = person
    return {each: tuple(found[key].values()) for each, key in keys.items() if key in found}


def safe_part(key: str) -> str | None:
    """The longest part of an address that means itself in every reading of a filter; None when there is none."""
    # ".." is BC's interval, "@" in front its "ignore case"
    runs = [each.strip(".@") for each in _SAFE.findall(key.replace("..", " "))]
    best = max(runs, key=len, default="")[:LONGEST].rstrip(".@")
    return best if len(best) >= SHORTEST else None


def _candidates(
    client: Client, batches: Batches, pace: Pace, contacts: str, wanted: set[str]
) -> Iterator[dict[str, object]]:
    if not wanted:
        return
    literals = {safe_part(key) for key in wanted}
    texts = sorted(each for each in literals if each is not None)
    everybody = query(contacts, filter="type eq 'Person'", select=SELECT)
    if len(texts) < len(literals):
        yield from walk(client, pace, everybody, what="persons.all")
        return
    chunks = [texts[start : start + PER_FILTER] for start in range(0, len(texts), PER_FILTER)]
    parts = [Part("GET", _query(contacts, chunk), headers=PRIMARY) for chunk in chunks]
    answers = run(batches, parts, "persons.find")
    if any(isinstance(each, Answer) and each.status in {400, 501} for each in answers):
        yield from walk(client, pace, everybody, what="persons.all")
        return
    for part, answer in zip(parts, answers, strict=True):
        if isinstance(answer, Answer) and not answer.ok:
            raise company_error(answer)
        rows, link = page(answer) if isinstance(answer, Answer) else ([], part.url)
        yield from rows
        if link is not None:
            yield from walk(client, pace, link, what="persons.find")


def _query(contacts: str, texts: Sequence[str]) -> str:
    # a function inside a function needs schema version 2.1 (3.4, rule 3)
    condition = " or ".join(f"contains(tolower(email),'{each}')" for each in texts)
    return query(contacts, filter=condition, select=SELECT, schemaversion="2.1")
