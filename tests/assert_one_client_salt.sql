-- With two salts a client would have two ids, with none no client would be left. Under `--empty`,
-- dbt reads no row of a source, unless it is rendered.

select count(*) as salts
from {{ source('private', 'client_salt').render() }}
having count(*) != 1 or count(salt) != 1
