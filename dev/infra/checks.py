"""What must hold of both templates: the same deployment, the settings of the code, and the rules of safety.

`findings` reads the files only. Types and required properties are checked elsewhere: of Bicep by Azure's own types, of
Terraform by Terraform (`dev/infra/terraform.py`).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from dev.infra import bicep, hcl
from dev.infra.bicep import File
from dev.infra.hcl import Folder
from shared.settings import Settings, setting_name
from shared.storage.tables import NAMES

#: The only roles that the app gets, with Azure's own ids.
ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
}
QUEUES = ["sync-jobs", "sync-jobs-poison", "company-jobs", "company-jobs-poison"]
#: Settings that the platform reads and both templates set.
PLATFORM = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__credential",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
}
#: The provider sets the one out of site_config, and has to be kept from the other (it would hold a key).
ONLY_BICEP, ONLY_TERRAFORM = {"APPLICATIONINSIGHTS_CONNECTION_STRING"}, {"AzureWebJobsStorage"}
VAULT_REFERENCE = re.compile(r".*@Microsoft\.KeyVault\(VaultName=kv-\$\{(var\.)?name\};SecretName=[a-z-]+\).*")
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STORAGE_BICEP = {
    "allowSharedKeyAccess": False,
    "allowBlobPublicAccess": False,
    "minimumTlsVersion": "TLS1_2",
    "supportsHttpsTrafficOnly": True,
    "isLocalUserEnabled": False,
}
STORAGE_TERRAFORM = {
    "shared_access_key_enabled": False,
    "allow_nested_items_to_be_public": False,
    "min_tls_version": "TLS1_2",
    "https_traffic_only_enabled": True,
    "local_user_enabled": False,
}


def findings(infra: Path) -> list[str]:
    """Everything that is wrong with the templates below a folder; empty when all is well."""
    files = {path.name: bicep.read(path) for path in sorted((infra / "bicep").rglob("*.bicep"))}
    terraform = hcl.read(infra / "terraform")
    broken = [error for file in files.values() for error in file.errors] + terraform.errors
    if broken:
        return broken
    return [
        *_same(files["main.bicep"], terraform),
        *_modules(files),
        *_settings(infra, files["main.bicep"], terraform),
        *_storage_names(files["storage.bicep"], terraform),
        *_bicep_roles(infra),
        *_terraform_roles(terraform),
        *_bicep_policy(files),
        *_terraform_policy(terraform),
        *_outputs(files["main.bicep"], terraform),
    ]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join("MB" if each == "mb" else each.capitalize() for each in rest)


def _same(main: File, terraform: Folder) -> Iterator[str]:
    """The same parameters with the same defaults, and the same outputs. Terraform has no current resource group."""
    ours = {_camel(name): default for name, default in terraform.variables.items() if name != "resource_group_name"}
    for name in ours.keys() ^ main.params.keys():
        yield f"parameter {name} is in one template only"
    for name in ours.keys() & main.params.keys():
        left, right = main.params[name], ours[name]
        required = (left is bicep.MISSING, right is hcl.MISSING)
        from_azure = right is None and isinstance(left, str) and left.endswith(("().location", "().tenantId"))
        if required[0] != required[1] or (not any(required) and not from_azure and left != right):
            yield f"parameter {name} has another default in each template"
    for name in {_camel(name) for name in terraform.outputs} ^ main.outputs.keys():
        yield f"output {name} is in one template only"


def _modules(files: dict[str, File]) -> Iterator[str]:
    """Each module is given what it asks for, no more, and asked only for what it puts out."""
    main = files["main.bicep"]
    text = main.path.read_text()
    for module in main.modules:
        file, given = files[Path(module.type).name], module.body.get("params", {}).keys()
        required = {name for name, default in file.params.items() if default is bicep.MISSING}
        yield from (f"module {module.symbol} misses {name}" for name in required - given)
        yield from (f"module {module.symbol} knows no {name}" for name in given - file.params.keys())
        asked = set(re.findall(rf"\b{module.symbol}\.outputs\.(\w+)", text))
        yield from (f"module {module.symbol} puts out no {name}" for name in asked - file.outputs.keys())


def _settings(infra: Path, main: File, terraform: Folder) -> Iterator[str]:
    common = json.loads((infra / "settings.json").read_text())
    named = {setting_name(each): each for each in fields(Settings)}
    wanted = named.keys() - {"AzureWebJobsStorage"} | PLATFORM
    (module,) = [each for each in main.modules if each.symbol == "appSettings"]
    left = _keys(str(module.body["params"]["settings"]), ":")
    app = terraform.resources["azurerm_function_app_flex_consumption", "app"]
    right = _keys(str(app["app_settings"]), "=")
    for side, keys, extra in (("Bicep", left, ONLY_BICEP), ("Terraform", right, ONLY_TERRAFORM)):
        yield from (f"{side}: setting {name} is missing" for name in (wanted | extra) - keys - common.keys())
        yield from (f"{side}: nobody reads the setting {name}" for name in keys - wanted - extra)
        yield from (f"{side}: setting {name} stands in settings.json, too" for name in keys & common.keys())
    for name, value in common.items():
        if name not in named:
            yield f"settings.json: nobody reads {name}"
        elif value != _as_text(named[name].default):
            yield f"settings.json: {name} is not the code's default"


def _keys(expression: str, sign: str) -> set[str]:
    """The names that an object in an expression sets: settings have a capital letter first."""
    return set(re.findall(rf"(?:^|[\s{{,])\"?([A-Z]\w+)\"?\s*{sign}(?![=:])\s", expression))


def _as_text(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _storage_names(storage: File, terraform: Folder) -> Iterator[str]:
    for what, wanted, ours, theirs in (
        ("tables", list(NAMES), storage.variables["tableNames"], terraform.local["table_names"]),
        ("queues", QUEUES, storage.variables["queueNames"], terraform.local["queue_names"]),
    ):
        if not sorted(wanted) == sorted(ours) == sorted(theirs):
            yield f"the {what} are not those of the app in both templates"


def _bicep_roles(infra: Path) -> Iterator[str]:
    seen: set[str] = set()
    for path in sorted((infra / "bicep").rglob("*.bicep")):
        pairs = dict(re.findall(r"'([A-Z][\w ]+)': '([^']+)'", path.read_text()))
        seen |= pairs.keys()
        for name, role in pairs.items():
            if ROLES.get(name) != role:
                yield f"{path.name}: {name} with {role} is no role that the app may have"
        for role in set(GUID.findall(path.read_text())) - set(ROLES.values()):
            yield f"{path.name}: {role} is no role that the app may have"
    yield from (f"Bicep: role {name} is missing" for name in ROLES.keys() - seen)


def _terraform_roles(terraform: Folder) -> Iterator[str]:
    named = set(terraform.local["storage_roles"])
    for (kind, _), body in terraform.resources.items():
        if kind == "azurerm_role_assignment":
            named.add(body.get("role_definition_name", body.get("role_definition_id", "")))
    for name in (named - {"${each.key}"}) ^ ROLES.keys():
        yield f"Terraform: role {name} is missing, or none that the app may have"


def _bicep_policy(files: dict[str, File]) -> Iterator[str]:
    resources = {each.symbol: each for file in files.values() for each in file.resources}
    yield from _differs("Bicep storage", STORAGE_BICEP, resources["account"].body["properties"])
    yield from _differs("Bicep container", {"publicAccess": "None"}, resources["package"].body["properties"])
    (app,) = [each for each in files["app.bicep"].resources if each.symbol == "app"]
    yield from _differs("Bicep app", {"httpsOnly": True}, app.body["properties"])
    wanted = {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2", "ftpsState": "Disabled"}
    yield from _differs("Bicep app", wanted, app.body["properties"]["siteConfig"])
    for door in ("scm", "ftp"):
        yield from _differs(f"Bicep {door}", {"allow": False}, resources[door].body["properties"])
    yield from _differs("Bicep insights", {"DisableLocalAuth": True}, resources["insights"].body["properties"])
    features = resources["workspace"].body["properties"].get("features", {})
    yield from _differs("Bicep workspace", {"disableLocalAuth": True}, features)
    vault = {"enableRbacAuthorization": True, "enablePurgeProtection": True}
    yield from _differs("Bicep vault", vault, resources["vault"].body["properties"])


def _terraform_policy(terraform: Folder) -> Iterator[str]:
    closed = {"local_authentication_enabled": False}
    app = {"https_only": True, "webdeploy_publish_basic_authentication_enabled": False}
    for kind, name, wanted in (
        ("azurerm_storage_account", "account", STORAGE_TERRAFORM),
        ("azurerm_storage_container", "package", {"container_access_type": "private"}),
        ("azurerm_application_insights", "insights", closed),
        ("azurerm_log_analytics_workspace", "workspace", closed),
        ("azurerm_key_vault", "vault", {"rbac_authorization_enabled": True, "purge_protection_enabled": True}),
        ("azurerm_function_app_flex_consumption", "app", app),
    ):
        yield from _differs(f"Terraform {name}", wanted, terraform.resources[kind, name])
    site = terraform.resources["azurerm_function_app_flex_consumption", "app"]["site_config"][0]
    yield from _differs("Terraform app", {"minimum_tls_version": "1.2", "scm_minimum_tls_version": "1.2"}, site)
    if terraform.providers.get("azurerm") != "~> 5.10":
        yield "Terraform: the provider is not pinned"


def _differs(where: str, wanted: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"{where}: {name} must be {value}"


def _outputs(main: File, terraform: Folder) -> Iterator[str]:
    """No output and no setting carries a secret: only references to the vault do."""
    for name, value in [*main.outputs.items(), *terraform.outputs.items()]:
        if re.search(r"(?i)listkeys|connection_?string|access_?key|secret|password", f"{name} {value}"):
            yield f"output {name} carries a secret"
    (module,) = [each for each in main.modules if each.symbol == "appSettings"]
    app = terraform.resources["azurerm_function_app_flex_consumption", "app"]
    for side, text in (("Bicep", str(module.body["params"]["settings"])), ("Terraform", str(app["app_settings"]))):
        for name in ("ENTRA_CLIENT_SECRET", "ENTRA_CLIENT_CERTIFICATE"):
            line = re.search(rf"{name}\"?\s*[:=](.*?)(?:BC_TENANT|ENTRA_CLIENT_SECRET|$)", text, re.DOTALL)
            if not line or not VAULT_REFERENCE.fullmatch(" ".join(line[1].split())):
                yield f"{side}: {name} must be a reference to the vault"
        if re.search(r"(?i)listkeys|AccountKey|primary_access_key|primary_connection_string", text):
            yield f"{side}: a setting carries a key"
