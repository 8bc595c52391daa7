{{ config(
    materialized='incremental',
    unique_key='pull_date',
    partition_by=by_day('pull_date'),
    cluster_by=['image', 'traffic_class'],
    meta={'restates': {
        'gcs_usage': [-1, 2],
        'cloud_audit': [-2, 10],
        'blobs': [0, 1],
        'manifests': [0, 1],
    }},
) }}
{%- set restated = restated_days('int_changed_days') %}
with

image_pulls as (

    select * from {{ ref('pullstats', 'fct_image_pulls') }}
    where {{ is_restated('pull_date', restated) }}

),

known_tools as (

    select tool from {{ ref('pullstats', 'user_agents') }}
    union distinct
    select 'none' as tool

),

-- a fetch belongs to the session that began on its day or on the day before
checks as (

    select * from {{ ref('pullstats', 'int_image_fetches') }}
    where
        fetch_kind = 'check'
        and {{ is_restated('session_date', restated, before=1) }}
        and {{ is_restated('fetch_date', restated) }}

),

asked as (

    select
        log_source,
        resource_name,
        registry_host,
        project_id,
        image_name,
        image,
        traffic_class,
        client_tool,
        client_id,
        client_network,
        is_complete,
        not is_complete as is_incomplete,
        is_complete and count_confidence = 'ambiguous' as is_ambiguous,
        false as is_check,
        served_bytes,
        egress_cost_nanos,
        pull_date
    from image_pulls
    union all
    select
        log_source,
        resource_name,
        {{ image_host('image') }} as registry_host,
        {{ image_project('image') }} as project_id,
        {{ image_name('image') }} as image_name,
        image,
        traffic_class,
        client_tool,
        cast(null as string) as client_id,
        cast(null as string) as client_network,
        false as is_complete,
        false as is_incomplete,
        false as is_ambiguous,
        true as is_check,
        cast(null as int64) as served_bytes,
        cast(null as int64) as egress_cost_nanos,
        fetch_date as pull_date
    from checks

),

-- a client can send any user agent, so the number of names in a day is limited
named_tools as (

    select
        asked.log_source,
        asked.pull_date,
        asked.client_tool
    from asked
    left join known_tools on asked.client_tool = known_tools.tool
    group by asked.log_source, asked.pull_date, asked.client_tool
    qualify
        max(known_tools.tool) is not null
        or row_number() over (
            partition by asked.log_source, asked.pull_date
            order by count(*) desc, asked.client_tool asc
        ) <= {{ var('max_names_a_day') }}

)

select
    asked.log_source,
    asked.resource_name,
    asked.registry_host,
    asked.project_id,
    asked.image_name,
    asked.image,
    asked.traffic_class,
    coalesce(named_tools.client_tool, 'other') as client_tool,
    {{ count_if('asked.is_complete') }} as pulls,
    {{ count_if("asked.is_complete and asked.traffic_class = 'end_user'") }}
        as end_user_pulls,
    {{ count_if('asked.is_incomplete') }} as incomplete_pulls,
    {{ count_if('asked.is_ambiguous') }} as ambiguous_pulls,
    {{ count_if('asked.is_check') }} as checks,
    count(distinct asked.client_id) as clients,
    count(distinct asked.client_network) as client_networks,
    {{ sum_of('asked.served_bytes') }} as served_bytes,
    {{ sum_of('asked.egress_cost_nanos') }} as egress_cost_nanos,
    asked.pull_date
from asked
left join named_tools
    on
        asked.log_source = named_tools.log_source
        and asked.pull_date = named_tools.pull_date
        and asked.client_tool = named_tools.client_tool
group by
    asked.log_source, asked.resource_name, asked.registry_host, asked.project_id,
    asked.image_name, asked.image, asked.traffic_class,
    coalesce(named_tools.client_tool, 'other'), asked.pull_date
