{{ config(
    enabled='cloud_audit' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['image'],
    meta={'restates': {'cloud_audit': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_client = ['client_id', 'principal_id', 'image'] %}
{%- set is_get = "object_kind = 'manifest' and operation = 'read'" %}
with

requests as (

    select * from {{ ref('pullstats', 'int_artifact_registry_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

-- with the manifests: the blobs that they lead to, and the signs of a read that is no pull
reads as (

    select
        *,
        -- an answer without a digest is identified by its tag
        case when object_kind = 'manifest' then coalesce(digest, tag) else digest end
            as read_digest,
        started_micros as ended_micros
    from requests
    where
        package_format = 'docker'
        and image is not null
        and (
            object_kind = 'blob' and operation = 'read'
            or status_code = 200 and (
                object_kind = 'manifest' and operation in ('read', 'head', 'write')
                or object_kind = 'tag' and operation = 'list'
            )
        )

),

sessions as (

    {{ sessionize('reads', of=of_client, gap_seconds=var('pull_session_gap_seconds')) }}

),

numbered as (

    select
        request_key,
        session_id,
        client_id,
        principal_id,
        image,
        client_network,
        client_tool,
        client_version,
        client_class,
        traffic_class,
        principal_kind,
        resource_name,
        operation,
        object_kind,
        tag,
        read_digest as digest,
        status_code != 200 as is_refused,
        started_micros,
        cast({{ micros_to_timestamp('session_started_micros') }} as date) as session_date
    from sessions

),

-- behind a pool of addresses a program asks for a tag by one address, and for what the tag names by
-- others
parts as (

    select
        session_id,
        session_date,
        any_value(principal_id) as principal_id,
        any_value(image) as image,
        any_value(client_tool) as client_tool,
        min(started_micros) as first_micros
    from numbered
    where principal_id is not null
    group by session_id, session_date
    having
        {{ count_if("object_kind = 'blob' or " ~ is_get) }} > 0
        and {{ count_if("tag is not null or operation = 'head'") }} = 0

),

pooled_parts as (

    select
        parts.session_id,
        asked.session_id as whole_session_id,
        asked.client_id,
        asked.client_network
    from parts
    inner join numbered as asked
        on
            parts.session_date = asked.session_date
            and parts.principal_id = asked.principal_id
            and parts.image = asked.image
            and parts.client_tool = asked.client_tool
            and parts.session_id != asked.session_id
    where
        asked.object_kind = 'manifest'
        and asked.operation in ('head', 'read')
        and parts.first_micros - asked.started_micros
        between 0 and {{ var('index_read_seconds') }} * 1000000
    qualify row_number() over (
        partition by parts.session_id
        order by
            case when asked.tag is null and asked.operation = 'read' then 2 else 1 end,
            asked.started_micros desc, asked.request_key desc
    ) = 1

),

-- two clients read what they share twice
joined_parts as (

    select
        pooled_parts.session_id,
        any_value(pooled_parts.whole_session_id) as whole_session_id,
        any_value(pooled_parts.client_id) as client_id,
        any_value(pooled_parts.client_network) as client_network
    from pooled_parts
    inner join numbered as own on pooled_parts.session_id = own.session_id
    left join numbered as other
        on
            pooled_parts.whole_session_id = other.session_id
            and own.object_kind = other.object_kind
            and own.operation = other.operation
            and own.digest = other.digest
    group by pooled_parts.session_id
    having count(other.session_id) = 0

)

select
    numbered.* replace (
        coalesce(joined_parts.whole_session_id, numbered.session_id) as session_id,
        coalesce(joined_parts.client_id, numbered.client_id) as client_id,
        case
            when joined_parts.session_id is null then numbered.client_network
            else joined_parts.client_network
        end as client_network
    )
from numbered
left join joined_parts on numbered.session_id = joined_parts.session_id
where {{ is_restated('numbered.session_date', restated) }}
