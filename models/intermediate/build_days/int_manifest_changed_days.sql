{{ config(post_hook="{{ publish_days() }}") }}
{%- set since, day_before = last_change(
    ref('pullstats', 'int_build_days'),
    ref('pullstats', 'int_manifest_configs'),
    changed_at='changed_at',
    first_day='first_vote_date',
) %}
with

manifests as (

    select manifest_digest from {{ ref('pullstats', 'int_manifest_configs') }}
    where changed_at > {{ timestamp_literal(since) }}

),

fetches as (

    select * from {{ ref('pullstats', 'int_manifest_fetches') }}
    where session_date >= {{ date_literal(day_before) }}

)

select distinct
    'manifests' as log_source,
    fetches.session_date as changed_date
from manifests
inner join fetches on manifests.manifest_digest = fetches.manifest_digest
