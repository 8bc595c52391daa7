# APIs and the two service accounts. Nothing here has a key.

locals {
  name = "pullstats"
  services = concat(
    [
      "bigquery.googleapis.com",
      "cloudscheduler.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "run.googleapis.com",
      "storage.googleapis.com",
    ],
    var.billing_account == null ? [] : ["billingbudgets.googleapis.com"],
    var.daily_query_gib == null ? [] : ["cloudquotas.googleapis.com"],
  )
  job = "serviceAccount:${google_service_account.job.email}"
}

resource "google_project_service" "required" {
  for_each           = toset(local.services)
  service            = each.value
  disable_on_destroy = false
}

resource "google_service_account" "job" {
  account_id   = local.name
  display_name = "pullstats: loads logs and builds the models"
  depends_on   = [google_project_service.required]
}

resource "google_service_account" "scheduler" {
  account_id   = "${local.name}-scheduler"
  display_name = "pullstats: starts the job"
  depends_on   = [google_project_service.required]
}

# bigquery.user rather than bigquery.jobUser: the loader and dbt run `create schema if not exists`,
# which asks for the permission even where the dataset exists.
resource "google_project_iam_member" "job" {
  project = var.project
  role    = "roles/bigquery.user"
  member  = local.job
}

# What docs/runbook.md asks of a maintainer; the table of docs/deploy.md has the commands.
resource "google_project_iam_member" "maintainers" {
  for_each = {
    for pair in setproduct(var.maintainers, ["bigquery.jobUser", "cloudscheduler.viewer", "logging.viewer", "run.viewer"]) :
    join(" ", pair) => { member = pair[0], role = "roles/${pair[1]}" }
  }
  project = var.project
  role    = each.value.role
  member  = each.value.member
}

resource "google_cloud_run_v2_job_iam_member" "maintainers" {
  for_each = toset(var.maintainers)
  name     = google_cloud_run_v2_job.pullstats.name
  location = var.region
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = each.value
}
