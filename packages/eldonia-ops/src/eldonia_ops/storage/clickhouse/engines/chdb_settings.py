"""Settings of the ClickHouse inside this process, and why they are as they are."""

from collections.abc import Mapping
from typing import Final

SERVER_SETTINGS: Final[Mapping[str, int]] = {
    # Caches for one small service, not for a database server.
    "mark_cache_size": 16 << 20,
    "index_mark_cache_size": 4 << 20,
    "uncompressed_cache_size": 0,
    # Bloom filters: those of the request ids of 20 million records are 24 MB, and an id is found in half the time.
    "index_uncompressed_cache_size": 64 << 20,
    "primary_index_cache_size": 8 << 20,
    "query_condition_cache_size": 4 << 20,
    "text_index_tokens_cache_size": 4 << 20,
    "text_index_header_cache_size": 4 << 20,
    "text_index_postings_cache_size": 8 << 20,
    "compiled_expression_cache_size": 4 << 20,
    "background_pool_size": 2,
    "background_merges_mutations_concurrency_ratio": 1,
    "background_schedule_pool_size": 4,
    "background_common_pool_size": 2,
    "max_thread_pool_size": 200,
    "max_thread_pool_free_size": 8,
    "max_server_memory_usage": 2_000_000_000,
}
READER_SETTINGS: Final[Mapping[str, int]] = {
    "max_threads": 1,
    # Threads that open the paths of JSON columns take longer to hand over than their files to open.
    "merge_tree_use_prefixes_deserialization_thread_pool": 0,
    # Asked part by part as they are read, indexes cost twice as much: one word in 38 parts 27 ms, beforehand 16.
    "use_skip_indexes_on_data_read": 0,
}
_MERGE_TREE_SETTINGS: Final[Mapping[str, int | str]] = {
    # Of rows in text indexes: packed bits take 14 bytes a record of twelve words, bitmaps 20. Parts say what they have.
    "text_index_posting_list_codec": "bitpacking",
    # With a pool of two, the defaults for these exceed the pool and would forbid large merges.
    "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 0,
    "number_of_free_entries_in_pool_to_execute_mutation": 0,
    "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 0,
    # How often what merges left behind is looked for (s): by default up to five minutes, some thousand files here.
    "cleanup_delay_period": 5,
    "max_cleanup_delay_period": 10,
    "cleanup_delay_period_random_add": 1,
    # A merge may take this much memory; the default of 8192 rows a block suits wider machines.
    "merge_max_block_size": 4096,
    # A part is one file as long as its columns take less than this, uncompressed: otherwise a small part is 13 to 26
    # files, and one of more than 10 MiB of logs or spans up to 600. A packed part is in memory until it is written.
    "min_bytes_for_full_part_storage": 64 << 20,
    # Sets of files for paths beyond the first 64 of a JSON column: 32 are 340 files more in each large part.
    "object_shared_data_buckets_for_wide_part": 1,
    "object_shared_data_buckets_for_compact_part": 1,
}


def configuration_xml() -> str:
    """The configuration file of the engine: server settings come from a file only."""
    server = "".join(f"  <{name}>{value}</{name}>\n" for name, value in SERVER_SETTINGS.items())
    merge_tree = "".join(f"    <{name}>{value}</{name}>\n" for name, value in _MERGE_TREE_SETTINGS.items())
    return f"<clickhouse>\n{server}  <merge_tree>\n{merge_tree}  </merge_tree>\n</clickhouse>\n"
