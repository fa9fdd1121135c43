# Logs, the alerts on them (../alerts.json), and the workbook (../workbook.json).

locals {
  alerts = { for each in jsondecode(file("${path.module}/../alerts.json")) : each.name => each }
}

resource "azurerm_log_analytics_workspace" "workspace" {
  name                         = "log-${var.name}"
  resource_group_name          = local.group
  location                     = local.location
  tags                         = var.tags
  sku                          = "PerGB2018"
  retention_in_days            = var.log_retention_days
  local_authentication_enabled = false
}

resource "azurerm_application_insights" "insights" {
  name                         = "appi-${var.name}"
  resource_group_name          = local.group
  location                     = local.location
  tags                         = var.tags
  application_type             = "web"
  workspace_id                 = azurerm_log_analytics_workspace.workspace.id
  local_authentication_enabled = false
}

resource "azurerm_role_assignment" "insights" {
  scope                = azurerm_application_insights.insights.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.identity.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_monitor_action_group" "people" {
  name                = "ag-${var.name}"
  resource_group_name = local.group
  tags                = var.tags
  short_name          = "contactsync"

  dynamic "email_receiver" {
    for_each = var.alert_emails
    content {
      name                    = "person-${email_receiver.key}"
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "alert" {
  for_each                = local.alerts
  name                    = "alert-${var.name}-${each.key}"
  resource_group_name     = local.group
  location                = local.location
  tags                    = var.tags
  display_name            = each.value.title
  description             = each.value.description
  severity                = each.value.severity
  auto_mitigation_enabled = true
  scopes                  = [azurerm_application_insights.insights.id]
  evaluation_frequency    = "PT15M"
  window_duration         = each.value.window

  criteria {
    query = replace(replace(join("\n", each.value.query),
      "{lateMinutes}", tostring(var.late_minutes)),
    "{failedRunsPercent}", tostring(var.failed_runs_percent))
    metric_measure_column   = "value"
    time_aggregation_method = "Total"
    operator                = "GreaterThan"
    threshold               = 0

    failing_periods {
      number_of_evaluation_periods             = 1
      minimum_failing_periods_to_trigger_alert = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.people.id]
  }
}

resource "azurerm_application_insights_workbook" "workbook" {
  name                = uuidv5("url", "${data.azurerm_resource_group.group.id}/${var.name}/workbook")
  resource_group_name = local.group
  location            = local.location
  tags                = var.tags
  display_name        = "Contact sync ${var.name}"
  category            = "workbook"
  source_id           = lower(azurerm_application_insights.insights.id)
  data_json           = file("${path.module}/../workbook.json")
}
