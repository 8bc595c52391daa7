-- A file of raw that is lost or altered would make every number smaller without a word. `pullstats
-- status` names the file by its full path, and tells altered content from a copy with a new time.
select
    file_name,
    fault
from {{ optional_source('loader', 'raw_faults') }}
