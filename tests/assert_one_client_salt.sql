-- With two salts a client would have two ids, with none no client would be left.

select count(*) as salts
from {{ source('private', 'client_salt') }}
having count(*) != 1 or count(salt) != 1
