# The storage account: package, queues, tables, and what the identity may do with them. No keys.

locals {
  queue_names = ["sync-jobs", "sync-jobs-poison", "company-jobs", "company-jobs-poison"]
  table_names = ["mailboxes", "companies", "profiles", "marks", "reports", "subscriptions", "journal", "imports"]
  storage_roles = [
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
  ]
}

resource "azurerm_storage_account" "account" {
  name                             = "st${var.name}"
  resource_group_name              = local.group
  location                         = local.location
  tags                             = var.tags
  account_kind                     = "StorageV2"
  account_tier                     = split("_", var.storage_sku)[0]
  account_replication_type         = split("_", var.storage_sku)[1]
  shared_access_key_enabled        = false
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  default_to_oauth_authentication  = true
  min_tls_version                  = "TLS1_2"
  https_traffic_only_enabled       = true
  local_user_enabled               = false
  public_network_access_enabled    = true
}

resource "azurerm_storage_container" "package" {
  name                  = "app-package"
  storage_account_id    = azurerm_storage_account.account.id
  container_access_type = "private"
}

resource "azurerm_storage_queue" "queue" {
  for_each           = toset(local.queue_names)
  name               = "${var.storage_prefix}-${each.key}"
  storage_account_id = azurerm_storage_account.account.id
}

resource "azurerm_storage_table" "table" {
  for_each           = toset(local.table_names)
  name               = "${var.storage_prefix}${each.key}"
  storage_account_id = azurerm_storage_account.account.id
}

resource "azurerm_role_assignment" "storage" {
  for_each             = toset(local.storage_roles)
  scope                = azurerm_storage_account.account.id
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.identity.principal_id
  principal_type       = "ServicePrincipal"
}
