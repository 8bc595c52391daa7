{{ config(severity='warn') }}
-- If a config turns out to be a layer, or the reverse, pulls of past days count in another way.
-- Clients that lie, or programs that read in an odd order, cause this. An inventory of the registry
-- decides.
{%- set since = run_started_at - modules.datetime.timedelta(days=var('test_lookback_days')) %}
select
    bucket_name,
    digest,
    image,
    former_blob_kind,
    blob_kind,
    blob_kind_source,
    kind_changed_at,
    'the kind of the blob changed' as reason
from {{ ref('pullstats', 'int_blobs') }}
where
    former_blob_kind != 'unknown'
    and kind_changed_at >= {{ timestamp_literal(since.strftime('%Y-%m-%d %H:%M:%S')) }}
