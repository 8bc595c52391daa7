# Everything that is an option, on.

mock_provider "google" {}

override_resource {
  target = google_service_account.job
  values = { email = "pullstats@my-project.iam.gserviceaccount.com" }
}

override_resource {
  target = google_logging_project_sink.artifact_registry
  values = { writer_identity = "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com" }
}

override_data {
  target = data.google_project.this
  values = { number = "1" }
}

variables {
  project                    = "my-project"
  location                   = "EU"
  region                     = "europe-west1"
  image                      = "europe-west1-docker.pkg.dev/my-project/pullstats/pullstats:0.1.0"
  archives                   = ["gs://old-logs/2019"]
  artifact_registry_projects = ["my-project", "other-project"]
  readers                    = ["group:readers@example.com"]
  maintainers                = ["group:maintainers@example.com"]
  alert_emails               = ["platform@example.com"]
  notification_channels      = ["projects/my-project/notificationChannels/1"]
  cpu                        = 2
  memory_gib                 = 8
  daily_query_gib            = 200
  billing_account            = "000000-000000-000000"
}

run "audit_logs_to_bigquery" {
  assert {
    condition = alltrue([
      for policy in concat(values(google_monitoring_alert_policy.log), [google_monitoring_alert_policy.no_success]) :
      length(policy.notification_channels) == 2
    ])
    error_message = "Each alert must go to all channels."
  }
  assert {
    condition     = google_cloud_run_v2_job.pullstats.template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "2", memory = "8Gi" })
    error_message = "The job must have the CPUs and memory that were asked for."
  }
  assert {
    condition     = join(" ", local.fresh_sources) == "source:gcs.usage source:audit_sink"
    error_message = "A sink that falls silent must be an alert."
  }
  assert {
    condition = jsondecode({
      for env in google_cloud_run_v2_job.pullstats.template[0].template[0].containers[0].env : env.name => env.value
      }["PULLSTATS_VARS"]) == {
      audit_log_has_blobs = true
      audit_sink_dataset  = "artifact_registry_logs"
      build_lock_minutes  = 50
    }
    error_message = "dbt must know the sink's dataset, and give up its lock before the next execution."
  }
  assert {
    condition = alltrue([
      for project in ["my-project", "other-project"] :
      toset(google_project_iam_audit_config.artifact_registry[project].audit_log_config[*].log_type) == toset(["DATA_READ", "DATA_WRITE"])
    ])
    error_message = "Reads and writes must be logged in each project."
  }
  assert {
    condition = (
      google_logging_project_sink.artifact_registry["other-project"].destination
      == "bigquery.googleapis.com/projects/my-project/datasets/artifact_registry_logs"
    )
    error_message = "All sinks must lead into the one dataset."
  }
  assert {
    condition     = google_logging_project_sink.artifact_registry["my-project"].bigquery_options[0].use_partitioned_tables
    error_message = "The sink's table must be partitioned, not sharded."
  }
  assert {
    condition     = strcontains(google_bigquery_dataset_iam_policy.all["artifact_registry_logs"].policy_data, "gcp-sa-logging")
    error_message = "The sink must be able to write."
  }
  assert {
    condition     = length(google_logging_project_exclusion.artifact_registry) == 2
    error_message = "Entries must not be stored, and billed, twice."
  }
  assert {
    condition     = google_cloud_quotas_quota_preference.daily_query[0].quota_config[0].preferred_value == "204800"
    error_message = "The quota is in MiB."
  }
  assert {
    condition     = toset(google_billing_budget.bigquery[0].threshold_rules[*].threshold_percent) == toset([0.5, 0.9, 1])
    error_message = "The budget must warn before it is spent."
  }
  assert {
    condition     = length(google_storage_bucket_iam_member.archives) == 2
    error_message = "The job must be able to read the archive's bucket."
  }
}

run "audit_logs_to_storage" {
  variables {
    audit_sink       = "storage"
    audit_blobs      = false
    audit_in_default = true
  }
  assert {
    condition     = join(" ", local.fresh_sources) == "source:gcs.usage source:artifact_registry"
    error_message = "A sink that falls silent must be an alert."
  }
  assert {
    condition     = google_logging_project_sink.artifact_registry["my-project"].destination == "storage.googleapis.com/my-project-registry-logs"
    error_message = "Objects must land in the log bucket, where the job looks."
  }
  assert {
    condition     = strcontains(google_storage_bucket_iam_policy.all["logs"].policy_data, "gcp-sa-logging")
    error_message = "The sink must be able to write."
  }
  assert {
    condition     = strcontains(google_logging_project_sink.artifact_registry["my-project"].filter, "NOT protoPayload.methodName=\"Docker-ServeBlob\"")
    error_message = "Entries of blobs must stay out."
  }
  assert {
    condition     = length(google_logging_project_exclusion.artifact_registry) == 0 && !contains(keys(google_bigquery_dataset.all), "artifact_registry_logs")
    error_message = "Neither exclusion nor dataset is asked for."
  }
}
