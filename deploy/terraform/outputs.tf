output "log_bucket" {
  description = "Where usage logs of a registry's bucket must go: gcloud storage buckets update gs://BUCKET --log-bucket=gs://…"
  value       = google_storage_bucket.logs.name
}

output "report" {
  description = "The report, for readers who are signed in."
  value       = "https://storage.cloud.google.com/${google_storage_bucket.report.name}/report.html"
}

output "run" {
  description = "Command that runs the job now and waits for it."
  value       = "gcloud run jobs execute ${google_cloud_run_v2_job.pullstats.name} --project=${var.project} --region=${var.region} --wait"
}

output "job_service_account" {
  description = "Identity of the job, for grants in other projects."
  value       = google_service_account.job.email
}
