"""``python -m shop``: the shop as a process of its own."""

import argparse
import os
import sys

import eldonia_telemetry as telemetry
from shop.app import create_app
from shop.database import default_url
from shop.serving import serve


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, set telemetry up, serve."""
    parser = argparse.ArgumentParser(prog="python -m shop", description="The Eldonia shop's backend.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3001)
    parser.add_argument("--data-dir", default="shop-data", help="where the SQLite file lives")
    parser.add_argument("--database", default="", help="SQLAlchemy URL; default SHOP_DATABASE_URL, else SQLite")
    parser.add_argument("--gateway", default=os.environ.get("SHOP_GATEWAY_URL", "http://127.0.0.1:3002"))
    parser.add_argument("--log-dir", default=None, help="default ELDONIA_LOG_DIR, else the console")
    parser.add_argument("--otlp-endpoint", default=None, help="default ELDONIA_OTLP_ENDPOINT")
    parser.add_argument("--service", default=os.environ.get("ELDONIA_SERVICE", "eldonia-shop"))
    parser.add_argument("--allow-faults", action="store_true", help="let POST /faults break things")
    options = parser.parse_args(arguments)
    # The ingest token comes from ELDONIA_INGEST_TOKEN alone: a command line is no place for a secret.
    telemetry.init(service=options.service, log_dir=options.log_dir, otlp_endpoint=options.otlp_endpoint)
    url = options.database or default_url(options.data_dir)
    return serve(
        "shop", create_app(url, options.gateway, allow_faults=options.allow_faults), options.host, options.port
    )


if __name__ == "__main__":
    sys.exit(main())
