-- The tables of a lake in Spark SQL. `lake` is the folder of --out: a path, or s3a://bucket/lake and the like.
create or replace temporary view traces using parquet options (path 'lake/traces');
create or replace temporary view events using parquet options (path 'lake/events');
create or replace temporary view interrupts using parquet options (path 'lake/interrupts');
create or replace temporary view findings using parquet options (path 'lake/findings');
create or replace temporary view latencies using parquet options (path 'lake/latencies');
create or replace temporary view devices using parquet options (path 'lake/devices');
