-- Who has pending without delivery? Interrupts whose cause waits at the end of the trace, and those that a rule proves to be lost.
-- `silent_for`: from the last event about the interrupt to the end of the trace, in the units of its clock (traces.timeUnit).
select
  coalesce(t.host, t.trace) as host_name,
  t.trace as trace,
  i.status as status,
  coalesce(i.entry, i.irq, i.guestIrq, i.vfio, i.gsi) as interrupt_path,
  i.action as action,
  i.raises as raises,
  i.sends as sends,
  i.handled as handled,
  i.last.step as last_step,
  t.endTime - i.last.time as silent_for
from interrupts i
join traces t on t.trace = i.trace
where i.status in ('pending', 'lost')
order by host_name, trace, interrupt_path;
