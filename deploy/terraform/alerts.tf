# Each alert has an entry in docs/runbook.md: what it means, what to run.

locals {
  # By the `problem` of the line that deploy/job.py writes.
  log_alerts = {
    build_failed     = "pullstats: the job failed"
    objects_rejected = "pullstats: log objects were rejected"
    logs_missing     = "pullstats: no new logs"
    tests_warned     = "pullstats: the data may be incomplete"
  }
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
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
    content   = "$${log.extracted_label.message}\n\nSee \"${each.key}\" under Alerts in docs/runbook.md."
    mime_type = "text/markdown"
  }
  notification_channels = local.channels
}

# What writes no line: a schedule that is off, an execution that was killed or timed out.
resource "google_monitoring_alert_policy" "no_success" {
  display_name = "pullstats: no successful execution"
  combiner     = "OR"
  user_labels  = var.labels

  conditions {
    display_name = "no successful execution for ${var.max_hours_without_success} hours"
    condition_absent {
      duration = "${var.max_hours_without_success * 3600}s"
      filter = join(" AND ", [
        "resource.type=\"cloud_run_job\"",
        "resource.labels.job_name=\"${google_cloud_run_v2_job.pullstats.name}\"",
        "metric.type=\"run.googleapis.com/job/completed_execution_count\"",
        "metric.labels.result=\"succeeded\"",
      ])
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }
  documentation {
    content   = "See \"no_success\" under Alerts in docs/runbook.md."
    mime_type = "text/markdown"
  }
  notification_channels = local.channels
}
