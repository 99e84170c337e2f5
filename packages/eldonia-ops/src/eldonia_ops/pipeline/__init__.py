"""The log pipeline, as Fluentd has it: sources, tags, filters, labels, matches, buffers. Pure: no clock, no files."""
