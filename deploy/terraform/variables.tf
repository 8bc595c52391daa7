# Where

variable "project" {
  description = "ID of the project for datasets, buckets and the job. A project of its own keeps its bill and quota apart."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project ID, such as my-project."
  }
}

variable "location" {
  description = "Location of datasets and buckets: US, EU or a region. BigQuery loads log objects only from its own location."
  type        = string
  default     = "US"
  validation {
    condition     = can(regex("^(US|EU|[a-z]+-[a-z]+[0-9]+)$", var.location))
    error_message = "location must be US, EU or a region such as europe-west1."
  }
}

variable "region" {
  description = "Region of the Cloud Run job and of Cloud Scheduler, inside or near the location."
  type        = string
  default     = "us-central1"
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west1."
  }
}

variable "labels" {
  description = "Labels of all datasets, buckets and the job, to split the bill by."
  type        = map(string)
  default     = { app = "pullstats" }
}

# The job

variable "image" {
  description = "Container image of the job in Artifact Registry, with a tag or a digest."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[^/]+/[^/]+/.+(:[\\w.-]+|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "image must be an Artifact Registry image with a tag or digest: REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG."
  }
}

variable "every_hours" {
  description = "Hours between two runs of the job, which start at half past the hour (UTC): usage logs arrive about a quarter past. A day's first run is at 00:30."
  type        = number
  default     = 1
  validation {
    condition     = contains([1, 2, 3, 4, 6, 8, 12, 24], var.every_hours)
    error_message = "every_hours must divide a day: 1, 2, 3, 4, 6, 8, 12 or 24."
  }
}

variable "paused" {
  description = "Whether the schedule is paused: true until the first build has ended."
  type        = bool
  default     = false
}

variable "load_days" {
  description = "Days before now whose log objects a load lists. Null lists all objects, which costs more as the logs grow; objects that are older do not land. Set it after archives have landed."
  type        = number
  default     = null
  validation {
    condition     = var.load_days == null || try(var.load_days >= 2, false)
    error_message = "load_days must be null, or at least 2: some log objects arrive a day late."
  }
}

variable "timeout_minutes" {
  description = "Minutes after which an execution is stopped. At least 10 less than the time between two runs."
  type        = number
  default     = 45
  validation {
    condition     = var.timeout_minutes >= 10 && var.timeout_minutes <= var.every_hours * 60 - 10
    error_message = "timeout_minutes must be at least 10, and at least 10 less than every_hours: an execution must have ended when the next one starts."
  }
}

variable "cpu" {
  description = "CPUs of the job: 1, 2, 4, 6 or 8. The models run in BigQuery; the job needs more to load audit logs from Cloud Storage, or for the report of a large registry."
  type        = number
  default     = 1
  validation {
    condition     = contains([1, 2, 4, 6, 8], var.cpu)
    error_message = "cpu must be 1, 2, 4, 6 or 8."
  }
}

variable "memory_gib" {
  description = "Memory of the job in GiB: at most 4 for each CPU."
  type        = number
  default     = 2
  validation {
    condition     = var.memory_gib >= (var.cpu >= 6 ? 4 : var.cpu == 4 ? 2 : 1) && var.memory_gib <= 4 * var.cpu && floor(var.memory_gib) == var.memory_gib
    error_message = "memory_gib must be a whole number, at most 4 for each CPU; 4 CPUs need 2 or more, 6 and 8 CPUs 4 or more."
  }
}

# Logs

variable "log_bucket" {
  description = "Name of the bucket for usage logs, which is created. Null: PROJECT-registry-logs."
  type        = string
  default     = null
}

variable "log_bucket_days" {
  description = "Days after which log objects are deleted. Null keeps them; without them raw rows can't be loaded again."
  type        = number
  default     = 400
  validation {
    condition     = var.log_bucket_days == null ? true : var.log_bucket_days >= 5
    error_message = "log_bucket_days must be at least 5: what a build reads must still be there after a few that failed."
  }
}

variable "archives" {
  description = "Places of older logs to load as well, each as gs://bucket or gs://bucket/prefix, in the same location."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for uri in var.archives : can(regex("^gs://[a-z0-9._-]+(/\\S*)?$", uri))])
    error_message = "each archive must be gs://bucket or gs://bucket/prefix."
  }
}

variable "usage_days" {
  description = "Days that raw usage rows are kept in BigQuery. 0 keeps them, until the table has 10,000 hourly partitions."
  type        = number
  default     = 400
  validation {
    condition     = var.usage_days >= 0 && var.usage_days <= 416
    error_message = "usage_days must be 0 or at most 416: a table has at most 10,000 hourly partitions."
  }
  validation {
    condition     = var.usage_days == 0 || var.usage_days >= 5
    error_message = "usage_days must be 0, or at least 5: what a build reads must still be there after a few that failed."
  }
}

