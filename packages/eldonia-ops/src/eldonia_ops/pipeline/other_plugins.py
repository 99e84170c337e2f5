"""Plug-ins of Fluentd that we do not have, and what to use in their place."""

from typing import Final

LEFT_OUT_INPUTS: Final = {
    "monitor_agent": "this platform shows its own state at /metrics and on its pages",
    "debug_agent": "it opens Fluentd's own process to Ruby",
    "gc_stat": "it measures Ruby's memory",
    "object_space": "it measures Ruby's memory",
    "prometheus": "what filters and outputs of this type count is in PromQL; /metrics has this platform's own state",
    "prometheus_monitor": "this platform shows its own metrics at /metrics",
    "prometheus_output_monitor": "this platform shows its own metrics at /metrics",
    "prometheus_tail_monitor": "this platform shows its own metrics at /metrics",
}
"""Inputs without which nothing is lost: a warning says so."""

OTHER_INPUTS: Final = {
    "exec": "let the program write to a file, and use tail",
    "unix": "use forward on 127.0.0.1",
    "windows_eventlog": "send them by Fluent Bit, and use forward",
    "windows_eventlog2": "send them by Fluent Bit, and use forward",
    "kafka": "let a consumer send them by forward or http",
    "kafka_group": "let a consumer send them by forward or http",
    "s3": "copy the files to a folder, and use tail",
    "sqs": "let a consumer send them by http",
    "cloudwatch_logs": "let a subscription send them by http",
    "docker": "use tail on /var/lib/docker/containers/*/*-json.log",
    "beats": "let Filebeat write to output.elasticsearch at this platform",
    "gelf": "use Docker's fluentd driver, and forward",
    "snmp": "collect it as metrics",
    "mysql": "let a program write the rows to a file, and use tail",
    "sql": "let a program write the rows to a file, and use tail",
    "multi_format": "use tail with <parse> @type json, and filters of type parser",
}
"""Inputs that would be missed."""

LEFT_OUT_FILTERS: Final = {
    "dedot": "nested and dotted names are the same field in our store",
    "elasticsearch_genid": "each line has an id of its own from where it lies",
    "numeric_monitor": "count with log_metrics in the settings (docs/log-metrics.md)",
}
"""Filters without which the records are the same, or are found by the same names: a warning says so."""

OTHER_FILTERS: Final = {
    "geoip": "take it out: the address stays in the record, and its country is not looked up here",
    "kubernetes_metadata": "kubernetes_path takes namespace, pod and container from the path of the file",
    "modify_filter": "use record_transformer",
    "rewrite_record": "use record_transformer",
    "typecast": "write types in the <parse> section",
    "multi_format_parser": "use parser with <parse> @type multi_format",
    "flatten_hash": "nested fields are found by their dotted names in our store",
    "ua_parser": "take it out: user agents are found as texts",
    "anonymizer": "use redaction",
    "masking": "use redaction",
    "suppress": "use throttle",
    "grok_parser": "use parser with <parse> @type grok",
}
"""Filters that we do not have."""

OTHER_OUTPUTS: Final = {
    "roundrobin": "use copy to write to all, or forward with several <server> sections to share the load",
    "exec": "programs are never run: use http, or file and a program that reads it",
    "exec_filter": "programs are never run: use record_transformer, grep, parser and redaction",
    "buffered_null": "use null",
    "buffered_stdout": "use stdout",
    "secondary_file": "use file",
    "kafka2": "use http to a Kafka REST proxy, or forward to a Fluentd that has it",
    "kafka": "use http to a Kafka REST proxy, or forward to a Fluentd that has it",
    "s3": "use file, and copy the files",
    "gcs": "use file, and copy the files",
    "webhdfs": "use file, and copy the files",
    "mongo": "use http, or forward to a Fluentd that has it",
    "splunk_hec": "use http with the header Authorization",
    "datadog": "use http with the header DD-API-KEY",
    "loki": "use eldonia: this platform is where the logs are searched",
    "cloudwatch_logs": "use http, or forward to a Fluentd that has it",
    "rewrite_tag_filter": "use several <match> with grep filters in labels: relabel keeps the tag",
    "route": "use relabel and labels",
    "slack": "write an alert rule on logs: its receiver writes to Slack",
    "mail": "write an alert rule on logs: its receiver sends mail",
    "flowcounter": "count with log_metrics in the settings (docs/log-metrics.md); a summary becomes a histogram",
    "stream": "use forward",
    "newrelic": "use http with the header Api-Key",
    "bigquery_insert": "use file, and load the files",
    "sql": "use http, or forward to a Fluentd that has it",
    "syslog": "forward to a Fluentd that has it",
    "remote_syslog": "forward to a Fluentd that has it",
}
"""Outputs that we do not have."""
