{{ config(enabled='gcs_usage' in logs()) }}
with

reads as (

    select
        image,
        count(*) as blob_reads
    from {{ ref('pullstats', 'int_gcs_requests') }}
    where
        operation = 'read'
        and image is not null
    group by image

)

select
    reads.image,
    reads.blob_reads,
    coalesce(dim_images.pulls, 0) as pulls
from reads
left join {{ ref('pullstats', 'dim_images') }} as dim_images on reads.image = dim_images.image
order by reads.blob_reads desc
