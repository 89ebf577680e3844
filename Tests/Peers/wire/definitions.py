"""The messages that these tests speak, from Kafka 4.3's definitions (clients/src/main/resources/common/message)."""

from . import administration, groups
from .api import Api

PRODUCE = Api(0, "Produce", range(3, 14), 9, """
transactional_id string 3+ null 3+ = null
acks int16 0+ = -1
timeout_ms int32 0+ = 10000
topic_data [] 0+
    name string 0-12
    topic_id uuid 13+
    partition_data [] 0+
        index int32 0+
        records records 0+ null 0+
""", """
responses [] 0+
    name string 0-12
    topic_id uuid 13+
    partition_responses [] 0+
        index int32 0+
        error_code int16 0+
        base_offset int64 0+
        log_append_time_ms int64 2+ = -1
        log_start_offset int64 5+ = -1
        record_errors [] 8+
            batch_index int32 8+
            batch_index_error_message string 8+ null 8+ = null
        error_message string 8+ null 8+ = null
        current_leader {} 10+ tag 0
            leader_id int32 10+ = -1
            leader_epoch int32 10+ = -1
throttle_time_ms int32 1+
node_endpoints [] 10+ tag 0
    node_id int32 10+
    host string 10+
    port int32 10+
    rack string 10+ null 10+ = null
""", advertised=range(0, 14))

FETCH = Api(1, "Fetch", range(4, 19), 12, """
cluster_id string 12+ null 12+ tag 0 = null
replica_id int32 0-14 = -1
replica_state {} 15+ tag 1
    replica_id int32 15+ = -1
    replica_epoch int64 15+ = -1
max_wait_ms int32 0+
min_bytes int32 0+
max_bytes int32 3+ = 0x7fffffff
isolation_level int8 4+
session_id int32 7+
session_epoch int32 7+ = -1
topics [] 0+
    topic string 0-12
    topic_id uuid 13+
    partitions [] 0+
        partition int32 0+
        current_leader_epoch int32 9+ = -1
        fetch_offset int64 0+
        last_fetched_epoch int32 12+ = -1
        log_start_offset int64 5+ = -1
        partition_max_bytes int32 0+ = 0x100000
        replica_directory_id uuid 17+ tag 0
        high_watermark int64 18+ tag 1 = 9223372036854775807
forgotten_topics_data [] 7+
    topic string 7-12
    topic_id uuid 13+
    partitions []int32 7+
rack_id string 11+
""", """
throttle_time_ms int32 1+
error_code int16 7+
session_id int32 7+
responses [] 0+
    topic string 0-12
    topic_id uuid 13+
    partitions [] 0+
        partition_index int32 0+
        error_code int16 0+
        high_watermark int64 0+
        last_stable_offset int64 4+ = -1
        log_start_offset int64 5+ = -1
        diverging_epoch {} 12+ tag 0
            epoch int32 12+ = -1
            end_offset int64 12+ = -1
        current_leader {} 12+ tag 1
            leader_id int32 12+ = -1
            leader_epoch int32 12+ = -1
        snapshot_id {} 12+ tag 2
            end_offset int64 0+ = -1
            epoch int32 0+ = -1
        aborted_transactions [] 4+ null 4+
            producer_id int64 4+
            first_offset int64 4+
        preferred_read_replica int32 11+ = -1
        records records 0+ null 0+
node_endpoints [] 16+ tag 0
    node_id int32 16+
    host string 16+
    port int32 16+
    rack string 16+ null 16+ = null
""")

LIST_OFFSETS = Api(2, "ListOffsets", range(1, 12), 6, """
replica_id int32 0+ = -1
isolation_level int8 2+
topics [] 0+
    name string 0+
    partitions [] 0+
        partition_index int32 0+
        current_leader_epoch int32 4+ = -1
        timestamp int64 0+
timeout_ms int32 10+
""", """
throttle_time_ms int32 2+
topics [] 0+
    name string 0+
    partitions [] 0+
        partition_index int32 0+
        error_code int16 0+
        timestamp int64 1+ = -1
        offset int64 1+ = -1
        leader_epoch int32 4+ = -1
""")

