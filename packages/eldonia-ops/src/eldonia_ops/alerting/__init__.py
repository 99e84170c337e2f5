"""From alerts to notifications: route, group, inhibit, silence, decide."""
