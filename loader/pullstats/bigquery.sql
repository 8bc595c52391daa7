-- Raw on BigQuery. `loaded_objects` comes last: where it is, all is.
create schema if not exists `{dataset}` options (location = '{location}', labels = {labels});

-- A table has 10,000 partitions at most: 416 days of hours.
create table if not exists `{dataset}`.usage ({usage_columns})
partition by timestamp_trunc(_partitiontime, hour)
cluster by cs_bucket, cs_operation
options (labels = {labels}, partition_expiration_days = {usage_days});

create table if not exists `{dataset}`.storage ({storage_columns})
partition by timestamp_trunc(_partitiontime, hour)
options (labels = {labels});

-- A log entry of JSON a row, as the sink wrote it.
create table if not exists `{dataset}`.audit_logs ({audit_logs_columns})
partition by timestamp_trunc(_partitiontime, hour)
options (labels = {labels}, partition_expiration_days = {usage_days});

create table if not exists `{dataset}`.rejected_lines (
    object_uri string, line_number int64, reason string, line_bytes bytes, loaded_at timestamp
)
options (labels = {labels});

-- The ledger: what became of each object. `row_count` is null where one job loaded several objects:
-- BigQuery counts by job. `error` says why an object could not be landed.
create table if not exists `{dataset}`.loaded_objects (
    object_uri string, generation int64, kind string, log_hour timestamp,
    size_bytes int64, checksum string, row_count int64, rejected_count int64,
    job_id string, job_row_count int64, job_bytes int64, error string, loaded_at timestamp
)
cluster by object_uri
options (labels = {labels});
