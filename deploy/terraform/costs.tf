# The quota refuses queries; the budget only warns. Each query's own limit is maximum_bytes_billed in
# profiles.yml.

data "google_project" "this" {
  project_id = var.project
}

resource "google_cloud_quotas_quota_preference" "daily_query" {
  count    = var.daily_query_gib == null ? 0 : 1
  name     = "pullstats-bigquery-query-usage-per-day"
  parent   = "projects/${data.google_project.this.number}"
  service  = "bigquery.googleapis.com"
  quota_id = "QueryUsagePerDay"
  quota_config {
    preferred_value = var.daily_query_gib * 1024 # MiB
  }
  # The default is 200 TiB; the API asks for a confirmation of any large decrease.
  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"
  depends_on           = [google_project_service.required]
}

resource "google_billing_budget" "bigquery" {
  count           = var.billing_account == null ? 0 : 1
  billing_account = var.billing_account
  display_name    = "pullstats: BigQuery"
  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
    services = ["services/24E6-581D-38E5"] # BigQuery
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  dynamic "all_updates_rule" {
    for_each = length(local.channels) > 0 ? [local.channels] : []
    content {
      monitoring_notification_channels = all_updates_rule.value
    }
  }
  depends_on = [google_project_service.required]
}
