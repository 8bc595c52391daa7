-- Networks that pull, by period and image level: the busiest of each.
{{ report_callers('client_network', ranked_by=['client_network']) }}
