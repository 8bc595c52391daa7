# docs/alerts.md shows what each alert means and what to run.

locals {
  # By the `problem` of the line that deploy/job.py writes.
  log_alerts = {
    build_failed     = "pullstats: the job failed"
    build_stopped    = "pullstats: the job was stopped"
    objects_rejected = "pullstats: log objects were rejected"
    logs_missing     = "pullstats: no new logs"
    tests_warned     = "pullstats: the data may be incomplete"
  }
  # From one success to the next it may take the time between two runs and the whole time of an execution.
  hours_without_success = coalesce(var.max_hours_without_success, ceil(var.every_hours + var.timeout_minutes / 60) + 1)
  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    var.notification_channels,
  )
  successes = join("", [
    "run_googleapis_com:job_completed_execution_count{",
    "monitored_resource=\"cloud_run_job\", job_name=\"${google_cloud_run_v2_job.pullstats.name}\", result=\"succeeded\"}",
  ])
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = toset(var.alert_emails)
  display_name = "pullstats: ${each.value}"
  type         = "email"
  labels = {
    email_address = each.value
  }
  depends_on = [google_project_service.required]
}

resource "google_monitoring_alert_policy" "log" {
  for_each     = local.log_alerts
  display_name = each.value
  combiner     = "OR"
  user_labels  = var.labels

  conditions {
    display_name = each.value
    condition_matched_log {
      filter = join(" AND ", [
        "resource.type=\"cloud_run_job\"",
        "resource.labels.job_name=\"${google_cloud_run_v2_job.pullstats.name}\"",
        "jsonPayload.problem=\"${each.key}\"",
      ])
      label_extractors = {
        message = "EXTRACT(jsonPayload.message)"
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
  documentation {
    content   = "$${log.extracted_label.message}\n\nSee \"${each.key}\" in docs/alerts.md."
    mime_type = "text/markdown"
  }
  notification_channels = local.channels
}

# A schedule that is off, and an execution that was killed or ran out of memory, write no line. The
# metric has a point for each success and no other. The query is true when the last one of 60 days is
# too long ago, and so never before the first one. A metric-absence condition ends at 23.5 hours, less
# than a daily job needs.
resource "google_monitoring_alert_policy" "no_success" {
  display_name = "pullstats: no successful execution"
  combiner     = "OR"
  user_labels  = var.labels

  conditions {
    display_name = "no successful execution for ${local.hours_without_success} hours"
    condition_prometheus_query_language {
      query               = "sum(count_over_time(${local.successes}[60d])) unless sum(count_over_time(${local.successes}[${local.hours_without_success}h]))"
      evaluation_interval = "300s"
      # The metric doesn't exist before the first execution.
      disable_metric_validation = true
    }
  }
  documentation {
    content   = "See \"no_success\" in docs/alerts.md."
    mime_type = "text/markdown"
  }
  notification_channels = local.channels
}
