{{ config(post_hook="{{ publish_days() }}") }}
{%- set since = last_finish(ref('pullstats', 'int_build_days')) %}
{%- set union_all = joiner('union all') %}
{%- if 'gcs_usage' in logs() %}
{%- set blobs = ref('pullstats', 'int_blobs') %}
{%- set changed_at = 'greatest(blobs.changed_at, blobs.image_changed_at)' %}
{%- set first_day = 'cast(' ~ micros_to_timestamp('blobs.first_read_micros') ~ ' as date)' %}
{%- set first_read = day_before_change(blobs ~ ' as blobs', since, changed_at, first_day) %}
{{ union_all() }}
select distinct
    'blobs' as log_source,
    reads.activity_date as changed_date
from {{ blobs }} as blobs
inner join {{ ref('pullstats', 'int_blob_votes_daily') }} as reads
    on
        blobs.bucket_name = reads.bucket_name
        and blobs.digest = reads.digest
where
    reads.activity_date >= {{ first_read }}
    and {{ changed_at }} > {{ timestamp_literal(since) }}
    -- a request that names its image does not need the blob's
    and (blobs.changed_at > {{ timestamp_literal(since) }} or reads.image is null)
{%- endif %}
{%- if 'cloud_audit' in logs() %}
{%- set configs = ref('pullstats', 'int_manifest_configs') %}
{%- set first_fetch = day_before_change(configs, since, 'changed_at', 'first_vote_date') %}
{{ union_all() }}
select distinct
    'manifests' as log_source,
    fetches.session_date as changed_date
from {{ configs }} as configs
inner join {{ ref('pullstats', 'int_manifest_fetches') }} as fetches
    on configs.manifest_digest = fetches.manifest_digest
where
    fetches.session_date >= {{ first_fetch }}
    and configs.changed_at > {{ timestamp_literal(since) }}
{%- endif %}
