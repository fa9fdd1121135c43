data "azurerm_client_config" "current" {}

data "azurerm_resource_group" "group" {
  name = var.resource_group_name
}

locals {
  group      = data.azurerm_resource_group.group.name
  location   = coalesce(var.location, data.azurerm_resource_group.group.location)
  tenant     = coalesce(var.entra_tenant_id, data.azurerm_client_config.current.tenant_id)
  uses_vault = var.credential != "federated"
}

resource "azurerm_user_assigned_identity" "identity" {
  name                = "id-${var.name}"
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
}
