# One recipe, two services: `docker build --target gateway .` and `docker build --target scorer .`; `--target trainer`
# holds the engineers' command line with the training libraries.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/riskgate
COPY requirements-serving.lock /build/
RUN /opt/riskgate/bin/pip install --require-hashes -r /build/requirements-serving.lock
COPY pyproject.toml README.md LICENSE NOTICE /build/
COPY auth_gateway /build/auth_gateway
COPY plumbing /build/plumbing
COPY risk_scorer /build/risk_scorer
COPY training /build/training
COPY webhooks /build/webhooks
RUN /opt/riskgate/bin/pip install --no-deps --no-build-isolation /build

FROM build AS build-trainer
COPY requirements.lock /build/
RUN /opt/riskgate/bin/pip install --require-hashes -r /build/requirements.lock

FROM python:${PYTHON}-slim AS base
# A volume that is new takes over whose its directory is in the image.
RUN groupadd --gid 10001 riskgate \
  && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/riskgate --create-home riskgate \
  && install -d -o riskgate -g riskgate /models /public && install -d -o riskgate -g riskgate -m 0700 /keys
ENV PATH=/opt/riskgate/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/var/lib/riskgate/numba
WORKDIR /var/lib/riskgate
USER riskgate
VOLUME /var/lib/riskgate

FROM base AS gateway
COPY --from=build /opt/riskgate /opt/riskgate
ENV AUTH_GATEWAY_STATE=/var/lib/riskgate/gateway AUTH_GATEWAY_HOST=0.0.0.0
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9000/live', timeout=2)"]
ENTRYPOINT ["auth-gateway"]
CMD ["serve"]

FROM base AS scorer
COPY --from=build /opt/riskgate /opt/riskgate
ENV RISK_SCORER_STATE=/var/lib/riskgate/scorer RISK_SCORER_HOST=0.0.0.0 MODEL_DIR=/models
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/live', timeout=2)"]
ENTRYPOINT ["risk-scorer"]
CMD ["serve"]

FROM base AS trainer
COPY --from=build-trainer /opt/riskgate /opt/riskgate
ENTRYPOINT ["risk-training"]
