-- Which hosts have vectors exhausted? The vector domain of x86 answers -ENOSPC (-28) when no CPU that an irq may go to has a free
-- vector. Reservations are refused the same way. `fields` is JSON without blanks, so that its text can be compared in every engine.
select
  coalesce(t.host, t.trace) as host_name,
  count(*) as refusals,
  count(distinct e.object) as irqs,
  min(e.time) as first_time,
  max(e.time) as last_time
from events e
join traces t on t.trace = e.trace
where e.kind in ('vec.alloc', 'vec.allocManaged', 'vec.reserve', 'vec.reserveManaged')
  and (e.fields like '%"ret":-28}' or e.fields like '%"ret":-28,%')
group by coalesce(t.host, t.trace)
order by refusals desc, host_name;
