{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='event_date',
    partition_by=by_day('event_date'),
    cluster_by=['bucket_name', 'object_kind'],
    full_refresh=none if var('rebuild_requests') else false,
    meta={
        'log_source': 'gcs_usage',
        'raw': 'stg_gcs__usage_logs',
        'restates': {'gcs_usage': [0, 0]},
    },
) }}
{%- set restated = restated_days() %}
{%- set parsed_columns = [
    'client_id', 'client_network', 'client_tool', 'client_version', 'client_class', 'operation',
    'object_kind', 'digest', 'tag', 'bucket_name', 'repository', 'image', 'status_code',
    'request_bytes', 'response_bytes', 'duration_micros', 'started_micros', 'event_date',
    'request_id_end', 'loaded_at',
] %}
with

logs as (

    select * from {{ ref('pullstats', 'stg_gcs__usage_logs') }}
    where
        {{ is_restated('event_date', restated) }}
        {%- if is_incremental() %}
        and loaded_at > {{ timestamp_literal(restated.loaded_after) }}
        {%- endif %}

),

records as {{ materialized_cte() }}

    select
        client_ip,
        user_agent,
        {{ referer_image('referer') }} as referer_image,
        bucket_name,
        object_name,
        coalesce(gcs_operation, http_method) as gcs_operation,
        status_code,
        coalesce(request_bytes, 0) as request_bytes,
        coalesce(response_bytes, 0) as response_bytes,
        coalesce(duration_micros, 0) as duration_micros,
        started_micros,
        event_date,
        -- enough to distinguish the requests of one microsecond
        right(gcs_request_id, 16) as request_id_end,
        loaded_at
    from logs

),

-- names and agents are parsed once per distinct value
clients as (

    {{ classified_clients('records') }}

),

objects as (

    select
        object_name,
        {{ object_kind('object_name') }} as object_kind,
        {{ object_digest('object_name') }} as digest,
        {{ object_repository('object_name') }} as repository,
        {{ valid_tag(object_tag('object_name')) }} as tag
    from (select distinct object_name from records) as distinct_objects

),

referers as (

    select
        referer_image,
        {{ valid_image(image_from_referer('referer_image')) }} as image
    from (select distinct referer_image from records) as distinct_referers

),

bucket_repositories as (

    select
        bucket_name,
        repository,
        {{ valid_image(image_from_bucket('bucket_name', 'repository')) }} as image
    from (
        select distinct
            records.bucket_name,
            objects.repository
        from records
        inner join objects on records.object_name = objects.object_name
        where objects.repository is not null
    ) as distinct_repositories

),

parsed as {{ materialized_cte(false) }}

    select
        records.*,
        clients.client_id,
        clients.client_network,
        clients.client_tool,
        clients.client_version,
        clients.client_class,
        {{ request_operation('operations.operation', 'clients.client_class') }} as operation,
        objects.object_kind,
        case when objects.object_kind in ('blob', 'manifest') then objects.digest end as digest,
        case when objects.object_kind = 'tag' then objects.tag end as tag,
        objects.repository,
        coalesce(referers.image, bucket_repositories.image) as image
    from records
    inner join objects
        on coalesce(records.object_name, '') = coalesce(objects.object_name, '')
    inner join clients
        on
            coalesce(records.client_ip, '') = coalesce(clients.client_ip, '')
            and coalesce(records.user_agent, '') = coalesce(clients.user_agent, '')
    left join {{ ref('pullstats', 'gcs_operations') }} as operations
        on records.gcs_operation = operations.cs_operation
    left join referers on records.referer_image = referers.referer_image
    left join bucket_repositories
        on
            records.bucket_name = bucket_repositories.bucket_name
            and objects.repository = bucket_repositories.repository

),

received as {{ materialized_cte(false) }}

    {{ with_kept_rows('parsed', parsed_columns, restated, read='records') }}

),

-- a record and its redelivery share their start, which few other records do
shared_starts as (

    select started_micros
    from received
    group by started_micros
    having count(*) > 1

),

compared as {{ materialized_cte(false) }}

    select
        received.*,
        shared_starts.started_micros is not null as has_shared_start
    from received
    left join shared_starts on received.started_micros = shared_starts.started_micros

)

select
    {{ parsed_columns | join(', ') }},
    false as is_redelivery
from compared
where not has_shared_start
union all
select
    {{ parsed_columns | join(', ') }},
    row_number() over (
        partition by
            started_micros, request_id_end, client_id, operation, object_kind, digest, tag,
            bucket_name, repository, status_code, request_bytes, response_bytes, duration_micros
        order by loaded_at, image nulls last
    ) > 1 as is_redelivery
from compared
where has_shared_start
