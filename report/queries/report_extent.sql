-- Up to which day all logs have arrived.
{{ newest_complete_date() }}
