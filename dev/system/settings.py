"""The app's settings on this machine."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import fields

from dev.simulators.launch import Addresses
from shared.settings import Settings, setting_name

USER_KEY = "user-door"  #: opens the user door
ADMIN_KEY = "admin-door"  #: opens the admin door
MASTER_KEY = "master"  #: opens everything, the host's administration too; nobody but the harness has it

#: The functions of the admin door. Keys are per function, and whatever is not named here is the user door's.
ADMIN_FUNCTIONS = (
    "admin_approve",
    "admin_company",
    "admin_erase",
    "admin_find",
    "admin_health",
    "admin_import",
    "admin_import_approve",
    "admin_import_run",
    "admin_imports",
    "admin_pause",
    "admin_profile",
    "admin_profiles",
    "admin_resume",
    "admin_saved_import",
    "admin_sync",
    "admin_undo",
)

ENVIRONMENT = "Production"

#: Settings that any process needs which speaks with the simulators: whom to trust, and that no proxy stands between.
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NO_PROXY", "no_proxy")


def settings_for(
    addresses: Addresses, storage: str, more: Mapping[str, str], public_address: str = ""
) -> dict[str, str]:
    """What the app needs in its environment to work with simulators and storage of this machine.

    `public_address` is the https root at which the simulators reach the app. Every setting of the app is named, blank
    for its default: neither the environment of the caller nor a local.settings.json with a real tenant may leak in.
    `more` comes last.
    """
    keys = {"*": USER_KEY, "_master": MASTER_KEY} | dict.fromkeys(ADMIN_FUNCTIONS, ADMIN_KEY)
    return {
        **{setting_name(each): "" for each in fields(Settings)},
        "ENTRA_TENANT_ID": addresses.tenant,
        "ENTRA_CLIENT_ID": addresses.client_id,
        "ENTRA_CLIENT_SECRET": addresses.client_secret,
        "ENTRA_AUTHORITY_HOST": addresses.authority_host,
        "GRAPH_ROOT": addresses.graph_root,
        "BC_ROOT": addresses.bc_root,
        "BC_SCOPE": addresses.bc_scope,
        "BC_ENVIRONMENT": ENVIRONMENT,
        "PUBLIC_ADDRESS": public_address,
        "AzureWebJobsStorage": storage,
        "STORAGE_PREFIX": f"local{secrets.token_hex(4)}",
        "SYNC_SCHEDULE": "0 */5 * * * *",
        "UPKEEP_SCHEDULE": "30 */15 * * * *",
        "IMPORT_SCHEDULE": "0 0 1 * * *",
        "AzureWebJobs.fan_out.Disabled": "true",
        "AzureWebJobs.upkeep.Disabled": "true",
        "AzureWebJobs.nightly_imports.Disabled": "true",
        "PYTHON_THREADPOOL_THREAD_COUNT": "8",
        # storage on this machine may be asked more often than one that costs money
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
        "DEVHOST_KEYS": json.dumps(keys),
        "REQUESTS_CA_BUNDLE": addresses.ca_file,
        "SSL_CERT_FILE": addresses.ca_file,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **more,
    }
