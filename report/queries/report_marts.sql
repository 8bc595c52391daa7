-- Which of the marts that the report reads have been built?
{%- set marts = [
    'dim_images', 'fct_bucket_storage_daily', 'fct_image_pulls', 'fct_image_pulls_by_period',
    'fct_image_pushes', 'fct_log_hours', 'fct_registry_requests_daily',
] %}
{%- for mart in marts %}
select
    '{{ mart }}' as mart,
    {{ 'true' if relation_exists(ref(mart)) else 'false' }} as is_built
{{ 'union all' if not loop.last }}
{%- endfor %}
