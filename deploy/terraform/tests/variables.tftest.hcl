# Values that would fail late, or never, are refused at once.

mock_provider "google" {}

variables {
  project = "my-project"
  image   = "us-central1-docker.pkg.dev/my-project/pullstats/pullstats:0.1.0"
}

run "refused" {
  command = plan
  variables {
    project                   = "My Project"
    image                     = "pullstats"
    location                  = "Europe"
    region                    = "EU"
    timeout_minutes           = 5
    archives                  = ["/logs"]
    usage_days                = 500
    audit_sink                = "pubsub"
    readers                   = ["allUsers"]
    maintainers               = ["domain:example.com"]
    max_hours_without_success = 48
  }
  expect_failures = [
    var.project, var.image, var.location, var.region, var.timeout_minutes, var.archives,
    var.usage_days, var.audit_sink, var.readers, var.maintainers, var.max_hours_without_success,
  ]
}

run "by_digest" {
  command = plan
  variables {
    image = "europe-west1-docker.pkg.dev/my-project/pullstats/pullstats@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}
