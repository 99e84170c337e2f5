"""Certificates of the main listener from an ACME server (RFC 8555), by HTTP-01."""
