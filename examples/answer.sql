-- Who pulls which image? (complete pulls; sample logs of two companies, six days each)
select
    image,
    pulls,
    end_user_pulls as by_end_users,
    clients,
    served_bytes as bytes,
    last_pulled_at::timestamp(0)::varchar as last_pulled_utc
from dim_images
order by pulls desc, image
limit 10;

-- One image over its migration from Container Registry to Artifact Registry
select
    pull_date,
    log_source,
    sum(pulls)::bigint as pulls,
    sum(checks)::bigint as checks,
    sum(served_bytes)::bigint as bytes
from fct_image_pulls_daily
where image = 'gcr.io/acme-shop/storefront'
group by pull_date, log_source
order by pull_date, log_source desc;

-- Tags that were asked for most (Artifact Registry's log knows them)
select
    image,
    tag,
    tag_pulls as pulls,
    checks,
    last_requested_at::timestamp(0)::varchar as last_requested_utc
from dim_image_tags
where tag_pulls > 0
order by tag_pulls desc, image, tag
limit 5;

-- Pulls by day
select
    pull_date,
    sum(pulls)::bigint as pulls,
    sum(end_user_pulls)::bigint as by_end_users,
    sum(served_bytes)::bigint as bytes
from fct_image_pulls_daily
group by pull_date
order by pull_date;

-- Pulls by client tool
select
    client_tool,
    sum(pulls)::bigint as pulls,
    sum(served_bytes)::bigint as bytes
from fct_image_pulls_daily
group by client_tool
order by pulls desc, client_tool;

-- Pulls by traffic class
select
    traffic_class,
    sum(pulls)::bigint as pulls,
    sum(incomplete_pulls)::bigint as incomplete,
    sum(served_bytes)::bigint as bytes
from fct_image_pulls_daily
group by traffic_class
order by pulls desc, traffic_class;

-- What was not a pull, and why:
select string_agg(format('{} {}', n, what), ', ' order by place) as not_a_pull
from (
    select 1 as place, count(*) as n, 'verifications (signatures)' as what
    from pullstats_intermediate.int_image_fetches where fetch_kind = 'verification'
    union all
    select 2, count(*), 'inspections (a config alone, or the bucket itself)'
    from pullstats_intermediate.int_image_fetches where fetch_kind = 'inspection'
    union all
    select 3, count(*), 'artifacts'
    from pullstats_intermediate.int_image_fetches where fetch_kind = 'artifact'
    union all
    select 4, count(*), 'parts of pulls (layers without a config)'
    from pullstats_intermediate.int_image_fetches where fetch_kind = 'partial'
    union all
    select 5, count(*), 'interrupted or failed pulls'
    from fct_image_pulls where not is_complete
    union all
    select 6, sum(requests), 'other requests (writes, listings, lifecycle …)'
    from fct_registry_requests_daily where operation != 'read' or object_kind != 'blob'
    union all
    select 7, count(*), 'rows delivered twice'
    from pullstats_intermediate.int_gcs_request_records where is_redelivery
);
