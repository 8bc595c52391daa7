-- Third query of the 2019 article: when was the config of a build read? Set `image_id`.
{%- set articles_image_id
    = 'sha256:7e19786cadab9f8ac0819c12ca0cc6abdf6fe5a75b876b130b77db0f42bdedd9' %}
select
    {{ micros_to_timestamp('started_micros') }} as read_at,
    status_code,
    client_network,
    client_tool
from {{ ref('pullstats', 'int_gcs_requests') }}
where
    operation = 'read'
    and digest = '{{ var("image_id", articles_image_id) }}'
order by started_micros
