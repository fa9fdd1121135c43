mock_provider "azurerm" {
  mock_data "azurerm_resource_group" {
    defaults = { name = "rg-test", location = "westeurope", id = "/subscriptions/s/resourceGroups/rg-test" }
  }
}

variables {
  resource_group_name = "rg-test"
  name                = "testsync"
  entra_client_id     = "00000000-0000-0000-0000-000000000001"
}

run "without_a_secret" {
  assert {
    condition     = !azurerm_storage_account.account.shared_access_key_enabled
    error_message = "The storage account must take no keys."
  }
  assert {
    condition     = !azurerm_storage_account.account.allow_nested_items_to_be_public && azurerm_storage_account.account.min_tls_version == "TLS1_2" && azurerm_storage_account.account.https_traffic_only_enabled
    error_message = "No public blobs, TLS 1.2, https only."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.app.https_only && !azurerm_function_app_flex_consumption.app.webdeploy_publish_basic_authentication_enabled && azurerm_function_app_flex_consumption.app.site_config[0].minimum_tls_version == "1.2"
    error_message = "The app answers over https only and takes no passwords."
  }
  assert {
    condition     = toset([for each in azurerm_role_assignment.storage : each.role_definition_name]) == toset(["Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"])
    error_message = "Only the roles that are needed on the storage account."
  }
  assert {
    condition     = azurerm_role_assignment.insights.role_definition_name == "Monitoring Metrics Publisher" && length(azurerm_role_assignment.vault) == 0
    error_message = "Only the roles that are needed elsewhere."
  }
  assert {
    condition     = length(azurerm_key_vault.vault) == 0 && output.key_vault_name == ""
    error_message = "No vault where no secret is used."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.app.app_settings["MANAGED_IDENTITY_CLIENT_ID"] == azurerm_user_assigned_identity.identity.client_id && azurerm_function_app_flex_consumption.app.app_settings["ENTRA_CLIENT_SECRET"] == "" && azurerm_function_app_flex_consumption.app.app_settings["AzureWebJobsStorage"] == ""
    error_message = "The managed identity stands for the app; no secret and no key."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.app.always_ready[0].name == "http" && azurerm_function_app_flex_consumption.app.always_ready[0].instance_count == 1
    error_message = "One instance for HTTP is always ready."
  }
  assert {
    condition     = !strcontains(join("", [for each in azurerm_monitor_scheduled_query_rules_alert_v2.alert : each.criteria[0].query]), "Minutes}") && !strcontains(join("", [for each in azurerm_monitor_scheduled_query_rules_alert_v2.alert : each.criteria[0].query]), "Percent}")
    error_message = "All numbers are put into the alerts' queries."
  }
}

run "with_a_certificate" {
  variables {
    credential             = "certificate"
    always_ready_instances = 0
    settings               = { HOLD_REMOVALS_COUNT = "25" }
  }
  assert {
    condition     = length(azurerm_key_vault.vault) == 1 && azurerm_key_vault.vault[0].rbac_authorization_enabled && azurerm_role_assignment.vault[0].role_definition_name == "Key Vault Secrets User"
    error_message = "A vault with roles, and only reading for the app."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.app.app_settings["ENTRA_CLIENT_CERTIFICATE"] == "@Microsoft.KeyVault(VaultName=kv-testsync;SecretName=entra-client-certificate)" && azurerm_function_app_flex_consumption.app.app_settings["MANAGED_IDENTITY_CLIENT_ID"] == ""
    error_message = "The setting refers to the vault."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.app.app_settings["HOLD_REMOVALS_COUNT"] == "25" && azurerm_function_app_flex_consumption.app.app_settings["HOLD_REMOVALS_MOST"] == "200"
    error_message = "A setting of the deployment replaces the default, the others stay."
  }
  assert {
    condition     = length(azurerm_function_app_flex_consumption.app.always_ready) == 0
    error_message = "No instance is always ready where none is wanted."
  }
}

run "a_name_that_azure_would_refuse" {
  command = plan
  variables {
    name = "Contact-Sync"
  }
  expect_failures = [var.name]
}
