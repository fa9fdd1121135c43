output "function_app_name" {
  description = "Name of the function app, for the deployment of the package."
  value       = azurerm_function_app_flex_consumption.app.name
}

output "app_address" {
  description = "Where the app answers."
  value       = "https://${azurerm_function_app_flex_consumption.app.default_hostname}"
}

output "identity_principal_id" {
  description = "Object id of the managed identity: the subject that the app registration trusts."
  value       = azurerm_user_assigned_identity.identity.principal_id
}

output "identity_client_id" {
  description = "Client id of the managed identity."
  value       = azurerm_user_assigned_identity.identity.client_id
}

output "storage_account_name" {
  description = "Name of the storage account."
  value       = azurerm_storage_account.account.name
}

output "key_vault_name" {
  description = "Name of the Key Vault that waits for the certificate or secret; blank when none is used."
  value       = local.uses_vault ? azurerm_key_vault.vault[0].name : ""
}
