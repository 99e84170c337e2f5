"""Grafana's dashboard JSON to a dashboard of ours and back.

The format is that of Grafana's own JSON model, schemaVersion 14 to 42
(https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/; what older versions
mean is in Grafana's public/app/features/dashboard/state/DashboardMigrator.ts).
"""

from eldonia_ops.protocols.grafana.exporting import to_grafana
from eldonia_ops.protocols.grafana.importing import Imported, NotGrafanaError, from_grafana, is_grafana
from eldonia_ops.protocols.grafana.report import Note

__all__ = ["Imported", "NotGrafanaError", "Note", "from_grafana", "is_grafana", "to_grafana"]
