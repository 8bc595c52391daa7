# What other settings must fit: the times at which the schedule starts the job, as minutes of a week.

locals {
  cron_ranges = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]]
  cron_parts = [for field in split(" ", var.schedule) : [
    for part in split(",", field) : regex("^(?P<from>\\*|\\d+)(?:-(?P<to>\\d+))?(?:/(?P<step>\\d+))?$", part)
  ]]
  cron_values = [for i, parts in local.cron_parts : flatten([
    for part in parts : range(
      part.from == "*" ? local.cron_ranges[i][0] : tonumber(part.from),
      (part.to != null ? tonumber(part.to) : part.from == "*" || part.step != null ? local.cron_ranges[i][1] : tonumber(part.from)) + 1,
      part.step == null ? 1 : tonumber(part.step),
    )
  ])]
  starts = sort(distinct([
    for time in setproduct(local.cron_values[4], local.cron_values[1], local.cron_values[0]) :
    format("%05d", time[0] % 7 * 1440 + time[1] * 60 + time[2])
  ]))
  # The week begins again after the last start of one.
  intervals = [for i, start in local.starts :
    tonumber(i + 1 < length(local.starts) ? local.starts[i + 1] : local.starts[0] + 10080) - tonumber(start)
  ]
  longest_interval  = max(local.intervals...)
  shortest_interval = min(local.intervals...)

  # From one success to the next it may take the longest interval and the whole time of an execution.
  fewest_hours_without_success = ceil((local.longest_interval + var.timeout_minutes) / 60)
  fewest_days_kept             = ceil(local.longest_interval / 1440) + 4
  hours_without_success        = coalesce(var.max_hours_without_success, local.fewest_hours_without_success + 1)
}
