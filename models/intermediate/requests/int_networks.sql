{{ config(
    materialized='incremental',
    incremental_strategy=update_strategy(),
    unique_key='client_network',
    meta={'restates': {'gcs_usage': [0, 0], 'cloud_audit': [0, 0]}},
) }}
{%- set restated = restated_days() %}
{%- set facts = {
    'clouds': ['client_cloud', 'client_cloud_region'],
    'autonomous_systems': ['client_asn', 'client_as_organization'],
    'countries': ['client_country'],
} %}
with

requests as (

    select * from {{ ref('pullstats', 'int_registry_requests') }}
    where {{ is_restated('event_date', restated) }}

),

networks as (

    select * from {{ ref('pullstats', 'stg_networks__networks') }}

),

client_networks as (

    select
        client_network,
        {{ ip_version('client_network') }} as ip_version,
        {{ block_number('client_network') }} as block
    from (select distinct client_network from requests) as distinct_networks
    where client_network is not null

),

sizes as (

    select distinct
        ip_version,
        block_count
    from networks
    where block_count > 0

),

-- a network of n blocks begins at a multiple of n: the join needs no comparison of ranges
candidates as (

    select
        client_networks.client_network,
        client_networks.ip_version,
        client_networks.block - mod(client_networks.block, sizes.block_count) as first_block,
        sizes.block_count
    from client_networks
    inner join sizes on client_networks.ip_version = sizes.ip_version

),

matches as (

    select
        candidates.client_network,
        networks.*
    from candidates
    inner join networks
        on
            candidates.ip_version = networks.ip_version
            and candidates.first_block = networks.first_block
            and candidates.block_count = networks.block_count

),

{%- for name, columns in facts.items() %}

{{ name }} as (

    select
        client_network,
        {{ columns | join(',\n        ') }}
    from matches
    where {{ columns[0] }} is not null
    qualify row_number() over (
        partition by client_network
        order by
            block_count
            {%- for column in columns | reverse %},
            case when {{ column }} is null then 1 else 0 end,
            {{ column }}
            {%- endfor %}
    ) = 1

){{ ',' if not loop.last }}
{%- endfor %}

select
    client_networks.client_network,
    {%- for name, columns in facts.items() %}
    {%- for column in columns %}
    {{ name }}.{{ column }}{{ ',' if not (loop.last and name == 'countries') }}
    {%- endfor %}
    {%- endfor %}
from client_networks
{%- for name in facts %}
left join {{ name }} on client_networks.client_network = {{ name }}.client_network
{%- endfor %}
