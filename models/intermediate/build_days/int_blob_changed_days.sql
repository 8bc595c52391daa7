{{ config(post_hook="{{ publish_days() }}") }}
{%- set since, day_before = last_change(
    ref('pullstats', 'int_build_days'),
    ref('pullstats', 'int_blobs'),
    changed_at='greatest(changed_at, image_changed_at)',
    first_day='cast(' ~ micros_to_timestamp('first_read_micros') ~ ' as date)',
) %}
with

blobs as (

    select
        bucket_name,
        digest,
        changed_at > {{ timestamp_literal(since) }} as is_changed
    from {{ ref('pullstats', 'int_blobs') }}
    where greatest(changed_at, image_changed_at) > {{ timestamp_literal(since) }}

),

-- a session may have begun on the day before
reads as (

    select * from {{ ref('pullstats', 'int_blob_votes_daily') }}
    where activity_date >= {{ date_literal(day_before) }}

)

select distinct
    'blobs' as log_source,
    reads.activity_date as changed_date
from blobs
inner join reads
    on
        blobs.bucket_name = reads.bucket_name
        and blobs.digest = reads.digest
-- a request that names its image does not need the blob's
where blobs.is_changed or reads.image is null
