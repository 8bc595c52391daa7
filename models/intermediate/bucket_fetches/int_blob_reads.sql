{{ config(
    enabled='gcs_usage' in logs(),
    materialized='incremental',
    unique_key='session_date',
    partition_by=by_day('session_date'),
    cluster_by=['bucket_name', 'image'],
    meta={'restates': {'gcs_usage': [-1, 1]}},
) }}
{%- set restated = restated_days() %}
{%- set of_program = 'partition by program_key order by started_micros, session_id' %}
{%- set of_crowd = 'partition by program_key, crowd_micros' %}
{%- set before = 'rows between unbounded preceding and 1 preceding' %}
{%- set so_far = 'rows between unbounded preceding and current row' %}
{%- set together_micros = var('index_read_seconds') * 1000000 %}
with

requests as {{ materialized_cte(false) }}

    select * from {{ ref('pullstats', 'int_gcs_requests') }}
    where {{ is_restated('event_date', restated, before=1, after=1) }}

),

reads as (

    select
        client_id,
        client_network,
        client_tool,
        client_version,
        traffic_class,
        bucket_name,
        image,
        digest,
        status_code,
        case when status_code in (200, 206) then response_bytes else 0 end as served_bytes,
        started_micros,
        {{ ended_micros('started_micros', 'duration_micros') }} as ended_micros
    from requests
    where
        operation = 'read'
        and object_kind = 'blob'

),

sessions as {{ materialized_cte() }}

    {{ sessionize(
        'reads',
        of=[
            'client_id', 'client_tool', 'client_version', 'traffic_class', 'bucket_name', 'image',
        ],
        gap_seconds=var('pull_session_gap_seconds')
    ) }}

),

programs as (

    select
        session_id,
        {{ fingerprint([
            'any_value(bucket_name)', 'any_value(image)', 'any_value(client_tool)',
            'any_value(client_version)',
        ]) }} as program_key,
        any_value(image) as image,
        any_value(client_id) as client_id,
        any_value(client_network) as client_network,
        any_value(traffic_class) as traffic_class,
        any_value(session_started_micros) as session_started_micros,
        min(started_micros) as started_micros,
        max(ended_micros) as ended_micros
    from sessions
    where served_bytes > 0
    group by session_id

),

after_others as (

    select
        *,
        max(ended_micros) over ({{ of_program }} {{ before }}) as others_ended_micros
    from programs

),

-- sessions of one program that follow each other within seconds
in_crowds as (

    select
        *,
        max(case
            when
                coalesce(started_micros > others_ended_micros + {{ together_micros }}, true)
                then started_micros
        end) over ({{ of_program }} {{ so_far }}) as crowd_micros
    from after_others

),

members as {{ materialized_cte() }}

    select
        *,
        first_value(session_id) over ({{ of_crowd }} order by started_micros, session_id)
            as first_session_id
    from in_crowds
    where image is not null
    qualify
        count(*) over ({{ of_crowd }}) between 2 and 16
        and max(ended_micros) over ({{ of_crowd }}) < crowd_micros + 3600000000

),

blobs_of_members as (

    select
        members.first_session_id,
        members.session_id,
        sessions.digest,
        {{ sum_of('sessions.served_bytes') }} as served_bytes,
        min(sessions.started_micros) as started_micros
    from members
    inner join sessions on members.session_id = sessions.session_id
    where sessions.served_bytes > 0
    group by members.first_session_id, members.session_id, sessions.digest

),

compared as (

    select
        first_session_id,
        digest,
        served_bytes,
        first_value(served_bytes) over (
            partition by first_session_id order by started_micros, served_bytes
        ) as first_bytes,
        row_number() over (partition by session_id order by started_micros, served_bytes, digest)
        = 1 as is_first_of_session,
        count(*) over (partition by session_id) as blobs_of_session
    from blobs_of_members

),

blobs_of_crowds as (

    select
        first_session_id,
        digest,
        count(*) as session_count,
        {{ count_if('is_first_of_session') }} as first_count,
        max(case when is_first_of_session then served_bytes end) as first_blob_bytes,
        {{ count_if(
            'is_first_of_session and abs(served_bytes - first_bytes) <= '
            ~ integer_divide('first_bytes', 10)
        ) }} as alike_count,
        max(blobs_of_session) as most_blobs_of_session
    from compared
    group by first_session_id, digest

),

-- one of the clients that pull for themselves reads all that the others read, or they begin with a
-- config, which nobody reads later than first
clients_apart as (

    select first_session_id
    from blobs_of_crowds
    group by first_session_id
    having
        sum(alike_count) = sum(first_count)
        or max(most_blobs_of_session) = count(*)
        or (
            max(first_blob_bytes) <= {{ var('config_usual_bytes') }}
            and (sum(alike_count) > 1 or max(session_count) > 1)
            and {{ count_if('first_count between 1 and session_count - 1') }} = 0
        )

),

-- one client that reads through a pool of addresses
pools as (

    select
        members.session_id,
        firsts.session_id as pool_session_id,
        firsts.client_id as pool_client_id,
        firsts.client_network as pool_client_network,
        firsts.traffic_class as pool_traffic_class,
        firsts.session_started_micros as pool_started_micros
    from members
    inner join members as firsts on members.first_session_id = firsts.session_id
    left join clients_apart on members.first_session_id = clients_apart.first_session_id
    where clients_apart.first_session_id is null

),

numbered as (

    select
        coalesce(pools.pool_session_id, sessions.session_id) as session_id,
        coalesce(pools.pool_client_id, sessions.client_id) as client_id,
        coalesce(pools.pool_client_network, sessions.client_network) as client_network,
        sessions.client_tool,
        sessions.client_version,
        coalesce(pools.pool_traffic_class, sessions.traffic_class) as traffic_class,
        sessions.bucket_name,
        sessions.image,
        sessions.digest,
        sessions.status_code,
        sessions.served_bytes,
        sessions.started_micros,
        sessions.ended_micros,
        coalesce(pools.pool_started_micros, sessions.burst_started_micros) as burst_started_micros,
        cast({{ micros_to_timestamp(
            'coalesce(pools.pool_started_micros, sessions.session_started_micros)'
        ) }} as date) as session_date
    from sessions
    left join pools on sessions.session_id = pools.session_id

)

select * from numbered
where {{ is_restated('session_date', restated) }}
