-- p99 from cause to handler, by kernel version, in nanoseconds. Where a trace tells no cause, it is from the acceptance at the processor,
-- in rows of their own. Percentiles are samples: the smallest one that 50 or 99 of 100 do not exceed. Samples of equal length are counted
-- first, so that an engine sorts far fewer rows than there are interrupts.
with counted as (
  select t.kernel as kernel, l.since as since, l.latency as latency, count(*) as n
  from latencies l
  join traces t on t.trace = l.trace
  group by t.kernel, l.since, l.latency
),
ranked as (
  select
    kernel,
    since,
    latency,
    sum(n) over (partition by kernel, since order by latency) as upto,
    sum(n) over (partition by kernel, since) as total
  from counted
)
select
  kernel,
  since,
  max(total) as interrupts,
  min(case when 100 * upto >= 50 * total then latency end) as p50,
  min(case when 100 * upto >= 99 * total then latency end) as p99,
  max(latency) as longest
from ranked
group by kernel, since
order by since desc, p99 desc, kernel;
