"""BC's own filter language on the contact's fields: how profiles and companies select contacts (R5). Pure.

| to | use |
|---|---|
| read a saved filter, `{field: expression}` | `parse_filter(expressions, me=..., company=...)`, raises `FilterError` |
| read one expression | `parse_expression(field, text, me=..., company=...)` |
| AND a company's base filter with a profile's | `merge_filters(base, profile)` |
| judge a contact | `matches(contact_filter, values)` |
| say why a contact is not selected | `first_failing_term(contact_filter, values)` -> (field, printed term) or None |
| ask BC for the contacts | `to_odata(contact_filter)` -> `ODataFilter(text, complete)`; re-check rows unless complete |
| show it | `print_filter(contact_filter)`, `print_expression(expression)`: canonical, parse gives the same again |
| list what can be filtered | `CONTACT_FIELDS`: name -> kind, length, members |

`values` are those of BC's API by its names (`BcContact.values`). `Filter()` is no filter: every contact matches.
"""

from shared.filters.evaluate import first_failing_term, matches
from shared.filters.fields import CONTACT_FIELDS, ContactField, Kind
from shared.filters.model import Expression, Filter, FilterError, merge_filters
from shared.filters.odata import ODataFilter, to_odata
from shared.filters.parse import parse_expression, parse_filter
from shared.filters.print import print_expression, print_filter

__all__ = [
    "CONTACT_FIELDS",
    "ContactField",
    "Expression",
    "Filter",
    "FilterError",
    "Kind",
    "ODataFilter",
    "first_failing_term",
    "matches",
    "merge_filters",
    "parse_expression",
    "parse_filter",
    "print_expression",
    "print_filter",
    "to_odata",
]
