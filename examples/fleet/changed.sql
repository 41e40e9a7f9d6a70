-- What changed since last week? The newest week (ISO 8601) of the lake beside the newest one before it, for hosts with captures of both:
-- the kernel, the driver of each function, interrupts that are pending or lost, and rules that found something.
-- Of several captures of a host in a week, the value that sorts last counts.
with span as (
  select
    max(week) as this_week,
    (select max(week) from traces where week < (select max(week) from traces)) as last_week
  from traces
),
captures as (
  select t.trace as trace, t.host as host, t.kernel as kernel, case when t.week = s.this_week then 1 else 0 end as is_new
  from traces t
  cross join span s
  where t.host is not null and (t.week = s.this_week or t.week = s.last_week)
),
facts as (
  select c.host as host, c.is_new as is_new, 'kernel' as what, '' as name, c.kernel as value
  from captures c
  union all
  select c.host, c.is_new, 'driver', d.device, d.driver
  from captures c
  join devices d on d.trace = c.trace
  union all
  select c.host, c.is_new, 'status', coalesce(i.entry, i.irq, i.guestIrq, i.vfio, i.gsi), i.status
  from captures c
  join interrupts i on i.trace = c.trace
  where i.status in ('pending', 'lost')
  union all
  select c.host, c.is_new, 'finding', f.rule, f.severity
  from captures c
  join findings f on f.trace = c.trace
  where f.severity <> 'info'
),
compared as (
  select
    host,
    what,
    name,
    max(case when is_new = 0 then value end) as before_value,
    max(case when is_new = 1 then value end) as after_value
  from facts
  group by host, what, name
)
select host, what, name, before_value, after_value
from compared
where coalesce(before_value, '') <> coalesce(after_value, '')
  and host in (select host from captures group by host having min(is_new) = 0 and max(is_new) = 1)
order by host, what, name;
