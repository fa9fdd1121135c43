variable "resource_group_name" {
  description = "Resource group to deploy into; it must be there."
  type        = string
}

variable "name" {
  description = "Begins the names of all resources: st{name}, func-{name}, kv-{name} and so on. Storage account, function app and vault need names that nobody else has."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,15}$", var.name))
    error_message = "The name takes 3 to 16 small letters and digits, a letter first."
  }
}

variable "location" {
  description = "Azure region; one that offers Flex Consumption. Left out: the resource group's."
  type        = string
  default     = null
}

variable "entra_client_id" {
  description = "Application (client) id of the app registration."
  type        = string
}

variable "entra_tenant_id" {
  description = "Tenant of the app registration and of the mailboxes. Left out: the one that is logged in."
  type        = string
  default     = null
}

variable "bc_tenant" {
  description = "Tenant of the Business Central environment; blank: the same."
  type        = string
  default     = ""
}

variable "bc_environment" {
  description = "Name of the Business Central environment."
  type        = string
  default     = "Production"
}

variable "credential" {
  description = "How the app proves who it is: federated (the managed identity stands for it, no secret at all), certificate or secret (both out of the Key Vault that is made for them)."
  type        = string
  default     = "federated"
  validation {
    condition     = contains(["federated", "certificate", "secret"], var.credential)
    error_message = "The credential is federated, certificate or secret."
  }
}

variable "public_address" {
  description = "Root of the address at which Graph and Business Central reach the app; blank: the function app's own."
  type        = string
  default     = ""
}

variable "storage_prefix" {
  description = "Begins the names of tables and queues. Small letters and digits."
  type        = string
  default     = "contactsync"
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,29}$", var.storage_prefix))
    error_message = "The prefix takes 3 to 30 small letters and digits, a letter first."
  }
}

variable "storage_sku" {
  description = "Redundancy of the storage account."
  type        = string
  default     = "Standard_ZRS"
  validation {
    condition     = contains(["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS"], var.storage_sku)
    error_message = "The redundancy is Standard_LRS, Standard_ZRS, Standard_GRS or Standard_GZRS."
  }
}

variable "sync_schedule" {
  description = "When the timer looks for work: six fields, UTC."
  type        = string
  default     = "0 */5 * * * *"
}

variable "upkeep_schedule" {
  description = "When the timer looks after subscriptions: six fields, UTC."
  type        = string
  default     = "30 */15 * * * *"
}

variable "import_schedule" {
  description = "When saved imports of users are repeated: six fields, UTC."
  type        = string
  default     = "0 0 1 * * *"
}

variable "always_ready_instances" {
  description = "Instances that are always ready for HTTP. Without one a cold start exceeds what Business Central and Graph wait for an answer."
  type        = number
  default     = 1
  validation {
    condition     = var.always_ready_instances >= 0 && var.always_ready_instances <= 20
    error_message = "Between 0 and 20 instances can be always ready."
  }
}

variable "maximum_instances" {
  description = "Most instances per group of functions."
  type        = number
  default     = 40
  validation {
    condition     = var.maximum_instances >= 40 && var.maximum_instances <= 1000
    error_message = "The most instances lie between 40 and 1000."
  }
}

variable "instance_memory_mb" {
  description = "Memory of an instance."
  type        = number
  default     = 2048
  validation {
    condition     = contains([512, 2048, 4096], var.instance_memory_mb)
    error_message = "The memory is 512, 2048 or 4096."
  }
}

variable "log_retention_days" {
  description = "How many days logs are kept."
  type        = number
  default     = 30
  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730
    error_message = "Logs are kept between 30 and 730 days."
  }
}

variable "alert_emails" {
  description = "Who gets an e-mail when an alert fires."
  type        = list(string)
  default     = []
}

variable "late_minutes" {
  description = "An alert tells of work and of a timer that are late by more than this many minutes: three times the interval of sync_schedule."
  type        = number
  default     = 15
  validation {
    condition     = var.late_minutes >= 5 && var.late_minutes <= 300
    error_message = "Late is between 5 and 300 minutes."
  }
}

variable "failed_runs_percent" {
  description = "An alert tells when more than this share of the runs of an hour failed."
  type        = number
  default     = 20
  validation {
    condition     = var.failed_runs_percent >= 0 && var.failed_runs_percent <= 100
    error_message = "The share lies between 0 and 100."
  }
}

variable "settings" {
  description = "Further settings by name (docs/configuration.md); they replace the defaults of settings.json. Never a secret."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
