{{ config(severity='warn') }}
-- Many ambiguous pulls make the count doubtful. To fix this, list the registry with
-- `pullstats inventory`, which shows the configs, or describe the client's tool in
-- seeds/client_tools.csv. Days with fewer than 20 pulls of a resource are left out, because single
-- pulls decide there.
{%- set least = 20 %}
select
    log_source,
    resource_name,
    pull_date,
    sum(pulls) as complete_pulls,
    sum(ambiguous_pulls) as complete_ambiguous_pulls,
    'more than {{ var('max_ambiguous_percent') }} % of {{ least }} pulls or more are ambiguous'
        as reason
from {{ ref('pullstats', 'fct_image_pulls_daily') }}
where {{ tested('pull_date') }}
group by log_source, resource_name, pull_date
having
    sum(pulls) >= {{ least }}
    and sum(ambiguous_pulls) * 100 > sum(pulls) * {{ var('max_ambiguous_percent') }}
