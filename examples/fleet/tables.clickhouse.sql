-- The tables of a lake in ClickHouse (run with 26.7.2): the folder of --out as `lake` below user_files_path. On S3, in place of file(...):
-- s3('https://bucket.s3.amazonaws.com/lake/traces/*/*.parquet', Parquet), or s3Cluster(CLUSTER, ...) to read on all nodes.
-- `date` comes from the paths (use_hive_partitioning, on since 24.11). Where a server refuses its type, set use_hive_partitioning = 0: the
-- questions do not need it.
create or replace view traces as select * from file('lake/traces/*/*.parquet', Parquet);
create or replace view events as select * from file('lake/events/*/*.parquet', Parquet);
create or replace view interrupts as select * from file('lake/interrupts/*/*.parquet', Parquet);
create or replace view findings as select * from file('lake/findings/*/*.parquet', Parquet);
create or replace view latencies as select * from file('lake/latencies/*/*.parquet', Parquet);
create or replace view devices as select * from file('lake/devices/*/*.parquet', Parquet);
