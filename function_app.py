"""Entry point of the function app: registers the triggers, nothing else."""

import azure.functions as func

from functions import (
    administration,
    approving,
    company_jobs,
    contacts,
    erasing,
    fan_out,
    health,
    importing,
    nightly_imports,
    pausing,
    poison,
    profiles,
    runs,
    sync,
    sync_jobs,
    upkeep,
    webhooks,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    administration,
    approving,
    company_jobs,
    contacts,
    erasing,
    fan_out,
    health,
    importing,
    nightly_imports,
    pausing,
    poison,
    profiles,
    runs,
    sync,
    sync_jobs,
    upkeep,
    webhooks,
):
    app.register_functions(module.bp)
