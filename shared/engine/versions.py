"""The version of a stored row as callers see it: opaque, and fit for an ETag header whatever the storage writes."""

import hashlib

from shared.errors import RequestError


def version_of(etag: str) -> str:
    """The version of a row with this tag; blank for a row that is not stored yet."""
    return hashlib.sha256(etag.encode()).hexdigest()[:16] if etag else ""


def check_version(wanted: str | None, etag: str, what: str) -> None:
    """That a caller read the row as it is now; None: whatever it is. Raises RequestError `changed-meanwhile` (409)."""
    if wanted is not None and wanted != version_of(etag):
        raise RequestError(
            f"{what} changed meanwhile: read again and repeat.", code="changed-meanwhile", status=409, field="etag"
        )
