-- The tables of a lake in Trino, with a catalog `hive` of the Hive connector. Columns are found by their names, whatever their case.
-- After each run of `irqscope convert`, the last six statements tell Trino of new days.
create schema if not exists hive.irqscope;
use hive.irqscope;
create table if not exists traces (
  trace varchar, host varchar, kernel varchar, week varchar, format varchar, clock varchar, timeUnit varchar, startTime bigint,
  endTime bigint, cpus integer, records bigint, understood bigint, events bigint, lost bigint, gaps bigint, problem varchar,
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/traces', partitioned_by = array['date']);
create table if not exists events (
  trace varchar, step integer, time bigint, cpu integer, kind varchar, object varchar, fields varchar, file varchar, line integer,
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/events', partitioned_by = array['date']);
create table if not exists interrupts (
  trace varchar, entry varchar, guestEntry varchar, irq varchar, domain varchar, irte varchar, cpu varchar, vector varchar,
  vfio varchar, gsi varchar, vcpu varchar, guestIrq varchar, action varchar, raises bigint, sends bigint, handled bigint,
  "last" row(step integer, time bigint), status varchar, findings array(varchar),
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/interrupts', partitioned_by = array['date']);
create table if not exists findings (
  trace varchar, rule varchar, severity varchar, title varchar, step integer, time bigint, object varchar,
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/findings', partitioned_by = array['date']);
create table if not exists latencies (
  trace varchar, step integer, time bigint, cpu integer, irq varchar, action varchar, since varchar, latency bigint,
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/latencies', partitioned_by = array['date']);
create table if not exists devices (
  trace varchar, device varchar, driver varchar, action varchar, messages bigint, masks bigint, latencyP50 bigint,
  latencyP99 bigint, latencyMax bigint,
  "date" varchar
) with (format = 'PARQUET', external_location = 's3://bucket/lake/devices', partitioned_by = array['date']);
call hive.system.sync_partition_metadata('irqscope', 'traces', 'FULL');
call hive.system.sync_partition_metadata('irqscope', 'events', 'FULL');
call hive.system.sync_partition_metadata('irqscope', 'interrupts', 'FULL');
call hive.system.sync_partition_metadata('irqscope', 'findings', 'FULL');
call hive.system.sync_partition_metadata('irqscope', 'latencies', 'FULL');
call hive.system.sync_partition_metadata('irqscope', 'devices', 'FULL');
