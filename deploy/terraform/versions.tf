terraform {
  required_version = ">= 1.9"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # Budgets and quotas refuse a user's credentials without a project that pays for the request.
  billing_project       = var.project
  user_project_override = true
}