METADATA = Api(3, "Metadata", range(0, 14), 9, """
topics [] 0+ null 1+
    topic_id uuid 10+
    name string 0+ null 10+
allow_auto_topic_creation bool 4+ = true
include_cluster_authorized_operations bool 8-10
include_topic_authorized_operations bool 8+
""", """
throttle_time_ms int32 3+
brokers [] 0+
    node_id int32 0+
    host string 0+
    port int32 0+
    rack string 1+ null 1+ = null
cluster_id string 2+ null 2+ = null
controller_id int32 1+ = -1
topics [] 0+
    error_code int16 0+
    name string 0+ null 12+
    topic_id uuid 10+
    is_internal bool 1+
    partitions [] 0+
        error_code int16 0+
        partition_index int32 0+
        leader_id int32 0+
        leader_epoch int32 7+ = -1
        replica_nodes []int32 0+
        isr_nodes []int32 0+
        offline_replicas []int32 5+
    topic_authorized_operations int32 8+ = -2147483648
cluster_authorized_operations int32 8-10 = -2147483648
error_code int16 13+
""")

FIND_COORDINATOR = Api(10, "FindCoordinator", range(0, 7), 3, """
key string 0-3
key_type int8 1+
coordinator_keys []string 4+
""", """
throttle_time_ms int32 1+
error_code int16 0-3
error_message string 1-3 null 1+
node_id int32 0-3
host string 0-3
port int32 0-3
coordinators [] 4+
    key string 4+
    node_id int32 4+
    host string 4+
    port int32 4+
    error_code int16 4+
    error_message string 4+ null 4+
""")

API_VERSIONS = Api(18, "ApiVersions", range(0, 5), 3, """
client_software_name string 3+
client_software_version string 3+
""", """
error_code int16 0+
api_keys [] 0+
    api_key int16 0+
    min_version int16 0+
    max_version int16 0+
throttle_time_ms int32 1+
supported_features [] 3+ tag 0
    name string 3+
    min_version int16 3+
    max_version int16 3+
finalized_features_epoch int64 3+ tag 1 = -1
finalized_features [] 3+ tag 2
    name string 3+
    max_version_level int16 3+
    min_version_level int16 3+
zk_migration_ready bool 3+ tag 3
""")

CREATE_TOPICS = Api(19, "CreateTopics", range(2, 8), 5, """
topics [] 0+
    name string 0+
    num_partitions int32 0+ = -1
    replication_factor int16 0+ = -1
    assignments [] 0+
        partition_index int32 0+
        broker_ids []int32 0+
    configs [] 0+
        name string 0+
        value string 0+ null 0+
timeout_ms int32 0+ = 60000
validate_only bool 1+
""", """
throttle_time_ms int32 2+
topics [] 0+
    name string 0+
    topic_id uuid 7+
    error_code int16 0+
    error_message string 1+ null 0+
    topic_config_error_code int16 5+ tag 0
    num_partitions int32 5+ = -1
    replication_factor int16 5+ = -1
    configs [] 5+ null 5+
        name string 5+
        value string 5+ null 5+
        read_only bool 5+
        config_source int8 5+ = -1
        is_sensitive bool 5+
""")

DELETE_TOPICS = Api(20, "DeleteTopics", range(1, 7), 4, """
topics [] 6+
    name string 6+ null 6+ = null
    topic_id uuid 6+
topic_names []string 0-5
timeout_ms int32 0+ = 60000
""", """
throttle_time_ms int32 1+
responses [] 0+
    name string 0+ null 6+
    topic_id uuid 6+
    error_code int16 0+
    error_message string 5+ null 5+ = null
""")

INIT_PRODUCER_ID = Api(22, "InitProducerId", range(0, 6), 2, """
transactional_id string 0+ null 0+ = null
transaction_timeout_ms int32 0+
producer_id int64 3+ = -1
producer_epoch int16 3+ = -1
""", """
throttle_time_ms int32 0+
error_code int16 0+
producer_id int64 0+ = -1
producer_epoch int16 0+
""")

