{{ config(materialized='view') }}
with

read_images as (

    select distinct
        bucket_name,
        digest,
        registry_host,
        image_path
    from {{ ref('int_blobs_read_daily') }}
    where
        run_count > 0
        and image_path is not null

),

-- a registry that is not Google's has the bucket to which its referers lead
hosts as (

    select
        registry_host,
        {{ only_value('bucket_name') }} as bucket_name
    from read_images
    group by registry_host

),

typed as (

    select
        *,
        {{ listed_blob_kind('blob_role', 'media_type') }} as blob_kind
    from {{ ref('stg_registry__manifest_blobs') }}

),

-- signatures and attestations look like images but for the type of their layers
judged as (

    select
        *,
        max(case when blob_kind = 'artifact' then 1 else 0 end) over (
            partition by registry_host, image_path, manifest_digest
        ) = 1 as is_of_artifact
    from typed

),

united as (

    select
        *,
        true as is_referred,
        cast(null as string) as listed_kind,
        cast(null as int64) as listed_bytes
    from read_images
    union all
    select
        coalesce(
            {{ registry_bucket('judged.registry_host', 'judged.image_path') }},
            hosts.bucket_name,
            'no bucket'
        ) as bucket_name,
        judged.digest,
        judged.registry_host,
        judged.image_path,
        false as is_referred,
        case when judged.is_of_artifact then 'artifact' else judged.blob_kind end as listed_kind,
        judged.size_bytes as listed_bytes
    from judged
    left join hosts on judged.registry_host = hosts.registry_host

)

-- of two kinds the later in the alphabet wins: a blob of an image, whatever else uses it
select
    bucket_name,
    digest,
    registry_host,
    image_path,
    max(case when is_referred then 1 else 0 end) = 1 as is_referred,
    max(listed_kind) as listed_kind,
    max(listed_bytes) as listed_bytes
from united
group by bucket_name, digest, registry_host, image_path
