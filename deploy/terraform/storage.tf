# The log bucket, which Google writes and the job reads, and the report bucket, which the job writes.

locals {
  log_bucket = coalesce(var.log_bucket, "${var.project}-registry-logs")
  bucket_grants = {
    logs = {
      # Cloud Storage delivers usage and storage logs as this group.
      "roles/storage.objectCreator" = concat(
        ["group:cloud-storage-analytics@google.com"],
        local.audit_to_storage ? local.sink_writers : [],
      )
      # A load job asks for the bucket's location, too.
      "roles/storage.legacyBucketReader" = [local.job]
      "roles/storage.objectViewer"       = concat([local.job], var.maintainers)
    }
    report = {
      "roles/storage.objectUser"   = [local.job]
      "roles/storage.objectViewer" = concat(var.readers, var.maintainers)
    }
  }
  archive_buckets = toset([for uri in var.archives : regex("^gs://([^/]+)", uri)[0]])
}

resource "google_storage_bucket" "logs" {
  name                        = local.log_bucket
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "lifecycle_rule" {
    for_each = var.log_bucket_days == null ? [] : [var.log_bucket_days]
    content {
      action {
        type = "Delete"
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }
  depends_on = [google_project_service.required]
}

resource "google_storage_bucket" "report" {
  name                        = "${var.project}-pullstats-report"
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # each execution writes the page again
  depends_on                  = [google_project_service.required]
}

resource "google_storage_bucket_iam_policy" "all" {
  for_each = {
    logs   = google_storage_bucket.logs.name
    report = google_storage_bucket.report.name
  }
  bucket = each.value
  policy_data = jsonencode({
    bindings = [for role, members in merge(local.bucket_grants[each.key], {
      # A policy without owners locks them out.
      "roles/storage.legacyBucketOwner" = ["projectOwner:${var.project}"]
      "roles/storage.legacyObjectOwner" = ["projectOwner:${var.project}"]
      }) : {
      role    = role
      members = sort(distinct(members))
    } if length(members) > 0]
  })
}

# Buckets of others get two grants, and keep those that they have.
resource "google_storage_bucket_iam_member" "archives" {
  for_each = {
    for pair in setproduct(local.archive_buckets, ["objectViewer", "legacyBucketReader"]) :
    "${pair[0]}/${pair[1]}" => { bucket = pair[0], role = "roles/storage.${pair[1]}" }
  }
  bucket = each.value.bucket
  role   = each.value.role
  member = local.job
}
