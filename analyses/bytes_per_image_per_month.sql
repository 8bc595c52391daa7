-- How many bytes did pulls of each image serve per month? Set the variable `image` for one image.
select
    {{ month_of('pull_date') }} as pull_month,
    image,
    sum(served_bytes) as served_bytes,
    {{ count_if('is_complete') }} as pulls,
    count(distinct client_network) as networks
from {{ ref('pullstats', 'fct_image_pulls') }}
{% if var('image', none) %}
where image = '{{ var("image") }}'
{% endif %}
group by pull_month, image
order by pull_month asc, served_bytes desc
