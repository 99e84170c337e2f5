"""The demonstration: real processes, a real outage, watched from outside through the HTTP API."""
