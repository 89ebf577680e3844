"""The messages of administrators, and OffsetForLeaderEpoch; see definitions.py."""

from .api import Api

DELETE_RECORDS = Api(21, "DeleteRecords", range(0, 3), 2, """
topics [] 0+
    name string 0+
    partitions [] 0+
        partition_index int32 0+
        offset int64 0+
timeout_ms int32 0+ = 10000
""", """
throttle_time_ms int32 0+
topics [] 0+
    name string 0+
    partitions [] 0+
        partition_index int32 0+
        low_watermark int64 0+
        error_code int16 0+
""")

OFFSET_FOR_LEADER_EPOCH = Api(23, "OffsetForLeaderEpoch", range(2, 5), 4, """
replica_id int32 3+ = -2
topics [] 0+
    topic string 0+
    partitions [] 0+
        partition int32 0+
        current_leader_epoch int32 2+ = -1
        leader_epoch int32 0+
""", """
throttle_time_ms int32 2+
topics [] 0+
    topic string 0+
    partitions [] 0+
        error_code int16 0+
        partition int32 0+
        leader_epoch int32 1+ = -1
        end_offset int64 0+ = -1
""")

DESCRIBE_CONFIGS = Api(32, "DescribeConfigs", range(1, 5), 4, """
resources [] 0+
    resource_type int8 0+
    resource_name string 0+
    configuration_keys []string 0+ null 0+
include_synonyms bool 1+ = false
include_documentation bool 3+ = false
""", """
throttle_time_ms int32 0+
results [] 0+
    error_code int16 0+
    error_message string 0+ null 0+
    resource_type int8 0+
    resource_name string 0+
    configs [] 0+
        name string 0+
        value string 0+ null 0+
        read_only bool 0+
        config_source int8 1+ = -1
        is_sensitive bool 0+
        synonyms [] 1+
            name string 1+
            value string 1+ null 0+
            source int8 1+
        config_type int8 3+
        documentation string 3+ null 3+
""")

ALTER_CONFIGS = Api(33, "AlterConfigs", range(0, 3), 2, """
resources [] 0+
    resource_type int8 0+
    resource_name string 0+
    configs [] 0+
        name string 0+
        value string 0+ null 0+
validate_only bool 0+
""", """
throttle_time_ms int32 0+
responses [] 0+
    error_code int16 0+
    error_message string 0+ null 0+
    resource_type int8 0+
    resource_name string 0+
""")

DESCRIBE_LOG_DIRS = Api(35, "DescribeLogDirs", range(1, 6), 2, """
topics [] 0+ null 0+
    topic string 0+
    partitions []int32 0+
""", """
throttle_time_ms int32 0+
error_code int16 3+
results [] 0+
    error_code int16 0+
    log_dir string 0+
    topics [] 0+
        name string 0+
        partitions [] 0+
            partition_index int32 0+
            partition_size int64 0+
            offset_lag int64 0+
            is_future_key bool 0+
    total_bytes int64 4+ = -1
    usable_bytes int64 4+ = -1
    is_cordoned bool 5+
""")

CREATE_PARTITIONS = Api(37, "CreatePartitions", range(0, 4), 2, """
topics [] 0+
    name string 0+
    count int32 0+
    assignments [] 0+ null 0+
        broker_ids []int32 0+
timeout_ms int32 0+ = 10000
validate_only bool 0+
""", """
throttle_time_ms int32 0+
results [] 0+
    name string 0+
    error_code int16 0+
    error_message string 0+ null 0+ = null
""")

INCREMENTAL_ALTER_CONFIGS = Api(44, "IncrementalAlterConfigs", range(0, 2), 1, """
resources [] 0+
    resource_type int8 0+
    resource_name string 0+
    configs [] 0+
        name string 0+
        config_operation int8 0+
        value string 0+ null 0+
validate_only bool 0+
""", """
throttle_time_ms int32 0+
responses [] 0+
    error_code int16 0+
    error_message string 0+ null 0+
    resource_type int8 0+
    resource_name string 0+
""")

DESCRIBE_PRODUCERS = Api(61, "DescribeProducers", range(0, 1), 0, """
topics [] 0+
    name string 0+
    partition_indexes []int32 0+
""", """
throttle_time_ms int32 0+
topics [] 0+
    name string 0+
    partitions [] 0+
        partition_index int32 0+
        error_code int16 0+
        error_message string 0+ null 0+ = null
        active_producers [] 0+
            producer_id int64 0+
            producer_epoch int32 0+
            last_sequence int32 0+ = -1
            last_timestamp int64 0+ = -1
            coordinator_epoch int32 0+
            current_txn_start_offset int64 0+ = -1
""")

ALL = [DELETE_RECORDS, OFFSET_FOR_LEADER_EPOCH, DESCRIBE_CONFIGS, ALTER_CONFIGS, DESCRIBE_LOG_DIRS, CREATE_PARTITIONS,
       INCREMENTAL_ALTER_CONFIGS, DESCRIBE_PRODUCERS]
