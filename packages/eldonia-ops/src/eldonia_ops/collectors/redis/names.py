"""What the fields of ``INFO`` are called as metrics.

Fields: https://redis.io/docs/latest/commands/info/; names: https://github.com/oliver006/redis_exporter.
"""

from typing import Final

from eldonia_ops.model.samples import MetricMetadata, MetricType

GAUGES: Final = {
    # server and clients
    "process_id": "process_id",
    "uptime_in_seconds": "uptime_in_seconds",
    "io_threads_active": "io_threads_active",
    "connected_clients": "connected_clients",
    "cluster_connections": "cluster_connections",
    "blocked_clients": "blocked_clients",
    "tracking_clients": "tracking_clients",
    "clients_in_timeout_table": "clients_in_timeout_table",
    "maxclients": "config_maxclients",
    "client_recent_max_input_buffer": "client_recent_max_input_buffer_bytes",
    "client_recent_max_output_buffer": "client_recent_max_output_buffer_bytes",
    # memory
    "allocator_active": "allocator_active_bytes",
    "allocator_allocated": "allocator_allocated_bytes",
    "allocator_resident": "allocator_resident_bytes",
    "allocator_frag_ratio": "allocator_frag_ratio",
    "allocator_frag_bytes": "allocator_frag_bytes",
    "allocator_rss_ratio": "allocator_rss_ratio",
    "allocator_rss_bytes": "allocator_rss_bytes",
    "used_memory": "memory_used_bytes",
    "used_memory_rss": "memory_used_rss_bytes",
    "used_memory_peak": "memory_used_peak_bytes",
    "used_memory_lua": "memory_used_lua_bytes",
    "used_memory_overhead": "memory_used_overhead_bytes",
    "used_memory_startup": "memory_used_startup_bytes",
    "used_memory_dataset": "memory_used_dataset_bytes",
    "used_memory_scripts": "memory_used_scripts_bytes",
    "number_of_cached_scripts": "number_of_cached_scripts",
    "maxmemory": "memory_max_bytes",
    "mem_fragmentation_ratio": "mem_fragmentation_ratio",
    "mem_fragmentation_bytes": "mem_fragmentation_bytes",
    "mem_clients_slaves": "mem_clients_slaves",
    "mem_clients_normal": "mem_clients_normal",
    "mem_not_counted_for_evict": "mem_not_counted_for_eviction_bytes",
    "lazyfree_pending_objects": "lazyfree_pending_objects",
    "active_defrag_running": "active_defrag_running",
    # persistence
    "loading": "loading_dump_file",
    "rdb_changes_since_last_save": "rdb_changes_since_last_save",
    "rdb_bgsave_in_progress": "rdb_bgsave_in_progress",
    "rdb_last_save_time": "rdb_last_save_timestamp_seconds",
    "rdb_last_bgsave_status": "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec": "rdb_last_bgsave_duration_sec",
    "rdb_current_bgsave_time_sec": "rdb_current_bgsave_duration_sec",
    "rdb_last_cow_size": "rdb_last_cow_size_bytes",
    "aof_enabled": "aof_enabled",
    "aof_rewrite_in_progress": "aof_rewrite_in_progress",
    "aof_rewrite_scheduled": "aof_rewrite_scheduled",
    "aof_last_rewrite_time_sec": "aof_last_rewrite_duration_sec",
    "aof_current_rewrite_time_sec": "aof_current_rewrite_duration_sec",
    "aof_last_bgrewrite_status": "aof_last_bgrewrite_status",
    "aof_last_write_status": "aof_last_write_status",
    "aof_last_cow_size": "aof_last_cow_size_bytes",
    "aof_current_size": "aof_current_size_bytes",
    "aof_base_size": "aof_base_size_bytes",
    "aof_pending_rewrite": "aof_pending_rewrite",
    "aof_buffer_length": "aof_buffer_length",
    "aof_rewrite_buffer_length": "aof_rewrite_buffer_length",
    "aof_pending_bio_fsync": "aof_pending_bio_fsync",
    "aof_delayed_fsync": "aof_delayed_fsync",
    "module_fork_in_progress": "module_fork_in_progress",
    "module_fork_last_cow_size": "module_fork_last_cow_size",
    # stats
    "pubsub_channels": "pubsub_channels",
    "pubsub_patterns": "pubsub_patterns",
    "latest_fork_usec": "latest_fork_seconds",
    "expired_stale_perc": "expired_stale_percentage",
    "expired_time_cap_reached_count": "expired_time_cap_reached_total",
    "migrate_cached_sockets": "migrate_cached_sockets_total",
    "slave_expires_tracked_keys": "slave_expires_tracked_keys",
    "active_defrag_hits": "defrag_hits",
    "active_defrag_misses": "defrag_misses",
    "active_defrag_key_hits": "defrag_key_hits",
    "active_defrag_key_misses": "defrag_key_misses",
    "tracking_total_keys": "tracking_total_keys",
    "tracking_total_items": "tracking_total_items",
    "tracking_total_prefixes": "tracking_total_prefixes",
    "sync_full": "replica_resyncs_full",
    "sync_partial_ok": "replica_partial_resync_accepted",
    "sync_partial_err": "replica_partial_resync_denied",
    # replication and cluster
    "connected_slaves": "connected_slaves",
    "slave_priority": "slave_priority",
    "repl_backlog_active": "repl_backlog_is_active",
    "repl_backlog_size": "replication_backlog_bytes",
    "repl_backlog_first_byte_offset": "repl_backlog_first_byte_offset",
    "repl_backlog_histlen": "repl_backlog_history_bytes",
    "master_repl_offset": "master_repl_offset",
    "second_repl_offset": "second_repl_offset",
    "cluster_enabled": "cluster_enabled",
}
"""Fields of ``INFO`` that go up and down, and the metric without ``redis_``."""

