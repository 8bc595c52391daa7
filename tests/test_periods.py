"""Each period, image level and client level has all its pulls, and each client once."""

from itertools import product

import pytest

from tests.conftest import Project

STARTS = {
    "day": "pull_date",
    "week": "date_trunc('week', pull_date)::date",
    "month": "date_trunc('month', pull_date)::date",
    "all": "null::date",
    **{f"last_{n}_days": f"(select max(pull_date) from pulls) - {n - 1}" for n in (7, 30, 90)},
}
IMAGE_LEVELS = {
    "all": [],
    "host": ["registry_host"],
    "project": ["registry_host", "project_id"],
    "image": ["registry_host", "project_id", "image"],
}
CLIENT_LEVELS = {"all": [], "class": ["traffic_class"], "tool": ["traffic_class", "client_tool"]}


def columns(named: list[str], all_of_them: list[str]) -> str:
    return ", ".join(name if name in named else "null" for name in all_of_them)


@pytest.mark.parametrize("period", STARTS)
def test_a_period_counts_what_is_in_it(period: str, examples: Project) -> None:
    found = examples.query(
        f"from pullstats.fct_image_pulls_by_period where period = '{period}' order by all"
    )
    counted = [
        f"select '{period}', '{image_level}', {columns(image_columns, IMAGE_LEVELS['image'])},"
        f" '{client_level}', {columns(client_columns, CLIENT_LEVELS['tool'])},"
        " count_if(is_complete), count_if(is_complete and traffic_class = 'end_user'),"
        " count_if(not is_complete), count(distinct client_id),"
        " count(distinct case when traffic_class = 'end_user' then client_id end),"
        f" sum(served_bytes)::bigint, {STARTS[period]} as start from pulls"
        f" where {'pull_date >= start' if period.startswith('last') else 'true'} group by all"
        for (image_level, image_columns), (client_level, client_columns) in product(
            IMAGE_LEVELS.items(), CLIENT_LEVELS.items()
        )
    ]
    expected = examples.query(
        f"with pulls as (from pullstats.fct_image_pulls) {' union all '.join(counted)} order by all"
    )
    assert len(found) > len(counted)
    assert found == expected
