-- Which networks and clients pull most, of all images or of the variable `image`?
select
    client_network,
    client_id,
    client_tool,
    {{ count_if('is_complete') }} as pulls,
    count(distinct image) as images,
    sum(served_bytes) as served_bytes
from {{ ref('pullstats', 'fct_image_pulls') }}
{% if var('image', none) %}
where image = '{{ var("image") }}'
{% endif %}
group by client_network, client_id, client_tool
order by pulls desc
