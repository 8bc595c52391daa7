-- Who pulls most? Networks and hashed clients: the log knows no names, and addresses stay in raw.
select
    client_network,
    client_id,
    client_tool,
    count(*) as pulls,
    count(distinct image) as images,
    sum(served_bytes) as served_bytes
from {{ ref('fct_image_pulls') }}
group by client_network, client_id, client_tool
order by pulls desc
