# What a deployment with nothing but a project and an image gets.
# Mocks need the provider's schema and no account.

mock_provider "google" {}

override_resource {
  target = google_service_account.job
  values = { email = "pullstats@my-project.iam.gserviceaccount.com" }
}

override_resource {
  target = google_service_account.scheduler
  values = { email = "pullstats-scheduler@my-project.iam.gserviceaccount.com" }
}

variables {
  project = "my-project"
  image   = "us-central1-docker.pkg.dev/my-project/pullstats/pullstats:0.1.0"
}

run "defaults" {
  assert {
    condition     = strcontains(google_monitoring_alert_policy.no_success.conditions[0].condition_prometheus_query_language[0].query, "[3h]")
    error_message = "An hourly job must have had a success within three hours."
  }
  assert {
    condition     = google_storage_bucket.logs.name == "my-project-registry-logs"
    error_message = "The log bucket must have the documented name."
  }
  assert {
    condition     = strcontains(google_storage_bucket_iam_policy.all["logs"].policy_data, "group:cloud-storage-analytics@google.com")
    error_message = "Cloud Storage must be able to deliver logs."
  }
  assert {
    condition = (
      google_storage_bucket.logs.public_access_prevention == "enforced"
      && google_storage_bucket.report.public_access_prevention == "enforced"
    )
    error_message = "No bucket may ever become public."
  }
  assert {
    condition     = alltrue([for bucket in [google_storage_bucket.logs] : bucket.force_destroy != true])
    error_message = "terraform destroy must not delete logs."
  }
  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.all : dataset.delete_contents_on_destroy != true])
    error_message = "terraform destroy must not delete tables."
  }
  assert {
    condition     = google_cloud_scheduler_job.pullstats.http_target[0].oauth_token[0].service_account_email == google_service_account.scheduler.email
    error_message = "The scheduler must have an identity of its own."
  }
  assert {
    condition = alltrue([
      for policy in google_bigquery_dataset_iam_policy.all :
      !strcontains(policy.policy_data, "projectReaders") && !strcontains(policy.policy_data, "allAuthenticatedUsers")
    ])
    error_message = "No dataset may be readable for everybody in the project."
  }
  assert {
    condition = (
      length(google_logging_project_sink.artifact_registry) == 0
      && length(google_billing_budget.bigquery) == 0
      && length(google_cloud_quotas_quota_preference.daily_query) == 0
    )
    error_message = "Options must be off by default."
  }
}

run "daily" {
  variables {
    every_hours     = 24
    timeout_minutes = 120
  }
  assert {
    condition     = local.hours_without_success == 27
    error_message = "A success at 00:31 and one at 02:30 the next day must not be an alert."
  }
}
