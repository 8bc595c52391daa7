-- With two salts, a client has two IDs, and without a salt, no client is left. Under `--empty`, dbt
-- reads no row of a source, unless it is rendered.

select count(*) as salts
from {{ source('private', 'client_salt').render() }}
having count(*) != 1 or count(salt) != 1
