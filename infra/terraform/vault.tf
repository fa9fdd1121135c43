# Key Vault for the certificate or secret of the app registration. An admin puts it in; no template sees it.

resource "azurerm_key_vault" "vault" {
  count                      = local.uses_vault ? 1 : 0
  name                       = "kv-${var.name}"
  resource_group_name        = local.group
  location                   = local.location
  tags                       = var.tags
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 30
}

resource "azurerm_role_assignment" "vault" {
  count                = local.uses_vault ? 1 : 0
  scope                = azurerm_key_vault.vault[0].id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_function_app_flex_consumption.app.identity[0].principal_id
  principal_type       = "ServicePrincipal"
}
