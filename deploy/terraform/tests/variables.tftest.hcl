# Values that would fail late, or never, are refused at once.

mock_provider "google" {}

variables {
  project = "my-project"
  image   = "us-central1-docker.pkg.dev/my-project/pullstats/pullstats:0.1.0"
}

run "refused" {
  command = plan
  variables {
    project               = "My Project"
    image                 = "pullstats"
    location              = "Europe"
    region                = "EU"
    timeout_minutes       = 5
    archives              = ["/logs"]
    usage_days            = 500
    audit_sink            = "pubsub"
    readers               = ["allUsers"]
    maintainers           = ["domain:example.com"]
    notification_channels = ["slack"]
    cpu                   = 3
  }
  expect_failures = [
    var.project, var.image, var.location, var.region, var.timeout_minutes, var.archives,
    var.usage_days, var.audit_sink, var.readers, var.maintainers, var.notification_channels,
    var.cpu,
  ]
}

# Pairs of variables that must agree.

run "refused_for_every_six_hours" {
  command = plan
  variables {
    every_hours               = 6
    max_hours_without_success = 6
  }
  expect_failures = [var.max_hours_without_success]
}

run "refused_for_a_daily_job" {
  command = plan
  variables {
    every_hours               = 24
    max_hours_without_success = 24
  }
  expect_failures = [var.max_hours_without_success]
}

run "refused_as_logs_expire_before_they_are_read" {
  command = plan
  variables {
    log_bucket_days = 4
    usage_days      = 4
    audit_days      = 4
    daily_query_gib = 0
  }
  expect_failures = [var.log_bucket_days, var.usage_days, var.audit_days, var.daily_query_gib]
}

run "refused_as_executions_would_meet" {
  command = plan
  variables {
    timeout_minutes = 55
  }
  expect_failures = [var.timeout_minutes]
}

run "refused_hours_that_do_not_divide_a_day" {
  command = plan
  variables {
    every_hours = 5
  }
  expect_failures = [var.every_hours]
}

run "refused_memory_for_one_cpu" {
  command = plan
  variables {
    memory_gib = 8
  }
  expect_failures = [var.memory_gib]
}

run "refused_freshness_of_an_unknown_source" {
  command = plan
  variables {
    fresh_sources = ["source:gcs.usages"]
  }
  expect_failures = [var.fresh_sources]
}

run "refused_freshness_of_a_sink_that_is_not_there" {
  command = plan
  variables {
    fresh_sources              = ["source:artifact_registry"]
    artifact_registry_projects = ["my-project"]
  }
  expect_failures = [var.fresh_sources]
}

run "by_digest" {
  command = plan
  variables {
    image = "europe-west1-docker.pkg.dev/my-project/pullstats/pullstats@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}
