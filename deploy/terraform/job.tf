# One Cloud Run job loads new log objects, builds, checks freshness and writes the report.
# A function that loads each object as it arrives needs Eventarc, Pub/Sub, a second service and three
# more roles. The marts would not be newer, because this job builds them.

locals {
  fresh_sources = var.fresh_sources != null ? var.fresh_sources : concat(
    ["source:gcs.usage"],
    local.audit_to_bigquery ? ["source:audit_sink"] : [],
    local.audit_to_storage ? ["source:artifact_registry"] : [],
  )
}

resource "google_cloud_run_v2_job" "pullstats" {
  name                = local.name
  location            = var.region
  labels              = var.labels
  deletion_protection = false # it holds no data

  template {
    labels = var.labels
    template {
      service_account = google_service_account.job.email
      timeout         = "${var.timeout_minutes * 60}s"
      max_retries     = 0 # the next execution is the retry

      containers {
        image = var.image
        resources {
          limits = {
            cpu    = tostring(var.cpu)
            memory = "${var.memory_gib}Gi"
          }
        }
        dynamic "env" {
          for_each = {
            PULLSTATS_FRESH_SOURCES = join(" ", local.fresh_sources)
            PULLSTATS_TARGET        = "bigquery"
            PULLSTATS_PROJECT       = var.project
            PULLSTATS_LOCATION      = var.location
            PULLSTATS_USAGE_DAYS    = tostring(var.usage_days)
            PULLSTATS_LOGS          = join(" ", concat(["gs://${google_storage_bucket.logs.name}"], var.archives))
            PULLSTATS_LOGS_SINCE    = var.load_days == null ? "" : "${var.load_days}d"
            PULLSTATS_REPORT        = "gs://${google_storage_bucket.report.name}/report.html"
            PULLSTATS_ARTIFACTS     = "gs://${google_storage_bucket.report.name}/dbt"
            # A step ends before the execution does, so that the job can name it.
            PULLSTATS_STEP_MINUTES = tostring(var.timeout_minutes - 1)
            PULLSTATS_VARS = jsonencode(merge(
              # An execution that is stopped at its timeout must not hold up the next one.
              { build_lock_minutes = var.timeout_minutes + 5 },
              length(var.artifact_registry_projects) == 0 ? {} : { audit_log_has_blobs = var.audit_blobs },
              local.audit_to_bigquery ? { audit_sink_dataset = local.audit_dataset } : {},
            ))
          }
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [
    google_bigquery_dataset_iam_policy.all,
    google_project_iam_member.job,
    google_storage_bucket_iam_member.archives,
    google_storage_bucket_iam_policy.all,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  name     = google_cloud_run_v2_job.pullstats.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.scheduler.email}"
}

resource "google_cloud_scheduler_job" "pullstats" {
  name        = local.name
  region      = var.region
  description = "Starts the Cloud Run job ${local.name}"
  schedule    = var.every_hours == 24 ? "30 0 * * *" : "30 */${var.every_hours} * * *"
  time_zone   = "Etc/UTC"
  paused      = var.paused

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${google_cloud_run_v2_job.pullstats.name}:run"
    oauth_token {
      service_account_email = google_service_account.scheduler.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.scheduler]
}
