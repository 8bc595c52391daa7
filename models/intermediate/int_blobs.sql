{{ config(
    post_hook="{{ record_changed_blobs(ref('int_blobs_read_daily')) }}",
) }}
{%- set restated = days_to_restate() %}
{%- set is_known = execute and not should_full_refresh() and load_cached_relation(this) %}
{{ restatement_note(restated) }}
with

reads as (

    select
        bucket_name,
        digest,
        count(distinct case when run_count > 0 then registry_host || '/' || image_path end)
            as image_count,
        min(case when run_count > 0 then registry_host end) as registry_host,
        min(case when run_count > 0 then image_path end) as image_path,
        {{ sum_of('placed_count') }} as placed_count,
        {{ sum_of('config_place_count') }} as config_place_count,
        {{ sum_of('served_bytes') }} as served_bytes,
        max(whole_bytes) as whole_bytes,
        min(first_read_micros) as first_read_micros,
        max(last_read_micros) as last_read_micros
    from {{ ref('int_blobs_read_daily') }}
    group by bucket_name, digest

),

writes as (

    select
        bucket_name,
        digest,
        max(written_bytes) as written_bytes,
        min(written_micros) as first_written_micros
    from {{ ref('int_object_writes') }}
    where object_kind = 'blob'
    group by bucket_name, digest

),

joined as (

    select
        coalesce(reads.bucket_name, writes.bucket_name) as bucket_name,
        coalesce(reads.digest, writes.digest) as digest,
        coalesce(reads.image_count, 0) as image_count,
        case when reads.image_count = 1 then reads.registry_host end as registry_host,
        case when reads.image_count = 1 then reads.image_path end as image_path,
        coalesce(reads.placed_count, 0) as placed_count,
        coalesce(reads.config_place_count, 0) as config_place_count,
        coalesce(reads.served_bytes, 0) as served_bytes,
        coalesce(reads.whole_bytes, writes.written_bytes) as size_bytes,
        writes.first_written_micros,
        reads.first_read_micros,
        reads.last_read_micros
    from reads
    full outer join writes
        on reads.bucket_name = writes.bucket_name and reads.digest = writes.digest

),

-- on the examples configs stand in their place in nine of ten runs, layers in none or a third;
-- reading a whole index puts a config out of place, only an export puts a layer into it
known as (

    select
        *,
        case
            when placed_count = 0 then 'unknown'
            when
                config_place_count * 5 > placed_count * 2
                and coalesce(size_bytes, 0) <= {{ var('config_max_bytes') }}
                then 'config'
            else 'layer'
        end as blob_kind
    from joined

)

select
    known.*,
    {% if is_known -%}
    case
        when
            {%- for fact in ['size_bytes', 'blob_kind', 'registry_host', 'image_path'] %}
            {{ 'and ' if not loop.first }}coalesce(cast(before.{{ fact }} as string), '')
            = coalesce(cast(known.{{ fact }} as string), '')
            {%- endfor %}
            then before.changed_at
        else {{ timestamp_literal(restated.read_at) }}
    end
    {%- else -%}
    {{ timestamp_literal(restated.read_at) }}
    {%- endif %} as changed_at
from known
{% if is_known %}
left join {{ this }} as before
    on known.bucket_name = before.bucket_name and known.digest = before.digest
{% endif %}
