"""Rule groups: recording rules and alerting rules, from inactive over pending to firing."""
