# The plan and the function app. Its settings wait for the roles that they need.

resource "azurerm_service_plan" "plan" {
  name                = "plan-${var.name}"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  os_type             = "Linux"
  sku_name            = "FC1"
}

resource "azurerm_function_app_flex_consumption" "app" {
  name                = "func-${var.name}"
  resource_group_name = local.group
  location            = local.location
  tags                = merge(var.tags, { "azd-service-name" = "app" })
  service_plan_id     = azurerm_service_plan.plan.id

  runtime_name                      = "python"
  runtime_version                   = "3.13"
  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.account.primary_blob_endpoint}${azurerm_storage_container.package.name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.identity.id

  instance_memory_in_mb  = var.instance_memory_mb
  maximum_instance_count = var.maximum_instances
  http_concurrency       = 8

  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false

  dynamic "always_ready" {
    for_each = var.always_ready_instances > 0 ? [var.always_ready_instances] : []
    content {
      name           = "http"
      instance_count = always_ready.value
    }
  }

  # references to the Key Vault are read by the app's own identity: it exists only where there is a vault
  identity {
    type         = local.uses_vault ? "SystemAssigned, UserAssigned" : "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.identity.id]
  }

  site_config {
    application_insights_connection_string = azurerm_application_insights.insights.connection_string
    minimum_tls_version                    = "1.2"
    scm_minimum_tls_version                = "1.2"
  }

  app_settings = merge(jsondecode(file("${path.module}/../settings.json")), var.settings, {
    AzureWebJobsStorage                       = "" # or the provider puts a connection string with a key there
    AzureWebJobsStorage__accountName          = azurerm_storage_account.account.name
    AzureWebJobsStorage__blobServiceUri       = azurerm_storage_account.account.primary_blob_endpoint
    AzureWebJobsStorage__queueServiceUri      = azurerm_storage_account.account.primary_queue_endpoint
    AzureWebJobsStorage__tableServiceUri      = azurerm_storage_account.account.primary_table_endpoint
    AzureWebJobsStorage__credential           = "managedidentity"
    AzureWebJobsStorage__clientId             = azurerm_user_assigned_identity.identity.client_id
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azurerm_user_assigned_identity.identity.client_id};Authorization=AAD"
    PYTHON_THREADPOOL_THREAD_COUNT            = "8"
    ENTRA_TENANT_ID                           = local.tenant
    ENTRA_CLIENT_ID                           = var.entra_client_id
    MANAGED_IDENTITY_CLIENT_ID                = var.credential == "federated" ? azurerm_user_assigned_identity.identity.client_id : ""
    ENTRA_CLIENT_CERTIFICATE                  = var.credential == "certificate" ? "@Microsoft.KeyVault(VaultName=kv-${var.name};SecretName=entra-client-certificate)" : ""
    ENTRA_CLIENT_SECRET                       = var.credential == "secret" ? "@Microsoft.KeyVault(VaultName=kv-${var.name};SecretName=entra-client-secret)" : ""
    BC_TENANT                                 = var.bc_tenant
    BC_ENVIRONMENT                            = var.bc_environment
    PUBLIC_ADDRESS                            = var.public_address
    STORAGE_PREFIX                            = var.storage_prefix
    SYNC_SCHEDULE                             = var.sync_schedule
    UPKEEP_SCHEDULE                           = var.upkeep_schedule
    IMPORT_SCHEDULE                           = var.import_schedule
  })

  depends_on = [azurerm_role_assignment.storage, azurerm_role_assignment.insights]
}