DESCRIBE_CLUSTER = Api(60, "DescribeCluster", range(0, 3), 0, """
include_cluster_authorized_operations bool 0+
endpoint_type int8 1+ = 1
include_fenced_brokers bool 2+
""", """
throttle_time_ms int32 0+
error_code int16 0+
error_message string 0+ null 0+ = null
endpoint_type int8 1+ = 1
cluster_id string 0+
controller_id int32 0+ = -1
brokers [] 0+
    broker_id int32 0+
    host string 0+
    port int32 0+
    rack string 0+ null 0+ = null
    is_fenced bool 2+
cluster_authorized_operations int32 0+ = -2147483648
""")

DESCRIBE_TOPIC_PARTITIONS = Api(75, "DescribeTopicPartitions", range(0, 1), 0, """
topics [] 0+
    name string 0+
response_partition_limit int32 0+ = 2000
cursor {} 0+ null 0+ = null
    topic_name string 0+
    partition_index int32 0+
""", """
throttle_time_ms int32 0+
topics [] 0+
    error_code int16 0+
    name string 0+ null 0+
    topic_id uuid 0+
    is_internal bool 0+
    partitions [] 0+
        error_code int16 0+
        partition_index int32 0+
        leader_id int32 0+
        leader_epoch int32 0+ = -1
        replica_nodes []int32 0+
        isr_nodes []int32 0+
        eligible_leader_replicas []int32 0+ null 0+ = null
        last_known_elr []int32 0+ null 0+ = null
        offline_replicas []int32 0+
    topic_authorized_operations int32 0+ = -2147483648
next_cursor {} 0+ null 0+ = null
    topic_name string 0+
    partition_index int32 0+
""")

ALL = [PRODUCE, FETCH, LIST_OFFSETS, METADATA, FIND_COORDINATOR, API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS,
       INIT_PRODUCER_ID, DESCRIBE_CLUSTER, DESCRIBE_TOPIC_PARTITIONS, *administration.ALL, *groups.ALL]


class Error:
    """The error codes that these tests expect by name."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    MESSAGE_TOO_LARGE = 10
    OFFSET_METADATA_TOO_LARGE = 12
    COORDINATOR_NOT_AVAILABLE = 15
    NOT_COORDINATOR = 16
    INVALID_TOPIC = 17
    INVALID_REQUIRED_ACKS = 21
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    INVALID_GROUP_ID = 24
    UNKNOWN_MEMBER_ID = 25
    INVALID_SESSION_TIMEOUT = 26
    REBALANCE_IN_PROGRESS = 27
    INVALID_TIMESTAMP = 32
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_REPLICATION_FACTOR = 38
    INVALID_REPLICA_ASSIGNMENT = 39
    INVALID_CONFIG = 40
    INVALID_REQUEST = 42
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    POLICY_VIOLATION = 44
    OUT_OF_ORDER_SEQUENCE = 45
    DUPLICATE_SEQUENCE = 46
    INVALID_PRODUCER_EPOCH = 47
    STORAGE_ERROR = 56
    UNKNOWN_PRODUCER_ID = 59
    NON_EMPTY_GROUP = 68
    GROUP_ID_NOT_FOUND = 69
    FETCH_SESSION_ID_NOT_FOUND = 70
    INVALID_FETCH_SESSION_EPOCH = 71
    FENCED_LEADER_EPOCH = 74
    UNKNOWN_LEADER_EPOCH = 75
    UNSUPPORTED_COMPRESSION = 76
    MEMBER_ID_REQUIRED = 79
    GROUP_MAX_SIZE_REACHED = 81
    FENCED_INSTANCE_ID = 82
    GROUP_SUBSCRIBED_TO_TOPIC = 86
    INVALID_RECORD = 87
    UNKNOWN_TOPIC_ID = 100
    INCONSISTENT_TOPIC_ID = 103
    FETCH_SESSION_TOPIC_ID_ERROR = 106
