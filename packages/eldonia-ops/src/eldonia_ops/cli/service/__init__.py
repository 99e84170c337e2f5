"""``eldonia-ops install-service``: a unit of systemd, a user, folders. ``unit`` and ``plan`` are pure."""
