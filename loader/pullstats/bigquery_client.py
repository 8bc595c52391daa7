"""The client of BigQuery, with the settings of the environment."""

import os
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

LABELS = {"app": "pullstats"}


def make() -> bigquery.Client:
    given = os.environ.get
    # as the client of Cloud Storage does by itself
    anonymous: Any = AnonymousCredentials
    return bigquery.Client(
        given("PULLSTATS_PROJECT"),
        anonymous() if given("BIGQUERY_EMULATOR_HOST") else None,
        location=given("PULLSTATS_LOCATION", "US"),
    )
