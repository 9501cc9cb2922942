# The bridge in a container: config in /etc/sense-mqtt/config.yaml or SENSE_MQTT_*, secrets in /run/secrets, state in a
# volume. Needs no rights: docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges works.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY sense_mqtt ./sense_mqtt
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel . \
    && python -m venv --without-pip /opt/sense-mqtt \
    && pip --python /opt/sense-mqtt/bin/python install --no-cache-dir "$(echo /wheel/*.whl)[web]"

FROM python:${PYTHON}-slim
ARG VERSION=0.2.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="sense-mqtt" \
      org.opencontainers.image.description="Sense Home Energy Monitor to MQTT, with Home Assistant discovery" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/sense-mqtt /opt/sense-mqtt
# The image has Python's own modules as source only: compiled once here, not at every start and every health check.
RUN /opt/sense-mqtt/bin/sense-mqtt --version
# A number, not a name, so that Kubernetes can see it is not root.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/sense-mqtt
ENV PATH=/opt/sense-mqtt/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SENSE_MQTT_STATE_DIR=/var/lib/sense-mqtt
USER 10001:10001
VOLUME /var/lib/sense-mqtt
WORKDIR /var/lib/sense-mqtt
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2m --timeout=30s --start-period=1m CMD ["sense-mqtt", "health"]
ENTRYPOINT ["sense-mqtt"]
CMD ["run"]
