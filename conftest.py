"""Fixtures that both test packages share, and how tests are spread over processes."""

pytest_plugins = ["integration_tests.project"]