COUNTERS: Final = {
    "total_connections_received": "connections_received_total",
    "total_commands_processed": "commands_processed_total",
    "rejected_connections": "rejected_connections_total",
    "total_net_input_bytes": "net_input_bytes_total",
    "total_net_output_bytes": "net_output_bytes_total",
    "expired_keys": "expired_keys_total",
    "evicted_keys": "evicted_keys_total",
    "keyspace_hits": "keyspace_hits_total",
    "keyspace_misses": "keyspace_misses_total",
    "used_cpu_sys": "cpu_sys_seconds_total",
    "used_cpu_user": "cpu_user_seconds_total",
    "used_cpu_sys_children": "cpu_sys_children_seconds_total",
    "used_cpu_user_children": "cpu_user_children_seconds_total",
    "used_cpu_sys_main_thread": "cpu_sys_main_thread_seconds_total",
    "used_cpu_user_main_thread": "cpu_user_main_thread_seconds_total",
    "unexpected_error_replies": "unexpected_error_replies",
    "total_error_replies": "total_error_replies",
    "dump_payload_sanitizations": "dump_payload_sanitizations",
    "total_reads_processed": "total_reads_processed",
    "total_writes_processed": "total_writes_processed",
    "io_threaded_reads_processed": "io_threaded_reads_processed",
    "io_threaded_writes_processed": "io_threaded_writes_processed",
}
"""Fields of ``INFO`` that only grow."""

OF_MASTER: Final = {
    "master_link_status": "master_link_up",
    "master_last_io_seconds_ago": "master_last_io_seconds_ago",
    "master_sync_in_progress": "master_sync_in_progress",
    "slave_repl_offset": "slave_repl_offset",
}
"""What a replica says of the server that it follows."""

COMMANDS: Final = {
    "calls": "commands_total",
    "usec": "commands_duration_seconds_total",
    "rejected_calls": "commands_rejected_calls_total",
    "failed_calls": "commands_failed_calls_total",
}
"""What ``cmdstat_...`` says of a command."""

