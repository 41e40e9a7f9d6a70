-- Which driver masks most? `masks` counts writes that set a mask bit of MSI-X, MSI or IMS, of an entry or of a function.
-- Writes to a bit that is known to be set do not count; those to a bit that no record showed before do.
-- A driver of which no trace shows mask bits is not in the answer. A function whose driver no trace names is in the row without one.
select
  d.driver as driver,
  count(distinct coalesce(t.host, t.trace)) as hosts,
  sum(d.masks) as all_masks,
  max(d.masks) as most_in_one_trace,
  sum(d.messages) as all_messages
from devices d
join traces t on t.trace = d.trace
where d.masks is not null
group by d.driver
order by all_masks desc, driver;
