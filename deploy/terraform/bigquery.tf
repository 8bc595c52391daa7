# Datasets, and who may read each. The access lists are complete: what is not in them, such as the
# project's viewers, has no access.

locals {
  # Schemas of dbt_project.yml, and what the loader and the sink write.
  datasets = merge(
    {
      storageanalysis        = "Raw usage and storage logs, and the loader's ledger: client addresses, signed URLs."
      pullstats_staging      = "Views on raw: client addresses."
      pullstats_intermediate = "Requests, blobs, sessions: pseudonyms of clients."
      pullstats_seeds        = "Rules: user agents, and the order in which clients read."
      pullstats_private      = "The salt of the pseudonyms."
      pullstats              = "The marts: pulls, pushes, images, clients as pseudonyms."
    },
    local.audit_to_bigquery ? {
      (local.audit_dataset) = "Artifact Registry's audit log entries: addresses of clients, e-mail addresses of principals."
    } : {},
  )
  dataset_editors = { for id in keys(local.datasets) :
    id => id == local.audit_dataset ? local.sink_writers : [local.job]
  }
  dataset_viewers = { for id in keys(local.datasets) : id => concat(
    id == "pullstats_private" ? [] : var.maintainers,
    id == "pullstats" ? var.readers : [],
    id == local.audit_dataset ? [local.job] : [],
  ) }
}

resource "google_bigquery_dataset" "all" {
  for_each    = local.datasets
  dataset_id  = each.key
  location    = var.location
  description = each.value
  labels      = var.labels
  default_partition_expiration_ms = (
    each.key == local.audit_dataset && var.audit_days != null ? var.audit_days * 86400000 : null
  )
  depends_on = [google_project_service.required]
}

resource "google_bigquery_dataset_iam_policy" "all" {
  for_each   = google_bigquery_dataset.all
  dataset_id = each.value.dataset_id
  policy_data = jsonencode({
    bindings = [for role, members in {
      "roles/bigquery.dataOwner"  = ["projectOwners"]
      "roles/bigquery.dataEditor" = local.dataset_editors[each.key]
      "roles/bigquery.dataViewer" = local.dataset_viewers[each.key]
      } : {
      role    = role
      members = sort(distinct(members))
    } if length(members) > 0]
  })
}