DATABASES: Final = {"keys": "db_keys", "expires": "db_keys_expiring", "avg_ttl": "db_avg_ttl_seconds"}
"""What ``db0``, ``db1`` ... say of a database."""

CONFIG: Final = {"maxclients": "config_maxclients", "maxmemory": "config_maxmemory", "io-threads": "config_io_threads"}
"""Parameters of ``CONFIG GET``."""

SCALES: Final = {"latest_fork_usec": 1e-6, "usec": 1e-6, "avg_ttl": 1e-3}
"""What a field is multiplied by to have the metric's unit."""

INSTANCE_INFO: Final = {
    **{"role": "role", "redis_version": "redis_version", "redis_build_id": "redis_build_id"},
    **{"redis_mode": "redis_mode", "os": "os", "maxmemory_policy": "maxmemory_policy", "tcp_port": "tcp_port"},
    **{"run_id": "run_id", "process_id": "process_id"},
}
"""Fields that become labels of ``redis_instance_info``."""

_HELP: Final = {
    "up": "1 when the server answered.",
    "memory_used_bytes": "Memory that the server has allocated.",
    "memory_used_rss_bytes": "Memory as the operating system sees it.",
    "memory_max_bytes": "The limit on memory, 0 for none.",
    "connected_clients": "Connections of clients, without those of replicas.",
    "blocked_clients": "Clients that wait in a blocking command.",
    "evicted_keys_total": "Keys that were removed because of the limit on memory.",
    "expired_keys_total": "Keys whose time was up.",
    "rejected_connections_total": "Connections that were refused because of the limit on clients.",
    "connected_slave_lag_seconds": "How long ago a replica was last heard of.",
    "connected_slave_offset_bytes": "How far a replica has come in the stream of replication.",
    "master_link_up": "Whether a replica is connected with the server that it follows.",
    "db_keys": "Keys of a database.",
    "db_keys_expiring": "Keys of a database that have a time to live.",
    "db_avg_ttl_seconds": "Average time to live of a database's keys.",
    "latency_spike_last": "When a latency event of this kind last happened, Unix time.",
    "latency_spike_duration_seconds": "How long the last latency event of this kind took.",
    "latency_percentiles_usec": "How long commands take, microseconds.",
    "slowlog_length": "Entries of the slow log.",
    "slowlog_last_id": "Number of the newest entry of the slow log.",
    "last_slow_execution_duration_seconds": "How long the newest entry of the slow log took.",
    "instance_info": "The server in labels.",
    "slave_info": "A replica in labels.",
    "start_time_seconds": "When the server was started, Unix time.",
    "errors_total": "Replies with an error, by its kind.",
}


def _described(name: str, type: MetricType, field: str) -> MetricMetadata:
    return MetricMetadata(f"redis_{name}", type, _HELP.get(name) or f"{field} of INFO.")


METADATA: Final = (
    *(_described(name, MetricType.GAUGE, field) for field, name in (GAUGES | OF_MASTER).items()),
    *(_described(name, MetricType.COUNTER, field) for field, name in COUNTERS.items()),
    *(_described(name, MetricType.COUNTER, f"{field} of cmdstat") for field, name in COMMANDS.items()),
    *(_described(name, MetricType.GAUGE, field) for field, name in DATABASES.items()),
    MetricMetadata("redis_config_maxmemory", MetricType.GAUGE, "maxmemory of CONFIG."),
    MetricMetadata("redis_config_io_threads", MetricType.GAUGE, "io-threads of CONFIG."),
    *(
        _described(name, MetricType.GAUGE, name)
        for name in (
            *("up", "connected_slave_lag_seconds", "connected_slave_offset_bytes", "slave_info", "instance_info"),
            *("latency_spike_last", "latency_spike_duration_seconds", "slowlog_length", "slowlog_last_id"),
            *("last_slow_execution_duration_seconds", "start_time_seconds"),
        )
    ),
    _described("errors_total", MetricType.COUNTER, "errorstat"),
    _described("latency_percentiles_usec", MetricType.SUMMARY, "latencystats"),
)
