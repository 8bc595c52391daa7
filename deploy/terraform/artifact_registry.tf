# Pulls from Artifact Registry: data access audit logs, off by default, routed past _Default.

locals {
  audit_dataset     = "artifact_registry_logs"
  audit_to_bigquery = var.audit_sink == "bigquery" && length(var.artifact_registry_projects) > 0
  audit_to_storage  = var.audit_sink == "storage" && length(var.artifact_registry_projects) > 0
  audit_destination = (
    var.audit_sink == "bigquery"
    ? "bigquery.googleapis.com/projects/${var.project}/datasets/${local.audit_dataset}"
    : "storage.googleapis.com/${local.log_bucket}"
  )
  audit_filter = join(" AND ", [
    "log_id(\"cloudaudit.googleapis.com/data_access\")",
    "protoPayload.serviceName=\"artifactregistry.googleapis.com\"",
    "protoPayload.methodName=~\"^Docker-\"",
  ])
  sink_writers = distinct([for sink in google_logging_project_sink.artifact_registry : sink.writer_identity])
}

# It replaces the service's whole configuration in these projects, other log types included.
resource "google_project_iam_audit_config" "artifact_registry" {
  for_each = var.artifact_registry_projects
  project  = each.value
  service  = "artifactregistry.googleapis.com"
  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }
}

resource "google_logging_project_sink" "artifact_registry" {
  for_each               = var.artifact_registry_projects
  project                = each.value
  name                   = local.name
  description            = "Image requests to Artifact Registry, for pullstats"
  destination            = local.audit_destination
  unique_writer_identity = true
  filter = (
    var.audit_blobs
    ? local.audit_filter
    : "${local.audit_filter} AND NOT protoPayload.methodName=\"Docker-ServeBlob\""
  )

  dynamic "bigquery_options" {
    for_each = var.audit_sink == "bigquery" ? [true] : []
    content {
      use_partitioned_tables = true
    }
  }
  depends_on = [google_bigquery_dataset.all, google_storage_bucket.logs]
}

# An exclusion of a project applies to its _Default sink. Other sinks still get the entries.
resource "google_logging_project_exclusion" "artifact_registry" {
  for_each    = var.audit_in_default ? [] : var.artifact_registry_projects
  project     = each.value
  name        = local.name
  description = "Image requests go to the sink ${local.name} only"
  filter      = local.audit_filter
  depends_on  = [google_logging_project_sink.artifact_registry]
}