variable "fresh_sources" {
  description = "dbt selectors of the sources whose silence is an alert: source:gcs.usage, source:gcs.storage, source:artifact_registry (Cloud Storage sink), source:audit_sink (BigQuery sink). Null: usage logs, and audit logs if artifact_registry_projects names a project. An empty list checks none."
  type        = list(string)
  default     = null
  validation {
    condition     = alltrue([for source in coalesce(var.fresh_sources, []) : can(regex("^source:(gcs|gcs\\.usage|gcs\\.storage|artifact_registry|audit_sink)$", source))])
    error_message = "each of fresh_sources must be source:gcs, source:gcs.usage, source:gcs.storage, source:artifact_registry or source:audit_sink."
  }
  validation {
    condition = alltrue([
      for source, sink in { "source:artifact_registry" = "storage", "source:audit_sink" = "bigquery" } :
      var.audit_sink == sink && length(var.artifact_registry_projects) > 0 if contains(coalesce(var.fresh_sources, []), source)
    ])
    error_message = "fresh_sources names a sink that does not exist: source:artifact_registry needs audit_sink = \"storage\", source:audit_sink needs \"bigquery\", both need artifact_registry_projects."
  }
}

# Artifact Registry

variable "artifact_registry_projects" {
  description = "Projects whose Artifact Registry pulls are logged, by ID. Each gets an audit configuration and a sink."
  type        = set(string)
  default     = []
}

variable "audit_sink" {
  description = "Where audit log entries go: bigquery (a table that Google fills within a minute) or storage (hourly objects in the log bucket, loaded by the job)."
  type        = string
  default     = "bigquery"
  validation {
    condition     = contains(["bigquery", "storage"], var.audit_sink)
    error_message = "audit_sink must be bigquery or storage."
  }
}

variable "audit_blobs" {
  description = "Whether Docker-ServeBlob entries, about three quarters of all, are exported too. docs/counting.md shows how exact pulls are without them."
  type        = bool
  default     = true
}

variable "audit_days" {
  description = "Days that audit log entries are kept in BigQuery. Null keeps them."
  type        = number
  default     = 400
  validation {
    condition     = var.audit_days == null ? true : var.audit_days >= 5
    error_message = "audit_days must be at least 5: what a build reads must still be there after a few that failed."
  }
}

variable "audit_in_default" {
  description = "Whether Cloud Logging's _Default bucket stores the same entries as well, at Logging's price for storage."
  type        = bool
  default     = false
}

# People

variable "readers" {
  description = "Who may read the marts and the report, as IAM members: group:…, user:…, serviceAccount:… or domain:…."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for member in var.readers : can(regex("^(group|user|serviceAccount|domain):[^:]+$", member))])
    error_message = "each reader must be group:…, user:…, serviceAccount:… or domain:…."
  }
}

variable "maintainers" {
  description = "Who may read everything but the salt, client addresses included, and start the job, as IAM members: the people whom alerts go to."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for member in var.maintainers : can(regex("^(group|user|serviceAccount):[^:]+$", member))])
    error_message = "each maintainer must be group:…, user:… or serviceAccount:…."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts and budget warnings go to."
  type        = list(string)
  default     = []
}

variable "notification_channels" {
  description = "Other channels of Cloud Monitoring that alerts and budget warnings go to, such as PagerDuty, Slack or Pub/Sub, as projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "each notification channel must be projects/PROJECT/notificationChannels/ID, as gcloud beta monitoring channels list prints it."
  }
}

variable "max_hours_without_success" {
  description = "Hours without a successful execution after which an alert fires. Null follows every_hours and timeout_minutes: 3 hours for an hourly job, 26 for a daily one."
  type        = number
  default     = null
  validation {
    condition     = var.max_hours_without_success == null ? true : var.max_hours_without_success * 60 >= var.every_hours * 60 + var.timeout_minutes && var.max_hours_without_success <= 720
    error_message = "max_hours_without_success must be at most 720, and at least every_hours plus timeout_minutes; below that the alert fires between two executions that both succeed."
  }
}

# Money

variable "daily_query_gib" {
  description = "GiB that all queries of the project together may read a day; more are refused. Null sets no quota, and takes none back: docs/upgrade.md shows how. It binds everything in the project."
  type        = number
  default     = null
  validation {
    condition     = var.daily_query_gib == null ? true : var.daily_query_gib >= 1
    error_message = "daily_query_gib must be at least 1: less would refuse every query of the project."
  }
}

variable "billing_account" {
  description = "Billing account of the project, as 000000-000000-000000, for a monthly budget on BigQuery. Null sets no budget."
  type        = string
  default     = null
}

variable "monthly_budget" {
  description = "Budget for BigQuery a month, in the billing account's currency. Warnings go out at 50, 90 and 100 %; nothing is stopped."
  type        = number
  default     = 50
}
