-- The tables of a lake in DuckDB. `lake` is the folder of --out. s3://bucket/lake and the like do as well (extension httpfs).
create or replace view traces as select * from read_parquet('lake/traces/*/*.parquet', hive_partitioning = true);
create or replace view events as select * from read_parquet('lake/events/*/*.parquet', hive_partitioning = true);
create or replace view interrupts as select * from read_parquet('lake/interrupts/*/*.parquet', hive_partitioning = true);
create or replace view findings as select * from read_parquet('lake/findings/*/*.parquet', hive_partitioning = true);
create or replace view latencies as select * from read_parquet('lake/latencies/*/*.parquet', hive_partitioning = true);
create or replace view devices as select * from read_parquet('lake/devices/*/*.parquet', hive_partitioning = true);
