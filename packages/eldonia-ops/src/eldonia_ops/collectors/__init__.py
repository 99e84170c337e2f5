"""What fetches or receives telemetry."""
