"""What BC refuses with: status, code and message (11), in English or German."""

from uuid import uuid4


class BcError(Exception):
    """A request that BC refuses."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        """Keep what the answer is made from; `message` is the English one."""
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self, german: bool = False) -> dict[str, dict[str, str]]:
        """Return the error's JSON, with the correlation id at the message's end (11.1)."""
        message = _GERMAN.get(self.code, "Die Anforderung ist fehlgeschlagen.") if german else self.message
        return {"error": {"code": self.code, "message": f"{message}  CorrelationId:  {uuid4()}."}}


_GERMAN = {
    "Application_DialogException": "Die Aktion ist für diesen Datensatz nicht zulässig.",
    "Application_FieldValidationException": "Der Wert des Feldes ist nicht gültig.",
    "Application_StringExceededLength": "Die Zeichenfolge ist zu lang.",
    "BadRequest_ResourceNotFound": "Die Ressource für das Segment wurde nicht gefunden.",
    "Internal_InvalidTableRelation": "Der Wert ist in der zugehörigen Tabelle nicht vorhanden.",
    "Request_EntityChanged": "Der Datensatz wurde bereits von einem anderen Benutzer geändert.",
}


# The request itself


def bad_request(message: str) -> BcError:
    """Return the answer to a malformed body, filter or option."""
    return BcError(400, "BadRequest", message)


def not_implemented(message: str) -> BcError:
    """Return the answer to a filter that BC cannot turn into AL filters (3.4)."""
    return BcError(501, "BadRequest_MethodNotImplemented", message)


def unknown_field(name: str, type_name: str) -> BcError:
    """Return the answer to a field that the entity does not have (3.4, rule 11)."""
    return bad_request(f"Could not find a property named '{name}' on type 'Microsoft.NAV.{type_name}'.")


def filter_refused(message: str) -> BcError:
    """Return the answer to a literal that is no valid AL filter for its field (3.4, rules 5 and 6)."""
    return BcError(400, "Application_FilterErrorException", message)


def no_segment(segment: str) -> BcError:
    """Return the answer to a key or segment that does not exist (7)."""
    return BcError(404, "BadRequest_ResourceNotFound", f"Resource not found for the segment '{segment}'.")


def no_endpoint(url: str) -> BcError:
    """Return the answer to a route that does not exist (7)."""
    return BcError(404, "BadRequest_NotFound", f"No HTTP resource was found that matches the request URI '{url}'.")


def bad_key() -> BcError:
    """Return the answer to a malformed key in the URL (7)."""
    return BcError(404, "BadRequest_NotFound", "Bad Request - Error in query syntax.")


def no_company(status: int) -> BcError:
    """Return the answer for a company that is not there (7)."""
    return BcError(status, "Internal_CompanyNotFound", "Cannot find the company in this environment.")


def wrong_method(method: str, target: str) -> BcError:
    """Return the answer to a verb that the resource does not know."""
    message = f"'{method}' requests for '{target}' are not allowed."
    return BcError(405, "BadRequest_MethodNotAllowed", message)


def not_authenticated() -> BcError:
    """Return the answer to a token that is not accepted, or an app that is disabled in BC (9)."""
    return BcError(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")


def no_permission(status: int, action: str) -> BcError:
    """Return the answer when a permission set is missing; `action` is Read, Insert, Modify or Delete (11.2)."""
    message = (
        f"Sorry, the current permissions prevented the action. (TableData 5050 Contact {action}: Base Application)"
    )
    code = "Authorization_RequestDenied" if status == 403 else "Internal_ServerError"
    return BcError(status, code, message)


def too_many_requests(actual: int, maximum: int, retry_after: int | None) -> BcError:
    """Return the answer beyond a limit (8.2)."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    message = f"Too many requests reached. Actual ({actual}). Maximum ({maximum})."
    return BcError(429, "Application_TooManyRequests", message, headers)


# Concurrency


def token_missing() -> BcError:
    """Return the answer to a missing or malformed If-Match (4)."""
    return BcError(
        400,
        "BadRequest_InvalidToken",
        "Could not validate the client concurrency token required by the service. "
        "Please provide a valid token in the client request.",
    )


def entity_changed() -> BcError:
    """Return the answer to a stale If-Match (4)."""
    return BcError(409, "Request_EntityChanged", "Another user has already changed the record.")


# The record


def dialog(message: str) -> BcError:
    """Return a business rule's refusal."""
    return BcError(400, "Application_DialogException", message)


def field_refused(message: str) -> BcError:
    """Return a TestField's or FieldError's refusal."""
    return BcError(400, "Application_FieldValidationException", message)


def too_long(actual: int, maximum: int, value: str) -> BcError:
    """Return the answer to a text longer than its field (2.6)."""
    return BcError(
        400,
        "Application_StringExceededLength",
        f"The length of the string is {actual}, but it must be less than or equal to {maximum} characters. "
        f"Value: {value}",
    )


def read_only(name: str) -> BcError:
    """Return the answer to a read-only field in a body (2.5)."""
    return BcError(400, "BadRequest_InvalidOperation", f"Control '{name}' is read-only")


def not_an_option(value: object, options: str) -> BcError:
    """Return the answer to an unknown member of an enum (5)."""
    return BcError(400, "Unknown", f"'{value}' is not an option. The existing options are: {options}")


def not_related(caption: str, value: str, table: str) -> BcError:
    """Return the answer to a value that its related table does not have (2.4, 2.6)."""
    message = (
        f"The field {caption} of table Contact contains a value ({value}) that cannot be found "
        f"in the related table ({table})."
    )
    return BcError(400, "Internal_InvalidTableRelation", message)


def same_key(status: int, number: str) -> BcError:
    """Return the answer to a number that another contact has."""
    message = f"The record in table Contact already exists. Identification fields and values: No.='{number}'"
    return BcError(status, "Internal_EntityWithSameKeyExists", message)
