"""Questions to BigQuery: parameters are bound, and only SELECT runs."""

import pytest

from pullstats import ask
from tests.cloud.conftest import Cloud


def test_parameters_are_bound(cloud: Cloud) -> None:
    sql = "select cast(@image as string) as image, cast(@days as int64) + 1 as days"
    types = {"image": "string", "days": "int64"}
    for image in ("it's", None):
        values: dict[str, ask.Value] = {"image": image, "days": 41}
        with ask.on_bigquery(sql, values, types) as (columns, rows):
            assert columns == ["image", "days"]
            assert list(rows) == [(image, 42)]
    job, *_ = cloud.client.list_jobs()
    asked = job.to_api_repr()["configuration"]
    assert asked["query"]["maximumBytesBilled"] == str(100 * 2**30)
    assert asked["labels"] == {"app": "pullstats"}


def test_what_is_no_select_is_refused(cloud: Cloud) -> None:
    sql = f"drop schema `{cloud.dataset}`"
    with (
        pytest.raises(ask.AskError, match="only SELECT"),
        ask.on_bigquery(sql, {}, {}),
    ):
        pass
