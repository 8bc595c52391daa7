-- Programs that pull, by period and image level: the busiest of each.
{{ report_callers('client_version', ranked_by=['traffic_class', 'client_tool', 'client_version']) }}
